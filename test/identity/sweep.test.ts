import { sweep } from '../../server/jobs/sweep.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('sweep')
let world: World

test.before(async () => {
  world = await createWorld()
})
test.after(() => world.stop())

async function count(table: 'sessions' | 'attempts'): Promise<number> {
  const rows = await world.deps.db.selectFrom(table).selectAll().execute()
  return rows.length
}

test('deletes sessions and counts of attempts that have run out, and no others', async () => {
  const { email } = await world.signUp()
  await world.client().post('/v1/sessions', { email, password: 'wrong password' })
  const { config, db } = world.deps
  const [sessions, attempts] = [await count('sessions'), await count('attempts')]
  assert.is(sessions, 1)
  assert.is(attempts, 3)

  await sweep({ config, db, nowMs: () => Date.now() + 60_000 })
  assert.equal([await count('sessions'), await count('attempts')], [sessions, attempts])

  const windowMs = config.attemptsWindowSeconds * 1000
  await sweep({ config, db, nowMs: () => Date.now() + windowMs + 60_000 })
  assert.equal([await count('sessions'), await count('attempts')], [sessions, 0])

  const idleMs = config.sessionIdleSeconds * 1000
  await sweep({ config, db, nowMs: () => Date.now() + idleMs + 60_000 })
  assert.equal([await count('sessions'), await count('attempts')], [0, 0])
})

test.run()
