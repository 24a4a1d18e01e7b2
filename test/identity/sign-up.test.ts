import { assert, suite } from '../lib/suite.ts'
import { createWorld, defaultPassword, type World } from '../lib/world.ts'

const test = suite('sign up')
let world: World

test.before(async () => {
  world = await createWorld()
})
test.after(() => world.stop())

test('makes an account, signs in and opens a wallet in the default currency', async () => {
  const client = world.client()
  const input = {
    email: 'Ada@Example.com',
    password: 'lovelace 1843',
    username: 'ada',
    name: 'Ada',
  }
  const signedUp = await client.post('/v1/users', input)
  assert.is(signedUp.status, 201)
  const { id, created_at, ...user } = signedUp.body
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000)
  assert.equal(user, { role: 'customer', email: 'Ada@Example.com', username: 'ada', name: 'Ada' })
  const wallets = await client.get('/v1/wallets')
  assert.is(wallets.body.data.length, 1)
  assert.is(wallets.body.data[0].currency, 'USD')
  assert.is((await client.get('/v1/session')).body.user.id, id)
})

test('form fields do as well as JSON', async () => {
  const client = world.client()
  const form = { email: 'form@example.com', password: defaultPassword }
  assert.is((await client.send('POST', '/v1/users', { form })).status, 201)
  assert.is((await client.get('/v1/session')).status, 200)
})

test('an e-mail is taken whatever its case, and a username exactly', async () => {
  await world.signUp({ email: 'grace@example.com', username: 'grace' })
  const client = world.client()
  const sameEmail = { email: 'GRACE@example.COM', password: defaultPassword }
  const email = await client.post('/v1/users', sameEmail)
  assert.is(email.status, 409)
  assert.is(email.body.code, 'email_taken')
  const sameName = { email: 'other@example.com', password: defaultPassword, username: 'grace' }
  const username = await client.post('/v1/users', sameName)
  assert.is(username.status, 409)
  assert.is(username.body.code, 'username_taken')
  assert.is(client.cookies.size, 0)
})

test('of many at once with one e-mail exactly one signs up', async () => {
  const input = { email: 'race@example.com', password: defaultPassword }
  const replies = await Promise.all(
    Array.from({ length: 10 }, () => world.client().post('/v1/users', input)),
  )
  const statuses = replies.map(({ status }) => status).sort()
  assert.equal(statuses, [201, ...Array.from({ length: 9 }, () => 409)])
})

/** What is wrong, the input that differs, and the field that is named. */
const faults: [what: string, input: Record<string, unknown>, pointer: string][] = [
  ['no e-mail', { email: undefined }, '/email'],
  ['an e-mail that is none', { email: 'ada' }, '/email'],
  ['an e-mail of 255 characters', { email: `${'a'.repeat(243)}@example.com` }, '/email'],
  ['an e-mail that is a number', { email: 5 }, '/email'],
  ['no password', { password: undefined }, '/password'],
  ['a password of 7 bytes', { password: 'zk4-9vp' }, '/password'],
  ['a password of 73 bytes', { password: `${'é'.repeat(36)}x` }, '/password'],
  ['the e-mail as password', { password: 'NEW@example.com' }, '/password'],
  ['a common password', { password: 'password1' }, '/password'],
  ['a common password in capitals', { password: 'Iloveyou' }, '/password'],
  ['a username of 2', { username: 'ab' }, '/username'],
  ['a username of 31', { username: 'a'.repeat(31) }, '/username'],
  ['a username in capitals', { username: 'Ada' }, '/username'],
  ['a username with other letters', { username: 'adä' }, '/username'],
  ['an empty name', { name: '' }, '/name'],
  ['a name of 101', { name: 'n'.repeat(101) }, '/name'],
  ['a field that is not known', { e_mail: 'x' }, '/e_mail'],
  ['a role', { role: 'operator' }, '/role'],
]
for (const [what, input, pointer] of faults) {
  test(`refuses ${what}`, async () => {
    const client = world.client()
    const valid = { email: 'new@example.com', password: defaultPassword }
    const refused = await client.post('/v1/users', { ...valid, ...input })
    assert.is(refused.status, 422)
    assert.is(refused.body.code, 'invalid_request')
    assert.equal(
      refused.body.errors.map((error: { pointer: string }) => error.pointer),
      [pointer],
    )
    assert.is(client.cookies.size, 0)
    const found = await world.deps.db
      .selectFrom('users')
      .select('id')
      .where('email', 'in', ['new@example.com', String(input.email)])
      .execute()
    assert.equal(found, [])
  })
}

test('takes passwords of 8 and of 72 bytes, and all 72 count', async () => {
  await world.signUp({ email: 'eight@example.com', password: 'zk4-9vp+' })
  const password = 'é'.repeat(36)
  await world.signUp({ email: 'long@example.com', password })
  const client = world.client()
  const almost = { email: 'long@example.com', password: `${'é'.repeat(35)}e` }
  assert.is((await client.post('/v1/sessions', almost)).status, 401)
  const whole = { email: 'long@example.com', password }
  assert.is((await client.post('/v1/sessions', whole)).status, 201)
  const longer = { email: 'long@example.com', password: `${password}!` }
  assert.is((await client.post('/v1/sessions', longer)).status, 401)
})

test('stores a bcrypt hash of the configured cost and nothing of the password', async () => {
  const { userId, password } = await world.signUp()
  const { password_hash } = await world.deps.db
    .selectFrom('users')
    .select('password_hash')
    .where('id', '=', userId)
    .executeTakeFirstOrThrow()
  assert.match(password_hash, /^\$2b\$04\$/)
  assert.not.ok(password_hash.includes(password))
})

test.run()
