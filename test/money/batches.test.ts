/** Batches of payments: what each answers, again under its key, and what is refused before money moves. */
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { submitOnce } from '../../accounting/transfers.ts'
import { itemKey, nameBatch } from '../../server/flows/batch.ts'
import { checkBooks } from '../lib/books.ts'
import { setFee } from '../lib/fees.ts'
import type { Client, Json, Reply } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pair, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('batches')

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

function send(client: Client, atomic: boolean, transfers: Json[], key?: string): Promise<Reply> {
  const headers = key === undefined ? undefined : { headers: { 'idempotency-key': key } }
  return client.post('/v1/transfers/batch', { atomic, transfers }, headers)
}

/** What a batch has answered, a word for each payment. */
const codes = ({ results }: Json): string[] =>
  results.map((result: Json, index: number) => {
    assert.is(result.index, index)
    return result.code ?? result.status
  })

test('independent payments fail alone, in their order, and a replay tells the same of each', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '10.00')
  const named = await world.signUp({ username: 'batch_payee' })
  const euro = await openWallet(payee, 'EUR')
  const transfers = [
    { to_wallet_id: to, amount: '6.00', memo: 'first' },
    { to_wallet_id: to, amount: '6.00' },
    { to_wallet_id: named.walletNumber, amount: 1.5 },
    { to_username: 'Batch_Payee', amount: '0.50' },
    { to_username: 'batch_nobody', amount: '1' },
    { to_wallet_id: '1234567890', amount: '1' },
    { to_wallet_id: from, amount: '1' },
    { to_wallet_id: euro.id, amount: '1' },
    { to_wallet_id: '01a1fab2-978e-7025-852d-ee6de70c2fb2', amount: '1' },
    { to_wallet_id: '19398f4c-3600-8404-9590-c01532915012', amount: '1' },
    { to_wallet_id: to, amount: '0.001' },
    { to_wallet_id: to, amount: '-1' },
    { to_wallet_id: to, amount: '0' },
    { to_wallet_id: to, amount: 'NaN' },
    { to_wallet_id: to, amount: `1${'0'.repeat(40)}` },
    { to_wallet_id: to, amount: '1', currency: 'XXX' },
    { to_wallet_id: to, amount: '1', currency: 'EUR' },
    { to_wallet_id: to, amount: '1', from_wallet_id: to },
    { to_wallet_id: to, amount: '2.00', from_wallet_id: from },
  ]
  const expected = [
    'done',
    'insufficient_funds',
    'done',
    'done',
    'recipient_not_found',
    'wallet_number_mistyped',
    'same_wallet',
    'currency_mismatch',
    'recipient_not_found',
    'recipient_not_found',
    'amount_too_precise',
    'amount_not_positive',
    'amount_not_positive',
    'amount_malformed',
    'amount_too_large',
    'currency_not_supported',
    'currency_mismatch',
    'wallet_not_found',
    'done',
  ]
  const key = unique('batch')
  const first = await send(payer, false, transfers, key)
  assert.is(first.status, 200, first.text)
  assert.equal(codes(first.body), expected)
  assert.equal(first.body.counts, { done: 4, refused: 15 })
  assert.is(first.headers['idempotency-replayed'], undefined)
  const [{ transfer }] = first.body.results
  assert.equal([transfer.from_wallet_id, transfer.amount, transfer.memo], [from, '6.00', 'first'])
  assert.is(await posted(payer, from), '0.00')
  assert.is(await posted(payee, to), '8.00')
  assert.is((await must(payee.get(`/v1/transfers/${transfer.id}`), 200)).memo, 'first')

  // What could be paid by now stays as it was.
  await fund(bank, from, '100.00')
  await world.signUp({ username: 'batch_nobody' })
  await openWallet(payer, 'EUR')
  const again = await send(payer, false, transfers, key)
  assert.equal(again.body, first.body)
  assert.is(again.headers['idempotency-replayed'], 'true')
  assert.is(await posted(payer, from), '100.00')

  for (const other of [
    transfers.slice(0, 3),
    [...transfers, transfers[0]],
    transfers.toReversed(),
  ]) {
    assertRefused(await send(payer, false, other as Json[], key), 409, 'idempotency_key_reused')
  }
  assertRefused(await send(payer, true, transfers, key), 409, 'idempotency_key_reused')
  assert.is(await posted(payer, from), '100.00')
})

test('a payment whose id was used by something else is told so, and what has moved as well', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '10.00')
  const { user } = await must(payer.get('/v1/session'), 200)
  const key = unique('batch')
  const batchKey = { operationId: nameBatch({ userId: user.id }, key), inputHash: 1 }
  const { operationId } = itemKey(batchKey, 1)
  const leg = { debitAccountId: from, creditAccountId: to, amountMinor: 5n, asset: assetOf('USD') }
  const legs = [{ ...leg, code: TransferCode.payment }] as const
  await submitOnce(world.deps.ledger, { operationId, inputHash: 1, legs })
  const transfers = ['1.00', '2.00', '3.00'].map((amount) => ({ to_wallet_id: to, amount }))
  for (const replayed of [undefined, 'true']) {
    const { body, headers } = await send(payer, false, transfers, key)
    assert.equal(codes(body), ['done', 'idempotency_key_reused', 'done'])
    assert.is(headers['idempotency-replayed'], replayed)
  }
  assert.is(await posted(payee, to), '4.05')
})

test('an atomic batch happens as a whole, by one key once', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '10.00')
  const key = unique('batch')
  const transfers = [
    { to_wallet_id: to, amount: '4.00', memo: 'one' },
    { to_wallet_id: to, amount: '6.00' },
  ]
  const first = await send(payer, true, transfers, key)
  assert.equal([first.status, codes(first.body)], [200, ['done', 'done']], first.text)
  const again = await send(payer, true, transfers, key)
  assert.equal(again.body, first.body)
  assert.is(again.headers['idempotency-replayed'], 'true')
  // A second wallet makes the paying one ambiguous; what has happened is told all the same.
  await openWallet(payer, 'USD')
  const later = await send(payer, true, transfers, key)
  assert.equal(later.body, first.body)
  assertRefused(await send(payer, true, transfers.slice(1), key), 409, 'idempotency_key_reused')
  assert.equal([await posted(payer, from), await posted(payee, to)], ['0.00', '10.00'])
})

test('an atomic batch names the payment that failed, moves nothing, and stays declined', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '10.00')
  const key = unique('batch')
  const transfers = [
    { to_wallet_id: to, amount: '4.00' },
    { to_wallet_id: to, amount: '5.00' },
    { to_wallet_id: to, amount: '3.00' },
  ]
  const first = await send(payer, true, transfers, key)
  assertRefused(first, 422, 'insufficient_funds')
  assert.is(first.body.index, 2)
  await fund(bank, from, '10.00')
  const again = await send(payer, true, transfers, key)
  assertRefused(again, 422, 'insufficient_funds')
  assert.equal([again.body.index, again.headers['idempotency-replayed']], [2, 'true'])

  const mistyped = await send(payer, true, [transfers[0], { to_wallet_id: to, amount: '1.234' }])
  assertRefused(mistyped, 422, 'amount_too_precise')
  assert.equal([mistyped.body.index, mistyped.body.errors[0].pointer], [1, '/transfers/1/amount'])
  const nobody = '01a1fab2-978e-7025-852d-ee6de70c2fb2'
  const lost = await send(payer, true, [transfers[0], { to_wallet_id: nobody, amount: '1' }])
  assertRefused(lost, 422, 'recipient_not_found')
  assert.is(lost.body.index, 1)
  assert.equal([await posted(payer, from), await posted(payee, to)], ['20.00', '0.00'])
})

test('5,000 independent payments in a call, and no more', async () => {
  const { payer, payee, to } = await pair(world, bank, '49.99')
  const one = { to_wallet_id: to, amount: '0.01' }
  const key = unique('batch')
  const all = Array.from({ length: 5_000 }, () => one)
  const { body } = await send(payer, false, all, key)
  assert.equal(body.counts, { done: 4_999, refused: 1 })
  assert.is(body.results.at(-1).code, 'insufficient_funds')
  assert.equal((await send(payer, false, all, key)).body, body)
  assert.is(await posted(payee, to), '49.99')
  const more = await send(payer, false, [...all, one])
  assertRefused(more, 422, 'batch_too_large')
  assert.equal([more.body.transfers, more.body.transfers_max], [5_001, 5_000])
})

test('an atomic batch that would be too large with the fees of today is told as it was', async () => {
  const { payer, to } = await pair(world, bank, '50.00', 'EUR')
  const legsMax = world.deps.ledger.largestRequest()
  const count = Math.floor(legsMax / 2) + 1
  const transfers = Array.from({ length: count }, () => ({ to_wallet_id: to, amount: '0.01' }))
  const input = transfers.map((transfer) => ({ ...transfer, currency: 'EUR' }))
  const key = unique('batch')
  const first = await send(payer, true, input, key)
  assert.is(first.status, 200)
  const fee = { currency: 'EUR', fixed: '0.01' }
  await setFee(await world.operator(), 'payment', fee)
  const refused = unique('batch')
  for (let turn = 0; turn < 2; turn += 1) {
    assertRefused(await send(payer, true, input, refused), 422, 'batch_too_large')
  }
  const again = await send(payer, true, input, key)
  assert.equal([again.status, again.body], [200, first.body])
  assert.is(again.headers['idempotency-replayed'], 'true')
})

test('8,189 legs in an atomic batch, or what the server takes, and no more', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '200.00')
  const one = { to_wallet_id: to, amount: '0.01' }
  // Fewer only when the server was started for development.
  const legsMax = world.deps.ledger.largestRequest()
  assert.ok([8_189, 250].includes(legsMax), String(legsMax))
  const all = Array.from({ length: legsMax }, () => one)
  const more = await send(payer, true, [...all, one])
  assertRefused(more, 422, 'batch_too_large')
  assert.equal([more.body.legs, more.body.legs_max], [legsMax + 1, legsMax])
  assert.is(await posted(payer, from), '200.00')
  const { body } = await send(payer, true, all)
  assert.equal(body.counts, { done: legsMax, refused: 0 })
  assert.is(await posted(payee, to), (legsMax / 100).toFixed(2))
})

test('what is no batch is refused as a whole', async () => {
  const { payer, to } = await pair(world, bank, '1.00')
  const one = { to_wallet_id: to, amount: '0.01' }
  const wrong: Json[] = [
    { transfers: [one] },
    { atomic: 'yes', transfers: [one] },
    { atomic: false, transfers: [] },
    { atomic: false, transfers: one },
    { atomic: false, transfers: [one, null] },
    { atomic: false, transfers: [one, { ...one, to_username: 'ada' }] },
    { atomic: false, transfers: [one, { amount: '1' }] },
    { atomic: false, transfers: [one, { ...one, amount: { value: 1 } }] },
    { atomic: false, transfers: [one, { ...one, unknown: 1 }] },
    { atomic: false, transfers: Array.from({ length: 10_001 }, () => one) },
  ]
  for (const body of wrong) {
    assertRefused(await payer.post('/v1/transfers/batch', body), 422, 'invalid_request')
  }
  const memo = 'x'.repeat(100)
  const large = Array.from({ length: 9_999 }, () => ({ ...one, memo, from_wallet_id: to }))
  assert.ok(JSON.stringify(large).length < 4 * 1024 * 1024)
  assertRefused(await send(payer, false, large), 422, 'batch_too_large')
  const larger = [...large, { ...one, memo: 'x'.repeat(4 * 1024 * 1024) }]
  assertRefused(await send(payer, false, larger), 413, 'body_too_large')
  const usual = await pay(payer, { ...one, memo: 'x'.repeat(70_000) })
  assertRefused(usual, 413, 'body_too_large')
  for (const client of [bank, await world.operator()]) {
    assertRefused(await send(client, false, [one]), 403, 'role_not_allowed')
  }
  assertRefused(await send(world.client(), false, [one]), 401, 'not_signed_in')
})

test('a key of a payment is free for a batch, and neither is taken for the other', async () => {
  const { payer, from, to } = await pair(world, bank, '10.00')
  for (const atomic of [true, false]) {
    const key = unique('both')
    const input = { to_wallet_id: to, amount: '1' }
    const paid = await must(pay(payer, input, key), 201)
    const batch = await must(send(payer, atomic, [input], key), 200)
    assert.is.not(batch.id, paid.id)
    assert.is.not(batch.results[0].transfer.id, paid.id)
  }
  assert.is(await posted(payer, from), '6.00')
})

test("a key is the caller's own: the same batch of two people is two batches", async () => {
  const [a, b] = await Promise.all([pair(world, bank, '1.00'), pair(world, bank, '1.00')])
  const key = unique('batch')
  const transfers = [{ to_wallet_id: a.to, amount: '1.00' }]
  const replies = await Promise.all([a, b].map(({ payer }) => send(payer, true, transfers, key)))
  assert.equal(
    replies.map(({ status }) => status),
    [200, 200],
  )
  assert.not.equal(replies[0]?.body.id, replies[1]?.body.id)
  const stolen = await send(b.payer, false, [{ ...transfers[0], from_wallet_id: a.from }])
  assert.equal(codes(stolen.body), ['wallet_not_found'])
  assert.is(await posted(a.payee, a.to), '2.00')
})

test.run()
