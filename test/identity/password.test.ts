import { spawnSync } from 'node:child_process'
import { basic } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, operatorLogin, type World } from '../lib/world.ts'

const test = suite('passwords')
let world: World

test.before(async () => {
  world = await createWorld({ env: { ACCOUNT_ATTEMPTS: '3' } })
})
test.after(() => world.stop())

const another = 'a password of its own'

test('a changed password ends every session but the one that comes with the reply', async () => {
  const { client, email, password } = await world.signUp()
  const elsewhere = world.client()
  const [before, after] = [basic(email, password), basic(email, another)]
  await must(elsewhere.get('/v1/session', { headers: before }), 200)
  const input = { current_password: password, new_password: another }
  const old = [...client.cookies]
  assert.is((await client.send('PUT', '/v1/password', { json: input })).status, 204)
  await must(client.get('/v1/session'), 200)
  const copy = world.client()
  for (const [name, value] of old) copy.cookies.set(name, value)
  assert.is((await copy.get('/v1/session')).status, 401)
  assert.is((await elsewhere.get('/v1/session')).status, 401)
  assert.is((await world.client().get('/v1/session', { headers: before })).status, 401)
  await must(world.client().get('/v1/session', { headers: after }), 200)
})

test('the current password is asked for, under the limits of signing in', async () => {
  const { client, email, password } = await world.signUp()
  const change = (current_password: string, new_password = another) =>
    client.send('PUT', '/v1/password', { json: { current_password, new_password } })
  assert.is((await change(password, 'short')).body.errors[0].pointer, '/new_password')
  assert.is((await change(password, email)).body.code, 'invalid_request')
  for (let tries = 0; tries < 3; tries += 1) {
    assert.is((await change('not the password')).body.code, 'wrong_credentials')
  }
  const limited = await change(password)
  assert.is(limited.status, 429)
  assert.ok(Number(limited.headers['retry-after']) > 0)
  await must(client.get('/v1/session'), 200)
})

test('a payment system does not change its own credential', async () => {
  const bank = await world.paymentSystem()
  const json = { current_password: 'payment system password', new_password: another }
  const { body } = await bank.send('PUT', '/v1/password', { json })
  assert.is(body.code, 'role_not_allowed')
})

test('an operator adds another, who signs in with what was told once', async () => {
  const first = await world.operator()
  const email = 'second@example.com'
  const { operator, password } = await must(first.post('/v1/operators', { email }), 201)
  const second = world.client()
  await must(second.post('/v1/sessions', { email, password }), 201)
  assert.is((await must(second.get('/v1/session'), 200)).user.id, operator.id)
  assert.is((await first.post('/v1/operators', { email })).body.code, 'email_taken')
  const { client } = await world.signUp()
  assert.is((await client.post('/v1/operators', { email })).body.code, 'role_not_allowed')
})

function regain(...args: string[]) {
  const env = { ...process.env, DATABASE_URL: world.deps.config.databaseUrl }
  return spawnSync(process.execPath, ['scripts/operator.ts', ...args], { env, encoding: 'utf8' })
}

test('whoever holds the database gets an operator back in, and the audit tells it', async () => {
  for (const email of [operatorLogin.email, 'third@example.com']) {
    const { stdout, status } = regain('--email', email)
    assert.is(status, 0)
    const password = stdout.trim().split(/ +/)[2]
    const client = world.client()
    await must(client.post('/v1/sessions', { email, password }), 201)
    const { id } = (await must(client.get('/v1/session'), 200)).user
    const audit = await must(client.get('/v1/audit'), 200)
    const entries = audit.data.filter(
      ({ action }: { action: string }) => action === 'npm run operator',
    )
    assert.is(entries[0].operator_id, id)
  }
  const { email } = await world.signUp()
  assert.match(regain('--email', email).stderr, /no operator/)
  assert.match(regain().stderr, /^Usage/)
})

test('one address signs up so many people only', async () => {
  const limited = await world.startAnother({ env: { ADDRESS_SIGN_UPS: '2' } })
  const signUp = (name: string) =>
    world
      .client(limited.url)
      .post('/v1/users', { email: `${name}@limited.example.com`, password: another })
  const codes = []
  for (const name of ['a', 'b', 'c']) codes.push((await signUp(name)).status)
  const last = await signUp('d')
  codes.push(last.status)
  assert.ok(codes.includes(429), String(codes))
  assert.is(last.body.code, 'too_many_attempts')
  assert.ok(Number(last.headers['retry-after']) > 0)
})

test.run()
