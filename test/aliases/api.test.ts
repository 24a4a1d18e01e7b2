/** The calls of the older wallet service's clients, byte for byte as Python's json.dumps sends them. */
import type { Client } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, paymentSystemLogin, type World } from '../lib/world.ts'

const test = suite('aliases under /api')
let world: World

test.before(async () => {
  world = await createWorld()
})
test.after(() => world.stop())

const json = { 'content-type': 'application/json' }
const post = (client: Client, path: string, text: string, headers = {}) =>
  client.send('POST', path, { text, headers: { ...json, ...headers } })

async function signUp(email: string): Promise<{ client: Client; walletId: number }> {
  const client = world.client()
  const text = `{"name": "test1", "email": "${email}", "password": "Pa$$w0rd"}`
  const { wallet_id } = await must(post(client, '/api/signup', text), 201)
  return { client, walletId: wallet_id }
}

async function signInPaymentSystem(): Promise<Client> {
  const client = world.client()
  const { email, password } = paymentSystemLogin
  const text = `{"email": "${email}", "password": "${password}"}`
  const { status } = await must(post(client, '/api/login', text), 200)
  assert.is(status, 'OK')
  return client
}

test('a script signs two people up, is paid and pays', async () => {
  const ada = await signUp('ada@example.com')
  const ben = await signUp('ben@example.com')
  assert.ok(Number.isSafeInteger(ada.walletId))

  const bank = await signInPaymentSystem()
  // json.dumps escapes what is not ASCII: "Перевод из Тинькофф".
  const details =
    '\\u041f\\u0435\\u0440\\u0435\\u0432\\u043e\\u0434 \\u0438\\u0437 \\u0422\\u0438\\u043d\\u044c\\u043a\\u043e\\u0444\\u0444'
  const deposited = await post(
    bank,
    '/api/external_to_wallet',
    `{"wallet_id": ${ada.walletId}, "amount": 115.6, "details": "${details}"}`,
  )
  assert.is(deposited.status, 200)
  const { operation_id, ...rest } = deposited.body
  assert.match(operation_id, /^[0-9a-f-]{36}$/)
  assert.equal(rest, { status: 'OK', wallet_id: ada.walletId, balance: 115.6 })
  assert.match(deposited.text, /"balance":115\.60}/)

  const text = `{"wallet_id": ${ben.walletId}, "amount": 11.1}`
  const paid = await must(post(ada.client, '/api/wallet_to_wallet', text), 200)
  assert.is(paid.status, 'OK')
  assert.is(paid.wallet_id, ada.walletId)
  assert.is(paid.balance, 104.5)

  const wallet = await ada.client.get('/api/wallet')
  assert.is(wallet.status, 200)
  const { operations, user_id, ...shown } = wallet.body
  assert.match(user_id, /^[0-9a-f-]{36}$/)
  assert.equal(shown, { wallet_id: ada.walletId, balance: 104.5 })
  assert.equal(
    operations.map(({ type, amount, balance, details: told }: Record<string, unknown>) => ({
      type,
      amount,
      balance,
      told,
    })),
    [
      { type: 'payment', amount: -11.1, balance: 104.5, told: null },
      { type: 'deposit', amount: 115.6, balance: 115.6, told: 'Перевод из Тинькофф' },
    ],
  )
  assert.is(operations[0].operation_id, paid.operation_id)
  assert.is(operations[1].operation_id, operation_id)
  assert.ok(Date.parse(operations[0].created_at) >= Date.parse(operations[1].created_at))
  const received = await must(ben.client.get('/api/wallet'), 200)
  assert.is(received.balance, 11.1)
  assert.is(received.operations[0].amount, 11.1)
})

test('HTTP Basic works on every call and leaves a session', async () => {
  const { walletId } = await signUp('basic@example.com')
  const client = world.client()
  const authorization = `Basic ${Buffer.from('basic@example.com:Pa$$w0rd').toString('base64')}`
  const first = await must(client.get('/api/wallet', { headers: { authorization } }), 200)
  const second = await must(client.get('/api/wallet'), 200)
  assert.is(first.wallet_id, walletId)
  assert.is(second.wallet_id, walletId)
})

test('amounts are exact where a float is not', async () => {
  const { client, walletId } = await signUp('exact@example.com')
  const bank = await signInPaymentSystem()
  for (const amount of ['90071992547409.93', '0.1', '0.2']) {
    const text = `{"wallet_id": ${walletId}, "amount": ${amount}}`
    await must(post(bank, '/api/external_to_wallet', text), 200)
  }
  const { text } = await client.get('/api/wallet')
  assert.match(text, /"balance":90071992547410\.23,"operations"/)
})

test('the Idempotency-Key of a deposit is its reference', async () => {
  const { client, walletId } = await signUp('once@example.com')
  const bank = await signInPaymentSystem()
  const text = `{"wallet_id": ${walletId}, "amount": 5}`
  const headers = { 'idempotency-key': 'statement 7, line 3' }
  const first = await post(bank, '/api/external_to_wallet', text, headers)
  const again = await post(bank, '/api/external_to_wallet', text, headers)
  assert.is(first.status, 200)
  assert.is(again.headers['idempotency-replayed'], 'true')
  assert.is(again.body.operation_id, first.body.operation_id)
  const { reference } = await must(bank.get(`/v1/deposits/${first.body.operation_id}`), 200)
  assert.is(reference, headers['idempotency-key'])
  await must(post(bank, '/api/external_to_wallet', text), 200)
  assert.is((await must(client.get('/api/wallet'), 200)).balance, 10)
})

test('a payment with a key pays once', async () => {
  const payer = await signUp('payer@example.com')
  const payee = await signUp('payee@example.com')
  const bank = await signInPaymentSystem()
  const deposit = `{"wallet_id": ${payer.walletId}, "amount": 50}`
  await must(post(bank, '/api/external_to_wallet', deposit), 200)
  const text = `{"wallet_id": ${payee.walletId}, "amount": 11.1}`
  const send = () =>
    post(payer.client, '/api/wallet_to_wallet', text, { 'idempotency-key': 'rent' })
  const replies = await Promise.all([send(), send(), send()])
  assert.equal(
    replies.map(({ status }) => status),
    [200, 200, 200],
  )
  assert.is((await must(payer.client.get('/api/wallet'), 200)).balance, 38.9)
})

test('every refusal has an error text', async () => {
  const { client, walletId } = await signUp('refused@example.com')
  const bank = await signInPaymentSystem()
  const nobody = world.client()
  const transfer = `{"wallet_id": ${walletId}, "amount": 1}`
  const signup = '{"name": "test1", "email": "refused@example.com", "password": "Pa$$w0rd"}'
  const table: [Client, string, string, string | undefined, number, string][] = [
    [nobody, 'GET', '/api/wallet', undefined, 401, 'not_signed_in'],
    [nobody, 'POST', '/api/wallet_to_wallet', transfer, 401, 'not_signed_in'],
    [nobody, 'POST', '/api/login', '{"email":"x@y.z","password":"?"}', 401, 'wrong_credentials'],
    [nobody, 'POST', '/api/signup', signup, 409, 'email_taken'],
    [nobody, 'POST', '/api/signup', '{"name": "test1"}', 422, 'invalid_request'],
    [nobody, 'POST', '/api/signup', '{"name": ', 400, 'malformed_body'],
    [nobody, 'GET', '/api/nothing', undefined, 404, 'route_not_found'],
    [nobody, 'DELETE', '/api/wallet', undefined, 405, 'method_not_allowed'],
    [client, 'POST', '/api/external_to_wallet', transfer, 403, 'role_not_allowed'],
    [bank, 'GET', '/api/wallet', undefined, 403, 'role_not_allowed'],
    [client, 'POST', '/api/wallet_to_wallet', transfer, 422, 'same_wallet'],
    [
      bank,
      'POST',
      '/api/external_to_wallet',
      '{"wallet_id":18,"amount":1}',
      404,
      'wallet_not_found',
    ],
    [
      bank,
      'POST',
      '/api/external_to_wallet',
      '{"wallet_id":2,"amount":1}',
      422,
      'wallet_number_mistyped',
    ],
    [
      bank,
      'POST',
      '/api/external_to_wallet',
      `{"wallet_id":${walletId},"amount":1e3}`,
      422,
      'amount_malformed',
    ],
    [
      bank,
      'POST',
      '/api/external_to_wallet',
      `{"wallet_id":${walletId},"amount":0.001}`,
      422,
      'amount_too_precise',
    ],
  ]
  for (const [sender, method, path, text, status, code] of table) {
    const options = text === undefined ? {} : { text, headers: json }
    const reply = await sender.send(method, path, options)
    assert.is(reply.status, status, `${method} ${path} ${text}`)
    assert.is(reply.body.code, code)
    assert.is(typeof reply.body.error, 'string')
    assert.ok(reply.body.error.length > 10)
    assert.match(String(reply.headers['content-type']), /^application\/problem\+json/)
  }
  const poor = await signUp('poor@example.com')
  const refused = await post(poor.client, '/api/wallet_to_wallet', transfer)
  assert.is(refused.body.code, 'insufficient_funds')
  assert.is(refused.body.error, '1.00 USD were to be paid, 0.00 are available.')
  const elsewhere = await client.get('/v1/nothing')
  assert.is(elsewhere.body.error, undefined)
})

test.run()
