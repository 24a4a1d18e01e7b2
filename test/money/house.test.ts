import { checkBooks } from '../lib/books.ts'
import type { Client, Json } from '../lib/http.ts'
import {
  addPaymentSystem,
  assertRefused,
  fund,
  openWallet,
  pair,
  pay,
  posted,
  unique,
} from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, paymentSystemLogin, type World } from '../lib/world.ts'

const test = suite('house view')

let world: World
let bank: Client
let operator: Client

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
  operator = await world.operator()
  const asset = { currency: 'MILLIONTHS', name: 'Millionths', scale: 6 }
  await must(operator.post('/v1/currencies', asset), 201)
})

test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

async function view(currency: string): Promise<Json> {
  const { data } = await must(operator.get(`/v1/house?currency=${currency}`), 200)
  assert.is(data.length, 1)
  return data[0]
}

test('every kind of movement is where it belongs, by payment system', async () => {
  const currency = 'MILLIONTHS'
  assert.equal((await must(operator.get(`/v1/house?currency=${currency}`), 200)).data, [])
  const other = await addPaymentSystem(world)
  const { payer, payee, from, to } = await pair(world, bank, '0', currency)
  const { id: depositId } = await fund(bank, from, '100.000001', currency)
  await fund(other, to, '20', currency)
  await must(pay(payer, { from_wallet_id: from, to_wallet_id: to, amount: '70' }), 201)

  // 70 of the deposit are spent: they are owed when it is taken back.
  const reversal = { reference: unique('back'), amount: '100.000001', reason: 'stolen card' }
  await must(bank.post(`/v1/deposits/${depositId}/reversals`, reversal), 201)
  // What is sent for nobody waits.
  const nobody = '01900000-0000-7000-8000-000000000000'
  const lost = { wallet_id: nobody, amount: '0.5', currency, on_unmatched: 'suspense' }
  await must(other.post('/v1/deposits', { ...lost, reference: unique('lost') }), 201)
  // What is only held, or asked for, is still the wallet's.
  const held = { from_wallet_id: to, to_wallet_id: from, amount: '1' }
  await must(payee.post('/v1/holds', held), 201)

  const systems = (await must(operator.get('/v1/payment-systems'), 200)).data
  const [first, second] = systems
  assert.is(first.email, paymentSystemLogin.email)
  assert.equal(await view(currency), {
    currency,
    assets: {
      bank: '0.000000',
      receivables: '70.000000',
      total: '90.500000',
      clearing: [
        { payment_system_id: first.id, name: first.name, amount: '0.000000' },
        { payment_system_id: second.id, name: second.name, amount: '20.500000' },
      ],
    },
    liabilities: {
      wallets: '90.000000',
      suspense: '0.500000',
      liquidity: '0.000000',
      total: '90.500000',
    },
    equity: '0.000000',
    income: {
      fees: '0.000000',
      spread: '0.000000',
      payment_systems: '0.000000',
      total: '0.000000',
    },
    expenses: {
      rewards: '0.000000',
      payment_system_fees: '0.000000',
      write_offs: '0.000000',
      total: '0.000000',
    },
    difference: '0.000000',
  })
})

test('all currencies are told as of one moment, while money moves in several', async () => {
  // On a ledger that others have used there may be some.
  const before = await must(operator.get('/v1/house?currency=JPY'), 200)
  const openingMinor = BigInt(before.data[0]?.assets.total ?? 0)
  const pairs = await Promise.all(
    ['USD', 'JPY'].map((currency) => pair(world, bank, '1000', currency)),
  )
  let isOver = false
  const moving = pairs.map(async ({ payer, payee, from, to }) => {
    while (!isOver) {
      await Promise.all([
        pay(payer, { from_wallet_id: from, to_wallet_id: to, amount: '7' }),
        pay(payee, { from_wallet_id: to, to_wallet_id: from, amount: '3' }),
        fund(bank, from, '1', from === pairs[0]?.from ? 'USD' : 'JPY'),
      ])
    }
  })
  let last = ''
  for (let count = 0; count < 20; count += 1) {
    const { as_of, data } = await must(operator.get('/v1/house'), 200)
    assert.ok(as_of >= last)
    last = as_of
    const known = data.map(({ currency }: Json) => currency)
    assert.ok(known.includes('USD') && known.includes('JPY') && !known.includes('KZT'))
    for (const { currency, difference } of data) assert.is(Number(difference), 0, currency)
  }
  isOver = true
  await Promise.all(moving)
  const { assets, difference } = await view('JPY')
  assert.is(difference, '0')
  const [, yen] = pairs
  if (!yen) throw new Error('there are two pairs')
  const left = [await posted(yen.payer, yen.from), await posted(yen.payee, yen.to)]
  const leftMinor = left.map(BigInt).reduce((sum, minor) => sum + minor, 0n)
  assert.is(assets.total, String(openingMinor + leftMinor))
})

test('only operators see it, and only of currencies that there are', async () => {
  const { client } = await world.signUp()
  await openWallet(client, 'EUR')
  for (const somebody of [client, bank]) {
    assertRefused(await somebody.get('/v1/house'), 403, 'role_not_allowed')
  }
  assertRefused(await world.client().get('/v1/house'), 401, 'not_signed_in')
  const unknown = await operator.get('/v1/house?currency=XXX')
  assertRefused(unknown, 422, 'currency_not_supported')
  assertRefused(await operator.get('/v1/house?currency=usd'), 422, 'invalid_request')
  assertRefused(await operator.get('/v1/house?as_of=now'), 422, 'invalid_request')
})

test.run()
