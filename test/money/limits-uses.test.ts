/** What uses the limits of customers besides payments, and what is given back of it. */

import { recover } from '../../server/flows/recovery.ts'
import type { Kassa } from '../../server/main.ts'
import { checkBooks } from '../lib/books.ts'
import { type Client, type Json, sameSession } from '../lib/http.ts'
import { assertOver, left, limitedPair, setLimit } from '../lib/limits.ts'
import { fund, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('limits, uses')

let world: World
let other: Kassa
let bank: Client
let bankId: string
let operator: Client
/** How often the other Kassa has looked which limit is in force. */
let looks = 0

function countLooks(deps: World['deps']): World['deps'] {
  const { ledger } = deps
  const changes: Partial<World['deps']['ledger']> = {
    queryTransfers(filter) {
      if (filter.limit === 1) looks += 1
      return ledger.queryTransfers(filter)
    },
  }
  return { ...deps, ledger: Object.assign(Object.create(ledger), changes) }
}

test.before(async () => {
  world = await createWorld()
  other = await world.startAnother({ adapt: countLooks })
  ;[bank, operator] = await Promise.all([world.paymentSystem(), world.operator()])
  bankId = (await must(bank.get('/v1/session'), 200)).user.id
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const limited = (amount: string | null) => limitedPair({ world, bank, operator }, amount)

test('a hold counts when it is authorised, and no more when it is given back or has run out', async () => {
  const { payer, payee, to } = await limited('10.00')
  const place = (amount: string, expires_in = 600) =>
    payer.post('/v1/holds', { to_wallet_id: to, amount, expires_in })
  const whole = await must(place('10.00'), 201)
  assertOver(await place('0.01'), { limit: '10.00', left: '0.00' })
  for (let times = 0; times < 2; times += 1) {
    await must(payee.post(`/v1/holds/${whole.id}/void`, {}), 200)
    assert.is(await left(payer), '10.00')
  }
  const captured = await must(place('4.00'), 201)
  await must(payee.post(`/v1/holds/${captured.id}/capture`, { amount: '1.00', final: false }), 201)
  await must(payee.post(`/v1/holds/${captured.id}/void`, {}), 200)
  assert.is(await left(payer), '6.00')
  const [expiring, partly] = [await must(place('2.00', 1), 201), await must(place('3.00', 2), 201)]
  await must(payee.post(`/v1/holds/${partly.id}/capture`, { amount: '1.00', final: false }), 201)
  await until(async () => {
    const { data } = await must(payer.get('/v1/holds?status=expired'), 200)
    return data.length === 2
  })
  assert.is((await must(payer.get(`/v1/holds/${expiring.id}`), 200)).state, 'expired')
  await until(async () => {
    await recover(world.deps)
    return (await left(payer)) === '3.00'
  })
  await Promise.all([recover(world.deps), recover(other.deps)])
  assert.is(await left(payer), '3.00')
})

test('a withdrawal counts until it is cancelled or has failed', async () => {
  const { payer, from } = await limited('10.00')
  const withdraw = (amount: string) =>
    payer.post('/v1/withdrawals', {
      wallet_id: from,
      amount,
      payment_system: bankId,
      destination: 'DE89 3704 0044 0532 0130 00',
    })
  const [one, two] = [await must(withdraw('6.00'), 201), await must(withdraw('3.00'), 201)]
  assertOver(await withdraw('1.01'), { limit: '10.00', left: '1.00' })
  const step = (client: Client, id: string, name: string, body: Json = {}) =>
    must(client.post(`/v1/withdrawals/${id}/${name}`, body), 200)
  assert.is((await step(payer, one.id, 'cancel')).state, 'cancelled')
  assert.is((await step(payer, one.id, 'cancel')).state, 'cancelled')
  assert.is(await left(payer), '7.00')
  await step(bank, two.id, 'take')
  assert.is((await step(bank, two.id, 'fail', { reason: 'unknown' })).state, 'failed')
  assert.is(await left(payer), '10.00')
  const three = await must(withdraw('10.00'), 201)
  await step(bank, three.id, 'take')
  const confirmed = await step(bank, three.id, 'confirm', { reference: unique('paid') })
  assert.is(confirmed.state, 'confirmed')
  assert.is(await left(payer), '0.00')
})

test('a batch under limits looks once which is in force, also while one was lowered below what is used', async () => {
  const { payer, to, userId, send } = await limited(null)
  const windows = ['day', 'week', 'month']
  const setAll = async (amount: string) => {
    for (const window of windows) await setLimit(operator, userId, amount, { window })
  }
  const there = sameSession(payer, world.client(other.url))
  const transfers = Array.from({ length: 1_000 }, () => ({ to_wallet_id: to, amount: '0.01' }))
  async function sendBatch(): Promise<Json> {
    looks = 0
    const { counts } = await must(
      there.post('/v1/transfers/batch', { atomic: false, transfers }),
      200,
    )
    assert.ok(looks <= 3 * windows.length, `${looks}`)
    return counts
  }
  await setAll('90.00')
  assert.equal(await sendBatch(), { done: 1_000, refused: 0 })
  await must(send('50.00'), 201)
  await setAll('40.00')
  assert.equal(await sendBatch(), { done: 0, refused: 1_000 })
  assert.ok(looks > 0)
})

test('accepting a payment request counts for the one who pays; declined it is as open as before', async () => {
  const username = `payer_${Date.now() % 1e9}`
  const [asked, asking] = [await world.signUp({ username }), await world.signUp()]
  await fund(bank, asked.walletId, '20.00')
  await setLimit(operator, asked.userId, '5.00')
  const ask = async (amount: string) => {
    const input = { from_username: username, to_wallet_id: asking.walletId, amount }
    return (await must(asking.client.post('/v1/payment-requests', input), 201)).id
  }
  const [small, large] = [await ask('4.00'), await ask('2.00')]
  const accept = (id: string) => asked.client.post(`/v1/payment-requests/${id}/accept`, {})
  await must(accept(small), 201)
  assertOver(await accept(large), { limit: '5.00', left: '1.00' })
  await setLimit(operator, asked.userId, '6.00')
  await must(accept(large), 201)
  assert.is((await accept(large)).headers['idempotency-replayed'], 'true')
  assert.is(await left(asked.client), '0.00')
})

test.run()
