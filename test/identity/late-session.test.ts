import { basic, type Client, type Reply } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, operatorLogin, type World } from '../lib/world.ts'

const test = suite('sign-ins that are overtaken')

let world: World
let operator: Client
let url: string
/** Carried out once, after a password was found right and before anything follows from it. */
let overtake: (() => Promise<unknown>) | undefined

test.before(async () => {
  world = await createWorld()
  operator = await world.operator()
  const overtaken = await world.startAnother({
    adapt: (deps) => ({
      ...deps,
      passwords: {
        ...deps.passwords,
        async matches(password, hash) {
          const right = await deps.passwords.matches(password, hash)
          const act = overtake
          overtake = undefined
          await act?.()
          return right
        },
      },
    }),
  })
  url = overtaken.url
})
test.after(() => world.stop())

interface Login {
  email: string
  password: string
}

const ways: Record<string, (client: Client, login: Login) => Promise<Reply>> = {
  'POST /v1/sessions': (client, login) => client.post('/v1/sessions', login),
  'POST /login': (client, login) => client.send('POST', '/login', { form: { ...login } }),
  'HTTP Basic': (client, { email, password }) =>
    client.get('/v1/session', { headers: basic(email, password) }),
}

let made = 0

test('a credential that is rotated meanwhile starts no session', async () => {
  for (const [way, signIn] of Object.entries(ways)) {
    made += 1
    const input = { name: `Bank ${made}`, email: `bank${made}@example.com` }
    const { payment_system, password } = await must(
      operator.post('/v1/payment-systems', input),
      201,
    )
    const path = `/v1/payment-systems/${payment_system.id}/credential`
    overtake = () => must(operator.post(path, undefined), 201)
    const client = world.client(url)
    const reply = await signIn(client, { email: input.email, password })
    assert.is(reply.status, 401, way)
    assert.is((await client.get('/v1/session')).status, 401, way)
  }
})

test('nor does that of a user who is deactivated meanwhile, also after reactivation', async () => {
  for (const [way, signIn] of Object.entries(ways)) {
    const { userId, email, password } = await world.signUp()
    const reason = { reason: 'stolen' }
    overtake = () => must(operator.post(`/v1/users/${userId}/deactivate`, reason), 200)
    const client = world.client(url)
    assert.is((await signIn(client, { email, password })).status, 401, way)
    await must(operator.post(`/v1/users/${userId}/reactivate`, reason), 200)
    assert.is((await client.get('/v1/session')).status, 401, way)
  }
})

test('of two who change the same password at once only one does', async () => {
  const { email, password, client } = await world.signUp()
  const other = world.client(url)
  await must(other.post('/v1/sessions', { email, password }), 201)
  const change = (by: Client, next: string) =>
    by.send('PUT', '/v1/password', { json: { current_password: password, new_password: next } })
  overtake = async () => assert.is((await change(client, 'the first of two')).status, 204)
  assert.is((await change(other, 'the second of two')).status, 401)
  const login = { email, password: 'the first of two' }
  assert.is((await world.client().post('/v1/sessions', login)).status, 201)
  assert.is((await client.get('/v1/session')).status, 200)
})

test('what is not overtaken signs in', async () => {
  for (const [way, signIn] of Object.entries(ways)) {
    const client = world.client(url)
    assert.ok((await signIn(client, operatorLogin)).status < 400, way)
    assert.is((await client.get('/v1/session')).status, 200, way)
  }
})

test.run()
