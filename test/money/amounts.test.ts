import { checkBooks } from '../lib/books.ts'
import type { Client, Json } from '../lib/http.ts'
import { assertRefused, openWallet, pair, pay, posted, postText, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('amounts of transfers')

let world: World
let bank: Client

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
})

test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

/** The amount as JSON source, as it must be read, and the currency. */
const accepted: readonly [source: string, amount: string, currency: string][] = [
  ['"115.60"', '115.60', 'USD'],
  ['"115.6"', '115.60', 'USD'],
  ['115.60', '115.60', 'USD'],
  ['115.6', '115.60', 'USD'],
  ['0.1', '0.10', 'USD'],
  ['0.01', '0.01', 'USD'],
  ['7', '7.00', 'USD'],
  ['"7"', '7.00', 'USD'],
  ['"007"', '7.00', 'USD'],
  ['"007.50"', '7.50', 'USD'],
  ['0.3', '0.30', 'USD'],
  ['9007199254740993', '9007199254740993.00', 'USD'],
  ['9007199254740993.07', '9007199254740993.07', 'USD'],
  ['"90071992547409930000.01"', '90071992547409930000.01', 'USD'],
  ['1', '1', 'JPY'],
  ['"0100"', '100', 'JPY'],
  ['0.001', '0.001', 'KWD'],
  ['"1.5"', '1.500', 'KWD'],
]

test('every accepted form of an amount means exactly its digits', async () => {
  const payments = accepted.map(async ([source, amount, currency]) => {
    const { payer, payee, to } = await pair(world, bank, '100000000000000000000', currency)
    const reply = await postText(
      payer,
      '/v1/transfers',
      `{"to_wallet_id":"${to}","amount":${source}}`,
    )
    assert.is(reply.status, 201, `${source}: ${reply.text}`)
    assert.is(reply.body.amount, amount, source)
    assert.is(await posted(payee, to), amount, source)
  })
  await Promise.all(payments)
})

const maxUsd = '1701411834604692317316873037158841057.28'

/** The amount as JSON source, the status and code of its answer, and the currency. */
const refused: readonly [source: string, status: number, code: string, currency?: string][] = [
  ['"1,5"', 422, 'amount_malformed'],
  ['"1.5.0"', 422, 'amount_malformed'],
  ['"1e3"', 422, 'amount_malformed'],
  ['1e3', 422, 'amount_malformed'],
  ['1E-2', 422, 'amount_malformed'],
  ['1e400', 422, 'amount_malformed'],
  ['"NaN"', 422, 'amount_malformed'],
  ['"Infinity"', 422, 'amount_malformed'],
  ['"+1"', 422, 'amount_malformed'],
  ['" 1"', 422, 'amount_malformed'],
  ['"1 "', 422, 'amount_malformed'],
  ['"1\\n"', 422, 'amount_malformed'],
  ['".5"', 422, 'amount_malformed'],
  ['"5."', 422, 'amount_malformed'],
  ['""', 422, 'amount_malformed'],
  ['"0x10"', 422, 'amount_malformed'],
  ['"1_000"', 422, 'amount_malformed'],
  ['"\u0661"', 422, 'amount_malformed'],
  ['"--1"', 422, 'amount_malformed'],
  [`"${'1'.repeat(65)}"`, 422, 'amount_malformed'],
  ['"0"', 422, 'amount_not_positive'],
  ['0', 422, 'amount_not_positive'],
  ['"0.00"', 422, 'amount_not_positive'],
  ['-0', 422, 'amount_not_positive'],
  ['"-1"', 422, 'amount_not_positive'],
  ['-0.01', 422, 'amount_not_positive'],
  ['"1.001"', 422, 'amount_too_precise'],
  ['"1.000"', 422, 'amount_too_precise'],
  ['1.000', 422, 'amount_too_precise'],
  ['0.30000000000000004', 422, 'amount_too_precise'],
  ['"1.0"', 422, 'amount_too_precise', 'JPY'],
  ['"1.0001"', 422, 'amount_too_precise', 'KWD'],
  ['"1701411834604692317316873037158841057.29"', 422, 'amount_too_large'],
  [`${'9'.repeat(60)}`, 422, 'amount_too_large'],
  [`"${maxUsd}"`, 422, 'insufficient_funds'],
  ['NaN', 400, 'malformed_body'],
  ['01', 400, 'malformed_body'],
  ['+1', 400, 'malformed_body'],
  ['.5', 400, 'malformed_body'],
  ['1_000', 400, 'malformed_body'],
  ['null', 422, 'invalid_request'],
  ['true', 422, 'invalid_request'],
  ['["1"]', 422, 'invalid_request'],
  ['{"value":"1"}', 422, 'invalid_request'],
]

test('every other form of an amount is refused by its code and moves nothing', async () => {
  const pairs = {
    USD: await pair(world, bank, '5.00'),
    JPY: await pair(world, bank, '5', 'JPY'),
    KWD: await pair(world, bank, '5', 'KWD'),
  }
  for (const [source, status, code, currency = 'USD'] of refused) {
    const { payer, to } = pairs[currency as keyof typeof pairs]
    const text = `{"to_wallet_id":"${to}","amount":${source}}`
    assertRefused(await postText(payer, '/v1/transfers', text), status, code, source)
  }
  for (const [currency, { payer, payee, from, to }] of Object.entries(pairs)) {
    assert.is(Number(await posted(payer, from)), 5, currency)
    assert.is(Number(await posted(payee, to)), 0, currency)
  }
})

test('a refused amount points at its field', async () => {
  const { payer, to } = await pair(world, bank, '0')
  for (const amount of ['1,5', '0', '1.001', '9'.repeat(50)]) {
    const reply = await pay(payer, { to_wallet_id: to, amount })
    assert.equal(
      reply.body.errors.map(({ pointer }: Json) => pointer),
      ['/amount'],
    )
  }
})

test('a sum that the ledger cannot hold is too large', async () => {
  const { payer, payee, from, to } = await pair(world, bank, maxUsd)
  const other = await openWallet(payer, 'USD')
  const reference = unique('overflow')
  await must(pay(payer, { from_wallet_id: from, to_wallet_id: to, amount: maxUsd }), 201)
  const again = { wallet_id: other.id, amount: maxUsd, currency: 'USD', reference }
  assertRefused(await bank.post('/v1/deposits', again), 422, 'amount_too_large')
  assert.is(await posted(payee, to), maxUsd)
  assert.is(await posted(payer, other.id), '0.00')
})

test.run()
