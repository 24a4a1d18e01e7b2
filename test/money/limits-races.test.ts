/** Limits where something comes in between, at exact places: see test/lib/disturb.ts. */
import { checkBooks } from '../lib/books.ts'
import { type Disturbance, disturb } from '../lib/disturb.ts'
import { type Client, sameSession } from '../lib/http.ts'
import { left, limitedPair, setLimit } from '../lib/limits.ts'
import { assertRefused, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('limits, races')

let world: World
let bank: Client
let operator: Client
let disturbance: Disturbance
let url: string

test.before(async () => {
  world = await createWorld()
  ;[bank, operator] = await Promise.all([world.paymentSystem(), world.operator()])
  disturbance = disturb()
  url = (await world.startAnother({ adapt: disturbance.adapt })).url
})
test.before.each(() => disturbance.reset())
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

/** A payer with 100.00 who may spend this much a day, at the disturbed Kassa. */
async function limited(amount: string) {
  const parties = await limitedPair({ world, bank, operator }, amount)
  const { payer, to } = parties
  const there = sameSession(payer, world.client(url))
  const send = (amount: string, key?: string) => pay(there, { to_wallet_id: to, amount }, key)
  return { ...parties, there, send }
}

const there = () => sameSession(operator, world.client(url))

test('two limits set from the same state: the ids collide, the later version wins', async () => {
  const { payer, to, userId } = await limited('10.00')
  disturbance.before(1, () => setLimit(operator, userId, '30.00'))
  const set = await setLimit(there(), userId, '20.00')
  // The disturbed one has the older row: it finds the newer one in force.
  assert.is(set.limit, '20.00')
  assert.is(await left(payer), '30.00')
  const over = await pay(payer, { to_wallet_id: to, amount: '30.01' })
  assertRefused(over, 422, 'limit_exceeded')
  await must(pay(payer, { to_wallet_id: to, amount: '30.00' }), 201)
})

test('a limit is lowered right before a payment by the old one: the ledger has the new one', async () => {
  const { send, payer, userId } = await limited('10.00')
  await must(send('1.00'), 201)
  disturbance.before(1, () => setLimit(operator, userId, '5.00'))
  const over = await send('4.01')
  assertRefused(over, 422, 'limit_exceeded')
  assert.equal([over.body.limit, over.body.left], ['5.00', '4.00'])
  assert.is(await left(payer), '4.00')
})

test('the answer to a payment is lost: by key it is a replay, and used once', async () => {
  const { send, payer, from } = await limited('10.00')
  const key = unique('lost')
  disturbance.loseAnswerOf(1)
  assertRefused(await send('6.00', key), 503, 'outcome_unknown')
  const again = await send('6.00', key)
  assert.is(again.status, 201)
  assert.is(again.headers['idempotency-replayed'], 'true')
  assert.equal([await posted(payer, from), await left(payer)], ['94.00', '4.00'])
})

test('a decline by the limit is cut off before it is final: the same key stays declined, though it would fit by now', async () => {
  const { send, payer, from, userId } = await limited('10.00')
  const key = unique('cut off')
  // The second submission would burn the id of the payment.
  disturbance.failAt(2)
  assertRefused(await send('11.00', key), 503, 'outcome_unknown')
  disturbance.reset()
  await setLimit(operator, userId, '20.00')
  const again = await send('11.00', key)
  assertRefused(again, 422, 'declined')
  assertRefused(await send('11.00', key), 422, 'declined')
  assert.equal([await posted(payer, from), await left(payer)], ['100.00', '20.00'])
})

test('a hold is given back twice at once: its part of the limit is back once', async () => {
  const { payer, payee, to } = await limited('10.00')
  const hold = await must(payer.post('/v1/holds', { to_wallet_id: to, amount: '6.00' }), 201)
  const path = `/v1/holds/${hold.id}/void`
  const payeeThere = sameSession(payee, world.client(url))
  await must(payeeThere.get('/v1/session'), 200)
  disturbance.before(1, () => must(payee.send('POST', path), 200))
  assert.is((await must(payeeThere.send('POST', path), 200)).state, 'voided')
  assert.is(await left(payer), '10.00')
})

test('a withdrawal is taken right before it is cancelled: it is taken, and its part of the limit stays used', async () => {
  const { payer, there: client, from } = await limited('10.00')
  const { id: bankId } = (await must(bank.get('/v1/session'), 200)).user
  const input = { wallet_id: from, amount: '6.00', payment_system: bankId, destination: 'DE89' }
  const { id } = await must(payer.post('/v1/withdrawals', input), 201)
  await must(client.get('/v1/session'), 200)
  disturbance.before(1, () => must(bank.post(`/v1/withdrawals/${id}/take`, {}), 200))
  const cancelled = await client.post(`/v1/withdrawals/${id}/cancel`, {})
  assertRefused(cancelled, 409, 'withdrawal_taken')
  assert.is(await left(payer), '4.00')
})

test.run()
