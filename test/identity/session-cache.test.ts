import { type Query, withConnection } from '../lib/database.ts'
import type { Client } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('session cache')
let world: World

test.before(async () => {
  world = await createWorld()
})
test.after(() => world.stop())

/** Whether a request is answered while nobody can query the tables that a session is made of. */
async function isAnsweredWithoutQuery(client: Client): Promise<boolean> {
  const { databaseUrl } = world.deps.config
  const { asked, isAnsweredEarly } = await withConnection(databaseUrl, async (query) => {
    await query('BEGIN')
    await query('LOCK TABLE users, sessions, wallets, payment_systems IN ACCESS EXCLUSIVE MODE')
    let isAnswered = false
    const asked = client.get('/v1/session').finally(() => {
      isAnswered = true
    })
    await until(async () => isAnswered || (await isSomebodyWaiting(query)))
    const isAnsweredEarly = isAnswered
    await query('ROLLBACK')
    return { asked, isAnsweredEarly }
  })
  assert.is((await asked).status, 200)
  return isAnsweredEarly
}

async function isSomebodyWaiting(query: Query): Promise<boolean> {
  const waiting = await query(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  )
  return waiting.rowCount !== 0
}

test('a session costs a query once and then none', async () => {
  const { email, password } = await world.signUp()
  const client = world.client()
  await client.post('/v1/sessions', { email, password })
  assert.is(await isAnsweredWithoutQuery(client), false)
  assert.is(await isAnsweredWithoutQuery(client), true)
})

test('while notifications may be lost the cache is not used, and afterwards it is again', async () => {
  const { client, userId } = await world.signUp()
  assert.is((await client.get('/v1/session')).status, 200)
  const name = new URL(world.deps.config.databaseUrl).pathname.slice(1)
  await withConnection(process.env.DATABASE_URL ?? '', async (query) => {
    await query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
    await query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = '${name}' AND application_name = 'kassa listen'`,
    )
    await world.deps.db.deleteFrom('sessions').where('user_id', '=', userId).execute()
    await until(async () => (await client.get('/v1/session')).status === 401)
    await query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
  })

  const next = await world.signUp()
  await until(() => isAnsweredWithoutQuery(next.client))
})

test.run()
