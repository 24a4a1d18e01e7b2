/** What operations cost: schedules, the legs they lead to, and what everybody is told. */
import { randomUUID } from 'node:crypto'
import { findFeeSchedule, insertFeeSchedule } from '../../db/fee-schedules.ts'
import { checkBooks } from '../lib/books.ts'
import { enableCurrency, readFeeIncome, setFee } from '../lib/fees.ts'
import { type Client, isReplay, type Json, sameSession } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pair, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('fees')

/** Each test has a currency of its own, in which nobody else's fees come in. */
const currencies = ['ISK', 'SEK', 'NOK', 'DKK', 'PLN', 'CZK', 'HUF', 'RON', 'BGN', 'TRY', 'MXN']

let world: World
let bank: Client
let operator: Client
let currency: string

test.before(async () => {
  world = await createWorld()
  ;[bank, operator] = await Promise.all([world.paymentSystem(), world.operator()])
})
test.before.each(async () => {
  currency = currencies.shift() ?? 'no currency is left'
  await enableCurrency(world, currency)
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const fee = (operation: string, schedule: Json = {}) =>
  setFee(operator, operation, { currency, ...schedule })

const keyed = (key: string) => ({ headers: { 'idempotency-key': key } })

async function available(client: Client, walletId: string): Promise<string> {
  return (await must(client.get(`/v1/wallets/${walletId}`), 200)).balance.available
}

const history = async (client: Client, walletId: string): Promise<Json[]> =>
  (await must(client.get(`/v1/wallets/${walletId}/transactions`), 200)).data

test('a payment that the sender pays for: the fee comes on top, and a replay keeps it', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '100', currency)
  assert.is(
    (await must(pay(payer, { to_wallet_id: to, amount: '1', currency }), 201)).fee,
    undefined,
  )
  await fee('payment', { fixed: '2', basis_points: 150 })
  const key = unique('fee')
  const input = { to_wallet_id: to, amount: '30', currency, memo: 'ham' }
  const paid = await must(pay(payer, input, key), 201)
  // 1.5 % of 30 crowns are 0.45: Iceland's have no decimals, so it is rounded up to 1.
  assert.equal(paid.fee, { amount: '3', borne_by: 'sender' })
  assert.is(paid.arrived, undefined)
  assert.equal([await posted(payer, from), await posted(payee, to)], ['66', '31'])
  assert.is(await readFeeIncome(world, currency), '3')

  await fee('payment', { fixed: '50' })
  const replay = await pay(payer, input, key)
  assert.equal([isReplay(replay), replay.body], [true, paid])
  for (const client of [payer, payee]) {
    assert.equal(await must(client.get(`/v1/transfers/${paid.id}`), 200), paid)
  }
  assert.is(await posted(payer, from), '66')

  await fee('payment')
  assert.is((await must(pay(payer, input), 201)).fee, undefined)

  const [, taken, payment] = await history(payer, from)
  assert.equal(
    [taken.kind, taken.direction, taken.amount, taken.balance],
    ['fee', 'out', '3', '66'],
  )
  assert.equal([taken.fee_of, taken.memo, taken.counterparty.name], [paid.id, null, 'Kassa'])
  assert.equal([payment.id, payment.memo, payment.balance], [paid.id, 'ham', '69'])
  assert.is.not(taken.id, payment.id)
  assert.equal((await must(payer.get(`/v1/wallets/${from}/transactions?kind=fee`), 200)).data, [
    taken,
  ])
  assertRefused(await payer.get(`/v1/transfers/${taken.id}`), 404, 'transfer_not_found')
})

test('a payment that the recipient pays for: the fee comes out of it, and never more', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '100', currency)
  await fee('payment', { fixed: '2.50', borne_by: 'recipient', max: '3' })
  const paid = await must(pay(payer, { to_wallet_id: to, amount: '10', currency }), 201)
  assert.equal([paid.amount, paid.fee], ['10.00', { amount: '2.50', borne_by: 'recipient' }])
  assert.is(paid.arrived, '7.50')
  assert.equal(await must(payee.get(`/v1/transfers/${paid.id}`), 200), paid)
  const small = await must(pay(payer, { to_wallet_id: to, amount: '1.20', currency }), 201)
  assert.equal([small.fee.amount, small.arrived], ['1.20', '0.00'])
  assert.equal([await posted(payer, from), await posted(payee, to)], ['88.80', '7.50'])
  assert.is(await readFeeIncome(world, currency), '3.70')
})

test('a preview is what the payment does, moves nothing and refuses what that would', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '50', currency)
  const preview = (input: Json) => payer.post('/v1/transfers/preview', input)
  const input = { to_wallet_id: to, amount: '10.01', currency }
  for (const borne_by of ['sender', 'recipient']) {
    await fee('payment', { fixed: '0.30', basis_points: 290, borne_by })
    const told = await must(preview(input), 200)
    assert.equal(told.fee, { amount: '0.60', borne_by })
    const [sent, got] = [await posted(payer, from), await posted(payee, to)]
    const paid = await must(pay(payer, input), 201)
    assert.equal([paid.amount, paid.fee], [told.amount, told.fee])
    const cents = (text: string) => BigInt(text.replace('.', ''))
    assert.is(cents(sent) - cents(await posted(payer, from)), cents(told.total))
    assert.is(cents(await posted(payee, to)) - cents(got), cents(told.arrives))
  }
  await fee('payment')
  assert.equal(await must(preview({ ...input, memo: 'free' }), 200), {
    amount: '10.01',
    total: '10.01',
    arrives: '10.01',
    currency,
  })
  // Whether there is enough money only the payment tells.
  await must(preview({ ...input, amount: '1000000' }), 200)
  for (const [changes, code] of [
    [{ amount: '0' }, 'amount_not_positive'],
    [{ amount: '-1' }, 'amount_not_positive'],
    [{ amount: '0.001' }, 'amount_too_precise'],
    [{ amount: 'NaN' }, 'amount_malformed'],
    [{ amount: '9'.repeat(40) }, 'amount_too_large'],
    [{ to_wallet_id: from }, 'same_wallet'],
    [{ currency: 'USD', from_wallet_id: from }, 'currency_mismatch'],
  ] as const) {
    const [answer, paid] = [
      await preview({ ...input, ...changes }),
      await pay(payer, { ...input, ...changes }),
    ]
    assertRefused(answer, 422, code)
    assert.is(paid.body.code, code)
  }
  assertRefused(await preview({ ...input, from_wallet_id: to }), 404, 'wallet_not_found')
  assertRefused(await bank.post('/v1/transfers/preview', input), 403, 'role_not_allowed')
})

test('money for the amount alone is not enough, and the decline is final', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '10', currency)
  await fee('payment', { fixed: '0.01' })
  const key = unique('poor')
  const input = { to_wallet_id: to, amount: '10', currency }
  const declined = await pay(payer, input, key)
  assertRefused(declined, 422, 'insufficient_funds')
  const { available: there, required, fee: told } = declined.body
  assert.equal([there, required, told], ['10.00', '10.01', '0.01'])
  await fund(bank, from, '5', currency)
  await fee('payment')
  const again = await pay(payer, input, key)
  assertRefused(again, 422, 'insufficient_funds')
  assert.ok(isReplay(again))
  assert.equal([await posted(payer, from), await posted(payee, to)], ['15.00', '0.00'])
  assert.is(await readFeeIncome(world, currency), '0.00')
})

test('accepting a payment request costs what a payment costs, and tells it again', async () => {
  const [asker, giver] = await Promise.all([
    world.signUp({ username: 'asker' }),
    world.signUp({ username: 'giver' }),
  ])
  const [to, from] = [
    (await openWallet(asker.client, currency)).id,
    (await openWallet(giver.client, currency)).id,
  ]
  await fund(bank, from, '10', currency)
  await fee('payment', { fixed: '1' })
  const ask = async (amount: string) => {
    const input = { from_username: 'giver', to_wallet_id: to, amount }
    const { id } = await must(asker.client.post('/v1/payment-requests', input), 201)
    return () => giver.client.post(`/v1/payment-requests/${id}/accept`, {})
  }
  const tooMuch = await (await ask('9.50'))()
  assertRefused(tooMuch, 422, 'insufficient_funds')
  assert.equal([tooMuch.body.required, tooMuch.body.fee], ['10.50', '1.00'])
  const accept = await ask('9')
  const paid = await must(accept(), 201)
  assert.equal(paid.fee, { amount: '1.00', borne_by: 'sender' })
  await fee('payment')
  const again = await accept()
  assert.equal([isReplay(again), again.body], [true, paid])
  assert.equal(await must(asker.client.get(`/v1/transfers/${paid.id}`), 200), paid)
  assert.is(await posted(giver.client, from), '0.00')
  assert.is(await readFeeIncome(world, currency), '1.00')
})

test('a deposit pays its fee out of what came in, before what is owed; suspense pays none', async () => {
  const { payer, from } = await pair(world, bank, '0', currency)
  const told = (input: Json = {}) => ({
    wallet_id: from,
    amount: '20',
    currency,
    reference: unique('paid in'),
    ...input,
  })
  const lost = await must(bank.post('/v1/deposits', told()), 201)
  const { payee, to } = await pair(world, bank, '0', currency)
  await must(pay(payer, { to_wallet_id: to, amount: '20', currency }), 201)
  const reversal = { amount: '20', reason: 'a test', reference: unique('back') }
  await must(bank.post(`/v1/deposits/${lost.id}/reversals`, reversal), 201)
  const owed = async () => (await must(payer.get(`/v1/wallets/${from}`), 200)).balance.owed

  await fee('deposit', { basis_points: 250, borne_by: 'recipient' })
  const input = told({ amount: '10' })
  const booked = await must(bank.post('/v1/deposits', input), 201)
  assert.equal([booked.amount, booked.fee], ['10.00', { amount: '0.25', borne_by: 'recipient' }])
  await fee('deposit', { borne_by: 'recipient' })
  const again = await bank.post('/v1/deposits', input)
  assert.equal([isReplay(again), again.body], [true, booked])
  assert.equal(await must(bank.get(`/v1/deposits/${booked.id}`), 200), booked)
  const listed = (await must(bank.get(`/v1/deposits?currency=${currency}`), 200)).data
  assert.equal(listed[0], booked)
  assert.is(listed.at(-1).fee, undefined)
  assert.equal([await owed(), await posted(payer, from)], ['10.25', '0.00'])
  assert.is(await readFeeIncome(world, currency), '0.25')

  await fee('deposit', { fixed: '1', borne_by: 'recipient' })
  const unmatched = told({ wallet_id: '1000000009', on_unmatched: 'suspense' })
  const suspended = await must(bank.post('/v1/deposits', unmatched), 201)
  assert.is(suspended.fee, undefined)
  const assigned = { wallet_id: to, reason: 'a test' }
  await must(operator.post(`/v1/suspense/${suspended.id}/assign`, assigned), 200)
  assert.is(await posted(payee, to), '40.00')
  const all = await must(bank.post('/v1/deposits', told({ wallet_id: to, amount: '0.40' })), 201)
  assert.equal([all.fee.amount, await posted(payee, to)], ['0.40', '40.00'])
})

test('a withdrawal reserves its fee, which is taken when it is paid and else given back', async () => {
  const { payer, from } = await pair(world, bank, '100', currency)
  const [{ name }] = (await must(operator.get('/v1/payment-systems'), 200)).data
  await fee('withdrawal', { fixed: '1', basis_points: 100 })
  const ask = (amount: string, key?: string) => {
    const input = { wallet_id: from, amount, payment_system: name, destination: 'IBAN' }
    return payer.post('/v1/withdrawals', input, key === undefined ? {} : keyed(key))
  }
  const step = (client: Client, { id }: Json, name: string, body: Json = {}) =>
    must(client.post(`/v1/withdrawals/${id}/${name}`, body), 200)

  const tooMuch = await ask('99.50')
  assertRefused(tooMuch, 422, 'insufficient_funds')
  assert.equal([tooMuch.body.required, tooMuch.body.fee], ['101.50', '2.00'])
  const key = unique('out')
  const asked = await must(ask('50', key), 201)
  assert.equal(asked.fee, { amount: '1.50', borne_by: 'sender' })
  assert.is(await available(payer, from), '48.50')
  assert.is(await readFeeIncome(world, currency), '0.00')
  await fee('withdrawal')
  const again = await ask('50', key)
  assert.equal([isReplay(again), again.body], [true, asked])
  await step(payer, asked, 'cancel')
  assert.is(await available(payer, from), '100.00')

  await fee('withdrawal', { fixed: '1' })
  const failing = await must(ask('50'), 201)
  await step(bank, failing, 'take')
  const failed = await step(bank, failing, 'fail', { reason: 'a test' })
  assert.equal([failed.state, failed.fee.amount], ['failed', '1.00'])
  assert.is(await available(payer, from), '100.00')

  for (const isFrozen of [false, true]) {
    const paid = await must(ask('20'), 201)
    await step(bank, paid, 'take')
    const path = `/v1/wallets/${from}`
    if (isFrozen) await must(operator.post(`${path}/freeze`, { reason: 'a test' }), 200)
    const confirmed = await step(bank, paid, 'confirm', { reference: unique('wire') })
    assert.equal([confirmed.state, confirmed.fee.amount], ['confirmed', '1.00'])
    if (isFrozen) await must(operator.post(`${path}/thaw`, { reason: 'a test' }), 200)
  }
  assert.equal([await posted(payer, from), await available(payer, from)], ['58.00', '58.00'])
  assert.is(await readFeeIncome(world, currency), '2.00')
  const fees = (await history(payer, from)).filter(({ kind }) => kind === 'fee')
  const phases = fees.map(({ phase }) => phase)
  assert.equal(phases.filter((phase) => phase === 'post').length, 2)
  assert.equal(phases.filter((phase) => phase === 'void').length, 2)
  assert.ok(fees.every(({ fee_of }) => typeof fee_of === 'string'))
})

test('each capture of a hold pays its own fee out of what is taken; the hold costs nothing', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '100', currency)
  await fee('payment', { fixed: '9' })
  await fee('capture', { fixed: '0.10', basis_points: 100, borne_by: 'recipient' })
  const input = { to_wallet_id: to, amount: '60', currency }
  const { id } = await must(payer.post('/v1/holds', input), 201)
  assert.is(await available(payer, from), '40.00')
  const capture = (body: Json, key: string) =>
    payee.post(`/v1/holds/${id}/capture`, body, keyed(key))
  const keys = [unique('one'), unique('two')] as const
  const one = await must(capture({ amount: '20', final: false }, keys[0]), 201)
  assert.equal([one.fee, one.hold.held], [{ amount: '0.30', borne_by: 'recipient' }, '40.00'])
  await fee('capture', { fixed: '1', borne_by: 'recipient' })
  const two = await must(capture({}, keys[1]), 201)
  assert.equal([two.fee.amount, two.hold.state], ['1.00', 'captured'])
  await fee('capture', { borne_by: 'recipient' })
  const replay = await capture({ amount: '20', final: false }, keys[0])
  assert.equal([isReplay(replay), replay.body.fee], [true, one.fee])
  const read = await must(payee.get(`/v1/transfers/${one.id}`), 200)
  assert.equal([read.fee, read.arrived, read.hold_id], [one.fee, '19.70', id])
  assert.equal([await posted(payer, from), await posted(payee, to)], ['40.00', '58.70'])
  assert.is(await readFeeIncome(world, currency), '1.30')
  const ofFees = (await history(payee, to)).filter(({ kind }) => kind === 'fee')
  assert.equal(
    ofFees.map(({ fee_of }) => fee_of),
    [two.id, one.id],
  )
})

test('schedules are kept: by number, filtered, each once, and never changed', async () => {
  const input = { operation: 'payment', currency, fixed: '0.30', basis_points: 290 }
  const schedule = { ...input, borne_by: 'sender', refund: 'proportional', min: '0.5', max: '9' }
  const key = unique('schedule')
  const add = (body: Json, key?: string, client = operator) =>
    client.post('/v1/fee-schedules', body, key === undefined ? {} : keyed(key))
  const first = await must(add(schedule, key), 201)
  const { id: _id, number, valid_from, created_at: _created, ...shown } = first
  assert.equal(shown, { ...schedule, min: '0.50', max: '9.00' })
  const again = await add(schedule, key)
  assert.equal([isReplay(again), again.body], [true, first])
  assertRefused(await add({ ...schedule, fixed: '0.31' }, key), 409, 'idempotency_key_reused')
  const second = await must(add({ ...schedule, fixed: '0' }), 201)
  const other = await must(add({ ...schedule, operation: 'withdrawal', refund: 'none' }), 201)
  const later = await must(add({ ...schedule, valid_from: '2199-01-01T00:00:00Z' }), 201)
  assert.ok(number < second.number && second.number < later.number)
  assert.ok(Date.parse(valid_from) <= Date.now())
  const list = async (query: string) =>
    (await must(operator.get(`/v1/fee-schedules?currency=${currency}${query}`), 200)).data
  assert.equal(await list(''), [later, other, second, first])
  assert.equal(await list('&operation=payment'), [later, second, first])
  assert.equal(await list('&in_force=true'), [other, second])
  const page = await must(operator.get(`/v1/fee-schedules?currency=${currency}&limit=3`), 200)
  assert.equal(await list(`&limit=3&cursor=${page.next_cursor}`), [first])

  for (const [changes, pointer] of [
    [{ valid_from: '2020-01-01T00:00:00Z' }, '/valid_from'],
    [{ valid_from: 'tomorrow' }, '/valid_from'],
    [{ basis_points: 10_001 }, '/basis_points'],
    [{ basis_points: -1 }, '/basis_points'],
    [{ basis_points: 0.5 }, '/basis_points'],
    [{ fixed: '-0.01' }, '/fixed'],
    [{ fixed: 'NaN' }, '/fixed'],
    [{ fixed: '0.001' }, '/fixed'],
    [{ fixed: '9'.repeat(45) }, '/fixed'],
    [{ min: '10' }, '/min'],
    [{ max: '-1' }, '/max'],
    [{ operation: 'deposit', refund: 'none' }, '/borne_by'],
    [{ operation: 'capture' }, '/borne_by'],
    [{ operation: 'withdrawal', refund: 'none', borne_by: 'recipient' }, '/borne_by'],
    [{ operation: 'exchange' }, '/refund'],
    [{ operation: 'refund' }, '/operation'],
    [{ refund: 'all' }, '/refund'],
  ] as const) {
    const reply = await add({ ...schedule, ...changes })
    assert.is(reply.status, 422, JSON.stringify(changes))
    assert.equal(
      reply.body.errors.map((error: Json) => error.pointer),
      [pointer],
    )
  }
  assertRefused(await add({ ...schedule, currency: 'XXX' }), 422, 'currency_not_supported')
  const [customer] = [await world.signUp()]
  for (const client of [customer.client, bank]) {
    assertRefused(await add(schedule, undefined, client), 403, 'role_not_allowed')
    assertRefused(await client.get('/v1/fee-schedules'), 403, 'role_not_allowed')
  }
  const { db } = world.deps
  await assert.rejects(db.deleteFrom('fee_schedules').execute())

  const waiting = await findFeeSchedule(db, { number: BigInt(later.number) })
  for (let count = 1; count < 100; count += 1) {
    await insertFeeSchedule(db, { ...waiting!, id: randomUUID() })
  }
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
  const more = await add({ ...schedule, valid_from: tomorrow })
  assertRefused(more, 409, 'fee_schedule_limit_reached')
  await must(add({ ...schedule, operation: 'capture', borne_by: 'recipient' }), 201)
})

test('a schedule holds in another process within a second, one with a time from then on', async () => {
  let nowMs = Date.now()
  const other = await world.startAnother({ nowMs: () => nowMs })
  const { payer, to } = await pair(world, bank, '100', currency)
  const there = sameSession(payer, world.client(other.url))
  const cost = async () => {
    const input = { to_wallet_id: to, amount: '1', currency }
    return (await must(there.post('/v1/transfers/preview', input), 200)).fee?.amount
  }
  assert.is(await cost(), undefined)
  const setAt = performance.now()
  await fee('payment', { fixed: '0.10' })
  nowMs = Date.now()
  await until(async () => (await cost()) === '0.10')
  assert.ok(performance.now() - setAt < 5_000)
  const inAnHour = new Date(nowMs + 3_600_000)
  await fee('payment', { fixed: '0.20', valid_from: inAnHour.toISOString() })
  await until(
    async () =>
      (await other.deps.settings.read()).feeSchedules.get(`payment ${currency}`)?.length === 2,
  )
  assert.is(await cost(), '0.10')
  nowMs = inAnHour.getTime()
  assert.is(await cost(), '0.20')
})

test.run()
