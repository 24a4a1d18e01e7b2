import { hash } from 'node:crypto'
import type { Client } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('sessions')
let world: World
/** Added to the clock that sessions are judged by. */
let laterMs = 0

const idleMs = 1_000_000
const absoluteMs = 3_000_000

test.before(async () => {
  world = await createWorld({
    env: {
      SESSION_IDLE_SECONDS: String(idleMs / 1000),
      SESSION_ABSOLUTE_SECONDS: String(absoluteMs / 1000),
      SESSIONS_PER_USER: '3',
    },
    nowMs: () => Date.now() + laterMs,
  })
})
test.after(() => world.stop())
test.before.each(() => {
  laterMs = 0
})

const isSignedIn = async (client: Client) => (await client.get('/v1/session')).status === 200

/** Another browser with the same cookies. */
function copy(client: Client, url = world.url): Client {
  const other = world.client(url)
  for (const [name, value] of client.cookies) other.cookies.set(name, value)
  return other
}

test('signing in by JSON and by form', async () => {
  const { email, password, userId } = await world.signUp()
  const byJson = world.client()
  const signedIn = await byJson.post('/v1/sessions', { email: email.toUpperCase(), password })
  assert.is(signedIn.status, 201)
  assert.equal(signedIn.body, { user_id: userId })
  const byForm = world.client()
  const form = { email, password }
  assert.is((await byForm.send('POST', '/v1/sessions', { form })).status, 201)
  const { user, id } = (await byForm.get('/v1/session')).body
  assert.equal(user, { id: userId, role: 'customer', email, username: null, name: null })
  assert.is.not(id, (await byJson.get('/v1/session')).body.id)
})

test('the cookie has a random id and its signature; the database has only its hash', async () => {
  const { email, password, userId } = await world.signUp()
  const client = world.client()
  const signedIn = await client.post('/v1/sessions', { email, password })
  for (const line of [signedIn.headers['set-cookie'] ?? []].flat()) {
    assert.match(line, /; path=\/; expires=.*; samesite=lax; httponly$/)
    assert.not.match(line, /domain=/)
  }
  const token = client.cookies.get('kassa') ?? ''
  assert.match(token, /^[\w-]{43}$/)
  const rows = await world.deps.db
    .selectFrom('sessions')
    .selectAll()
    .where('user_id', '=', userId)
    .execute()
  assert.not.ok(JSON.stringify(rows).includes(token))
  const hashes = rows.map((row) => row.token_hash.toString('hex'))
  assert.ok(hashes.includes(hash('sha256', token, 'hex')))
})

test('an id that was not signed, or is signed wrongly, is nobody', async () => {
  const { client } = await world.signUp()
  const unsigned = copy(client)
  unsigned.cookies.delete('kassa.sig')
  assert.is(await isSignedIn(unsigned), false)
  const forged = copy(client)
  forged.cookies.set('kassa', 'A'.repeat(43))
  assert.is(await isSignedIn(forged), false)
  assert.is(await isSignedIn(client), true)
})

test('a new id at every sign-in; the id before ends', async () => {
  const { client, email, password } = await world.signUp()
  const before = copy(client)
  assert.is((await client.post('/v1/sessions', { email, password })).status, 201)
  assert.is.not(client.cookies.get('kassa'), before.cookies.get('kassa'))
  assert.is(await isSignedIn(client), true)
  assert.is(await isSignedIn(before), false)
})

test('a failed sign-in leaves the session that is there', async () => {
  const { client, email } = await world.signUp()
  const wrong = await client.post('/v1/sessions', { email, password: 'not the password' })
  assert.is(wrong.status, 401)
  assert.is(await isSignedIn(client), true)
})

test('signing out ends the session and takes the cookie back', async () => {
  const { client } = await world.signUp()
  const stolen = copy(client)
  const out = await client.delete('/v1/session')
  assert.is(out.status, 204)
  assert.is(client.cookies.size, 0)
  assert.is(await isSignedIn(stolen), false)
  assert.is((await stolen.delete('/v1/session')).status, 401)
})

test('signing out and deactivating take effect in every process', async () => {
  const other = await world.startAnother()
  const { client } = await world.signUp()
  const elsewhere = copy(client, other.url)
  assert.is(await isSignedIn(elsewhere), true)
  await client.delete('/v1/session')
  await until(async () => !(await isSignedIn(elsewhere)))

  const again = await world.signUp()
  const againElsewhere = copy(again.client, other.url)
  assert.is(await isSignedIn(againElsewhere), true)
  const operator = await world.operator()
  await operator.post(`/v1/users/${again.userId}/deactivate`, { reason: 'test' })
  assert.is(await isSignedIn(again.client), false)
  await until(async () => !(await isSignedIn(againElsewhere)))
})

test('a wallet opened in one process can be used in another', async () => {
  const other = await world.startAnother()
  const { client } = await world.signUp()
  const elsewhere = copy(client, other.url)
  assert.is(await isSignedIn(elsewhere), true)
  const { id } = (await client.post('/v1/wallets', { currency: 'EUR' })).body
  const isKnown = async () => (await elsewhere.get(`/v1/wallets/${id}`)).status === 200
  await until(isKnown)
})

test('a session that is not used runs out, one that is used does not', async () => {
  const { client } = await world.signUp()
  const unused = await world.signUp()
  laterMs = idleMs - 60_000
  assert.is(await isSignedIn(client), true)
  await until(async () => (await seenAt(client)) > Date.now() + laterMs - 10_000)
  laterMs = idleMs + 1_000
  assert.is(await isSignedIn(client), true)
  assert.is(await isSignedIn(unused.client), false)
})

test('no session outlives its absolute lifetime', async () => {
  const { client } = await world.signUp()
  for (laterMs = 0; laterMs < absoluteMs - 10_000; laterMs += idleMs / 2) {
    assert.is(await isSignedIn(client), true)
    const soon = Date.now() + laterMs - 60_000
    await until(async () => (await seenAt(client)) >= soon)
  }
  laterMs = absoluteMs + 1_000
  assert.is(await isSignedIn(client), false)
})

test('a touch does not bring back a session that has ended', async () => {
  const { client } = await world.signUp()
  const stolen = copy(client)
  assert.is(await isSignedIn(stolen), true)
  laterMs = 120_000
  await Promise.all([client.delete('/v1/session'), stolen.get('/v1/session')])
  assert.is(await isSignedIn(stolen), false)
})

test('a user has a limited number of sessions; the oldest end', async () => {
  const { client: first, email, password } = await world.signUp()
  const clients = [first]
  for (let count = 0; count < 3; count += 1) {
    const client = world.client()
    await client.post('/v1/sessions', { email, password })
    clients.push(client)
  }
  await until(async () => !(await isSignedIn(first)))
  const alive = await Promise.all(clients.map(isSignedIn))
  assert.equal(alive, [false, true, true, true])
})

test('cookies signed with an earlier secret are still taken', async () => {
  const { client } = await world.signUp()
  const rotated = await world.startAnother({
    env: { SESSION_SECRETS: `${'n'.repeat(32)},the secret of every test: 32 bytes or more` },
  })
  assert.is(await isSignedIn(copy(client, rotated.url)), true)
  const revoked = await world.startAnother({ env: { SESSION_SECRETS: 'n'.repeat(32) } })
  assert.is(await isSignedIn(copy(client, revoked.url)), false)
})

test('in production the cookie is Secure and its name starts with __Host-', async () => {
  const production = await world.startAnother({ env: { NODE_ENV: 'production' } })
  const client = world.client(production.url)
  const input = { email: 'production@example.com', password: 'correct horse' }
  const signedUp = await client.post('/v1/users', input)
  assert.is(signedUp.status, 201)
  const lines = [signedUp.headers['set-cookie'] ?? []].flat()
  assert.is(lines.length, 2)
  for (const line of lines) assert.match(line, /^__Host-kassa(\.sig)?=.*; path=\/; .*; secure;/)
  assert.is(await isSignedIn(client), true)
})

async function seenAt(client: Client): Promise<number> {
  const tokenHash = hash('sha256', client.cookies.get('kassa') ?? '', 'buffer')
  const row = await world.deps.db
    .selectFrom('sessions')
    .select('seen_at')
    .where('token_hash', '=', tokenHash)
    .executeTakeFirstOrThrow()
  return row.seen_at.getTime()
}

test.run()
