import { basic } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('HTTP Basic')
let world: World
/** How many passwords were compared by bcrypt. */
let comparisons = 0

test.before(async () => {
  world = await createWorld({
    adapt: (deps) => ({
      ...deps,
      passwords: {
        ...deps.passwords,
        matches(password, hash) {
          comparisons += 1
          return deps.passwords.matches(password, hash)
        },
      },
    }),
  })
})
test.after(() => world.stop())
test.before.each(() => {
  comparisons = 0
})

async function countSessions(userId: string): Promise<number> {
  const rows = await world.deps.db
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', userId)
    .execute()
  return rows.length
}

test('signs in on any request, and the session is kept from then on', async () => {
  const { email, password, userId } = await world.signUp()
  const client = world.client()
  const wallets = await client.get('/v1/wallets', { headers: basic(email, password) })
  assert.is(wallets.status, 200)
  assert.is((await client.get('/v1/session')).body.user.id, userId)
})

test('on every request it costs one bcrypt and one session, with cookies or without', async () => {
  const { email, password, userId } = await world.signUp()
  const before = await countSessions(userId)
  const headers = basic(email, password)
  const withCookies = world.client()
  for (let count = 0; count < 5; count += 1) {
    assert.is((await withCookies.get('/v1/session', { headers })).status, 200)
    assert.is((await world.client().get('/v1/session', { headers })).status, 200)
  }
  assert.is(comparisons, 1)
  assert.is(await countSessions(userId), before + 1)
})

test('many first requests at once cost one bcrypt and one session', async () => {
  const { email, password, userId } = await world.signUp()
  const before = await countSessions(userId)
  const headers = basic(email, password)
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => world.client().get('/v1/session', { headers })),
  )
  assert.equal(new Set(replies.map(({ status }) => status)), new Set([200]))
  assert.is(comparisons, 1)
  assert.is(await countSessions(userId), before + 1)
})

test('goes on with the session of the cookie when it is the same user', async () => {
  const { client, email, password, userId } = await world.signUp()
  const before = await countSessions(userId)
  const reply = await client.get('/v1/session', { headers: basic(email, password) })
  assert.is(reply.status, 200)
  assert.is(reply.headers['set-cookie'], undefined)
  assert.is(await countSessions(userId), before)
})

test('counts for more than the cookie of somebody else', async () => {
  const { client, userId } = await world.signUp()
  const other = await world.signUp()
  const headers = basic(other.email, other.password)
  assert.is((await client.get('/v1/session', { headers })).body.user.id, other.userId)
  assert.is.not(other.userId, userId)
  const wrong = basic(other.email, 'not the password')
  const refused = await client.get('/v1/session', { headers: wrong })
  assert.is(refused.status, 401)
  assert.is(refused.body.code, 'wrong_credentials')
})

test('ends with the session, and then costs a bcrypt again', async () => {
  const { email, password } = await world.signUp()
  const headers = basic(email, password)
  const client = world.client()
  await client.get('/v1/session', { headers })
  assert.is((await client.delete('/v1/session', { headers })).status, 204)
  assert.is((await client.get('/v1/session')).status, 401)
  assert.is((await client.get('/v1/session', { headers })).status, 200)
  assert.is(comparisons, 2)
})

test('does not let a deactivated user in, remembered or not', async () => {
  const { email, password, userId } = await world.signUp()
  const headers = basic(email, password)
  assert.is((await world.client().get('/v1/session', { headers })).status, 200)
  const operator = await world.operator()
  await operator.post(`/v1/users/${userId}/deactivate`, { reason: 'test' })
  assert.is((await world.client().get('/v1/session', { headers })).status, 401)
})

test('refuses headers that are no credentials', async () => {
  for (const authorization of ['Basic', 'Basic !', 'Basic YQ==', 'Basic YTpi', 'basic  Og==']) {
    const refused = await world.client().get('/v1/session', { headers: { authorization } })
    assert.is(refused.status, 401)
  }
  assert.is(comparisons < 5, true)
})

test('challenges programs, and not browsers, which would open a window', async () => {
  const client = world.client()
  const program = await client.get('/v1/session')
  assert.is(program.headers['www-authenticate'], 'Basic realm="kassa", charset="UTF-8"')
  const browser = await client.get('/v1/session', { headers: { 'sec-fetch-mode': 'cors' } })
  assert.is(browser.headers['www-authenticate'], 'Session realm="kassa"')
})

test.run()
