/**
 * Fees against what happens at the same moment, and what refunds give back of them. Each race's name
 * tells who wins and by what.
 */
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { toLedgerId } from '../../accounting/ids.ts'
import { checkBooks } from '../lib/books.ts'
import { type Disturbance, disturb } from '../lib/disturb.ts'
import { enableCurrency, readFeeIncome, setFee } from '../lib/fees.ts'
import { type Client, type Json, type Reply, sameSession } from '../lib/http.ts'
import { assertRefused, fund, pair, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('fees, refunds and races')

/** Each test has a currency of its own, in which nobody else's fees come in. */
const currencies = ['SEK', 'NOK', 'DKK', 'PLN', 'CZK', 'RON', 'BGN', 'TRY', 'MXN', 'ZAR']

let world: World
let bank: Client
let operator: Client
let currency: string
let disturbance: Disturbance
let otherUrl: string

test.before(async () => {
  world = await createWorld()
  disturbance = disturb()
  const other = await world.startAnother({ adapt: disturbance.adapt })
  otherUrl = other.url
  ;[bank, operator] = await Promise.all([world.paymentSystem(), world.operator()])
})
test.before.each(async () => {
  disturbance.reset()
  currency = currencies.shift() ?? 'no currency is left'
  await enableCurrency(world, currency)
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const fee = (operation: string, schedule: Json = {}) =>
  setFee(operator, operation, { currency, ...schedule })

/** A client's session at the Kassa that is disturbed. */
const disturbed = (client: Client) => sameSession(client, world.client(otherUrl))

function refund(client: Client, { id }: Json, amount?: string, key?: string): Promise<Reply> {
  const headers = key === undefined ? {} : { headers: { 'idempotency-key': key } }
  return client.post(`/v1/transfers/${id}/refunds`, amount === undefined ? {} : { amount }, headers)
}

test('a refund gives the same part of the fee back to the sender who bore it', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '110', currency)
  await fee('payment', { fixed: '1', refund: 'proportional' })
  const paid = await must(pay(payer, { to_wallet_id: to, amount: '90', currency }), 201)
  // What holds by then has no say.
  await fee('payment', { fixed: '7' })
  const key = unique('third')
  const third = await must(refund(payee, paid, '30', key), 201)
  assert.equal([third.amount, third.fee_refunded], ['30.00', '0.33'])
  const again = await refund(payee, paid, '30', key)
  assert.equal([again.headers['idempotency-replayed'], again.body], ['true', third])
  assert.equal(await must(payer.get(`/v1/refunds/${third.id}`), 200), third)
  assert.equal((await must(payer.get(`/v1/transfers/${paid.id}/refunds`), 200)).data, [third])
  assert.is((await must(refund(payee, paid, '0.01'), 201)).fee_refunded, undefined)
  const rest = await must(refund(payee, paid), 201)
  assert.equal([rest.amount, rest.fee_refunded], ['59.99', '0.66'])
  assert.equal([await posted(payer, from), await posted(payee, to)], ['109.99', '0.00'])
  assert.is(await readFeeIncome(world, currency), '0.01')
  const [back] = (await must(payer.get(`/v1/wallets/${from}/transactions?kind=fee_refund`), 200))
    .data
  assert.equal([back.amount, back.direction, back.fee_of], ['0.66', 'in', rest.id])
  assert.is(back.counterparty.name, 'Kassa')
})

test('a payee who bore the fee and has only what arrived can give all back', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '100', currency)
  const recipient = { borne_by: 'recipient', refund: 'proportional' }
  await fee('payment', { basis_points: 290, fixed: '0.30', ...recipient })
  await fee('capture', { fixed: '2', ...recipient })
  const paid = await must(pay(payer, { to_wallet_id: to, amount: '50', currency }), 201)
  assert.is(paid.arrived, '48.25')
  // More than was paid is the ledger's to decline, and the fee that came first has not gone back.
  const tooLarge = await refund(payee, paid, '50.01')
  assertRefused(tooLarge, 422, 'refund_too_large')
  await fee('payment')
  await must(pay(payee, { to_wallet_id: from, amount: '0.25', currency }), 201)
  const poor = await refund(payee, paid)
  assertRefused(poor, 422, 'insufficient_funds')
  assert.equal([poor.body.available, poor.body.required], ['48.00', '48.25'])
  await fund(bank, to, '0.25', currency)
  assert.is((await must(refund(payee, paid), 201)).fee_refunded, '1.75')
  const hold = await must(
    payer.post('/v1/holds', { to_wallet_id: to, amount: '10', currency }),
    201,
  )
  const captured = await must(payee.post(`/v1/holds/${hold.id}/capture`, {}), 201)
  assert.is(captured.fee.amount, '2.00')
  for (const amount of ['2.50', '7.50']) await must(refund(payee, captured, amount), 201)
  assert.equal([await posted(payer, from), await posted(payee, to)], ['100.25', '0.00'])
  assert.is(await readFeeIncome(world, currency), '0.00')
})

test('a schedule without refunds keeps its fee, and a frozen wallet is told as whose it is', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '100', currency)
  const input = { to_wallet_id: to, amount: '10', currency }
  await fee('payment', { fixed: '1', borne_by: 'recipient' })
  const kept = await must(pay(payer, input), 201)
  await fee('payment', { fixed: '1', borne_by: 'recipient', refund: 'proportional' })
  const given = await must(pay(payer, input), 201)
  assert.is((await must(refund(payee, kept), 201)).fee_refunded, undefined)
  assert.is(await readFeeIncome(world, currency), '2.00')
  for (const [walletId, code] of [
    [to, 'wallet_closed'],
    [from, 'recipient_closed'],
  ] as const) {
    const path = `/v1/wallets/${walletId}`
    await must(operator.post(`${path}/freeze`, { reason: 'a test' }), 200)
    const key = unique('frozen')
    assertRefused(await refund(operator, given, '1', key), 422, code)
    await must(operator.post(`${path}/thaw`, { reason: 'a test' }), 200)
    assertRefused(await refund(operator, given, '1', key), 422, code)
  }
  assert.is(await readFeeIncome(world, currency), '2.00')
})

test('of fifty refunds of a tenth at once ten are given, and never more of the fee than it was', async () => {
  for (const borne_by of ['sender', 'recipient']) {
    const before = Number(await readFeeIncome(world, currency))
    const { payer, payee, to } = await pair(world, bank, '1000', currency)
    await fund(bank, to, '1000', currency)
    await fee('payment', { fixed: '0.99', borne_by, refund: 'proportional' })
    const paid = await must(pay(payer, { to_wallet_id: to, amount: '100', currency }), 201)
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        refund(index % 2 === 0 ? payee : operator, paid, '10'),
      ),
    )
    const given = replies.filter(({ status }) => status === 201)
    assert.is(given.length, 10)
    assert.ok(given.every(({ body }) => body.fee_refunded === '0.09'))
    assert.ok(
      replies.every(({ status, body }) => status === 201 || body.code === 'refund_too_large'),
    )
    assert.is((Number(await readFeeIncome(world, currency)) - before).toFixed(2), '0.09')
  }
})

test('a payment against another that takes what is for its fee: declined, and nothing of it is left', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '10', currency)
  await fee('payment', { fixed: '1' })
  const key = unique('drained')
  const input = { to_wallet_id: to, amount: '5', currency }
  disturbance.before(1, () => must(pay(payer, { ...input, amount: '4' }), 201))
  const late = await pay(disturbed(payer), input, key)
  assertRefused(late, 422, 'insufficient_funds')
  assert.equal([late.body.available, late.body.required], ['5.00', '6.00'])
  await fund(bank, from, '10', currency)
  // The principal leg alone would have gone through: its id is burnt all the same.
  await fee('payment')
  assertRefused(await pay(payer, input, key), 422, 'insufficient_funds')
  assert.equal([await posted(payer, from), await posted(payee, to)], ['15.00', '4.00'])
  assert.is(await readFeeIncome(world, currency), '1.00')
})

test('a decline that is cut off before its id is burnt: the same key may still pay, at the fee of then', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '5', currency)
  await fee('payment', { fixed: '1' })
  const key = unique('cut off')
  const input = { to_wallet_id: to, amount: '5', currency }
  disturbance.failAt(2)
  assertRefused(await pay(disturbed(payer), input, key), 503, 'outcome_unknown')
  await fee('payment')
  const paid = await must(pay(payer, input, key), 201)
  assert.is(paid.fee, undefined)
  await fee('payment', { fixed: '1' })
  const replay = await pay(payer, input, key)
  assert.equal([replay.headers['idempotency-replayed'], replay.body], ['true', paid])
  assert.equal([await posted(payer, from), await posted(payee, to)], ['0.00', '5.00'])
})

test('a payment whose answer was lost is told with the fee it has had, whatever holds by then', async () => {
  const { payer, from, to } = await pair(world, bank, '10', currency)
  await fee('payment', { fixed: '1' })
  const key = unique('lost')
  const input = { to_wallet_id: to, amount: '5', currency }
  disturbance.loseAnswerOf(1)
  assertRefused(await pay(disturbed(payer), input, key), 503, 'outcome_unknown')
  await fee('payment', { fixed: '3' })
  assert.is((await must(pay(payer, input, key), 201)).fee.amount, '1.00')
  assert.is(await posted(payer, from), '4.00')
})

test('schedules that change in the middle of a load: each fee is that of its own number', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '1000', currency)
  const there = disturbed(payer)
  const price = new Map<bigint, bigint>()
  const change = async (minor: number) => {
    const schedule = await fee('payment', { fixed: (minor / 100).toFixed(2) })
    price.set(BigInt(schedule.number), BigInt(minor))
  }
  await change(1)
  const changing = (async () => {
    for (let minor = 2; minor <= 8; minor += 1) await change(minor)
  })()
  const paid: Json[] = []
  let isOver = false
  changing.finally(() => {
    isOver = true
  })
  const lane = async (client: Client) => {
    for (let count = 0; count < 100 && !(isOver && count >= 5); count += 1) {
      const key = unique('load')
      const copies = [client, payer].map((each) =>
        must(pay(each, { to_wallet_id: to, amount: '1', currency }, key), 201),
      )
      const [one, two] = await Promise.all(copies)
      assert.equal(one, two)
      paid.push(one)
    }
  }
  await Promise.all([lane(payer), lane(there), lane(payer), lane(there)])
  await changing
  let fees = 0n
  for (const { id, fee: told } of paid) {
    const [leg] = (await trailOf(id)).filter(({ code }) => code === TransferCode.fee)
    assert.is(price.get(leg!.user_data_64), leg!.amount)
    assert.is(BigInt(told.amount.replace('.', '')), leg!.amount)
    fees += leg!.amount
  }
  assert.ok(new Set(paid.map((each) => each.fee.amount)).size > 1)
  const spent = BigInt(paid.length) * 100n
  assert.is(BigInt((await posted(payer, from)).replace('.', '')), 100_000n - spent - fees)
  assert.is(BigInt((await posted(payee, to)).replace('.', '')), spent)
  assert.is(BigInt((await readFeeIncome(world, currency)).replace('.', '')), fees)
})

/** All transfers of an operation. */
function trailOf(operationId: string) {
  return world.deps.ledger.queryTransfers({
    user_data_128: toLedgerId(operationId),
    user_data_64: 0n,
    user_data_32: 0,
    ledger: assetOf(currency).ledger,
    code: 0,
    timestamp_min: 0n,
    timestamp_max: 0n,
    limit: 10,
    flags: 0,
  })
}

test.run()
