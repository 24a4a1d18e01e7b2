import { assert, suite } from '../lib/suite.ts'
import { createWorld, defaultPassword, must, type World } from '../lib/world.ts'

const test = suite('aliases with one account a person')
let world: World

test.before(async () => {
  world = await createWorld()
})
test.after(() => world.stop())

async function signUp(name: string) {
  const client = world.client()
  const input = { Email: `${name}@example.com`, Username: name, Password: defaultPassword }
  const reply = await client.post('/v1/user', input)
  assert.is(reply.status, 201)
  assert.ok(reply.headers['set-cookie'])
  assert.is(reply.body.Username, name)
  return client
}

test('sign up, be paid, pay by username, read the account', async () => {
  const ada = await signUp('ada')
  const ben = await signUp('ben')
  const { number } = (await must(ada.get('/v1/wallets'), 200)).data[0]
  const bank = await world.paymentSystem()
  const deposit = { wallet_id: number, amount: '115.60', currency: 'USD', reference: '1' }
  await must(bank.post('/v1/deposits', { ...deposit, details: 'salary' }), 201)

  const options = { headers: { 'idempotency-key': 'k' } }
  const paid = await ada.post('/v1/transfer', { UserName: 'Ben', Amount: 1110 }, options)
  assert.is(paid.status, 201)
  assert.is(paid.body.Balance, 10_450)
  const again = await ada.post('/v1/transfer', { UserName: 'Ben', Amount: 1110 }, options)
  assert.is(again.body.TransferId, paid.body.TransferId)

  const account = await must(ada.get('/v1/account'), 200)
  assert.is(account.Balance, 10_450)
  const [payment, deposited, ...others] = account['Last transactions']
  assert.match(payment, /^\d{4}-\d\d-\d\dT[\d:.]+Z paid 11\.10 USD to ben$/)
  assert.match(deposited, /^\S+ received 115\.60 USD from First payment system: salary$/)
  assert.is(others.length, 0)
  assert.is((await must(ben.get('/v1/account'), 200)).Balance, 1_110)
})

test('amounts are integers of minor units', async () => {
  const client = await signUp('cleo')
  await signUp('dora')
  const table: [string, string][] = [
    ['1', 'insufficient_funds'],
    ['0', 'amount_not_positive'],
    ['-1', 'amount_not_positive'],
    ['1.5', 'invalid_request'],
    ['"1e3"', 'invalid_request'],
    [`1${'0'.repeat(39)}`, 'amount_too_large'],
    ['170141183460469231731687303715884105729', 'amount_too_large'],
    ['170141183460469231731687303715884105728', 'insufficient_funds'],
  ]
  for (const [amount, code] of table) {
    const text = `{"UserName":"dora","Amount":${amount}}`
    const headers = { 'content-type': 'application/json' }
    const reply = await client.send('POST', '/v1/transfer', { text, headers })
    assert.is(reply.body.code, code, amount)
  }
  const { body } = await client.post('/v1/transfer', { UserName: 'nobody.here', Amount: 1 })
  assert.is(body.code, 'recipient_not_found')
})

test.run()
