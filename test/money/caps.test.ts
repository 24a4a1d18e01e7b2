/** What payment systems may bring in within a time: above it deposits go to suspense. */
import type { Kassa } from '../../server/main.ts'
import { checkBooks } from '../lib/books.ts'
import { type Client, type Json, type Reply, sameSession } from '../lib/http.ts'
import { left, setLimit } from '../lib/limits.ts'
import { addPaymentSystem, assertRefused, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('caps')

let world: World
let other: Kassa
let operator: Client
let ada: Person

test.before(async () => {
  world = await createWorld()
  other = await world.startAnother()
  ;[operator, ada] = await Promise.all([world.operator(), world.signUp()])
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

/** A payment system that may bring in this much a day, and how it tells of a deposit for Ada. */
async function capped(amount: string | null) {
  const bank = await addPaymentSystem(world)
  const id: string = (await must(bank.get('/v1/session'), 200)).user.id
  if (amount !== null) await setLimit(operator, id, amount)
  const tell = (amount: string, input: Json = {}, client = bank): Promise<Reply> => {
    const reference = input.reference ?? unique('deposit')
    const usual = { wallet_id: ada.walletId, amount, currency: 'USD', reference }
    return client.post('/v1/deposits', { ...usual, ...input })
  }
  return { bank, id, tell }
}

const isSuspended = ({ status, body }: Reply) => status === 201 && body.suspense?.state === 'open'
const isCredited = ({ status, body }: Reply) => status === 201 && body.wallet_id === ada.walletId

test('above the cap a deposit goes to suspense, also when the payment system did not want that', async () => {
  const { bank, tell } = await capped('10.00')
  const before = Number(await posted(ada.client, ada.walletId))
  assert.ok(isCredited(await tell('7.00')))
  const above = { reference: unique('above') }
  const first = await tell('3.01', above)
  assert.ok(isSuspended(first), first.text)
  assert.is(first.body.wallet_id, null)
  const again = await tell('3.01', above)
  assert.equal([again.status, again.body], [201, first.body])
  assert.is(again.headers['idempotency-replayed'], 'true')
  assertRefused(await tell('3.00', above), 409, 'reference_reused')
  assert.is(await left(bank), '3.00')
  assert.ok(isSuspended(await tell('10.01', { on_unmatched: 'suspense' })))
  assert.ok(isCredited(await tell('3.00')))
  assert.is(await posted(ada.client, ada.walletId), (before + 10).toFixed(2))
  const found = await must(operator.get(`/v1/suspense/${first.body.id}`), 200)
  const { state, amount, named_wallet, reason } = found
  assert.equal(
    [state, amount, named_wallet, reason],
    ['open', '3.01', ada.walletId, 'limit_exceeded'],
  )
})

test('what an operator assigns from suspense uses no cap; what was told once stays one deposit', async () => {
  const { bank, id, tell } = await capped('0')
  const above = { reference: unique('above') }
  const suspended = await tell('5.00', above)
  assert.ok(isSuspended(suspended))
  await setLimit(operator, id, '100.00')
  const assignment = { wallet_id: ada.walletId, reason: 'They have called' }
  await must(operator.post(`/v1/suspense/${suspended.body.id}/assign`, assignment), 200)
  assert.is(await left(bank), '100.00')
  const again = await tell('5.00', above)
  assert.equal([again.status, again.body.id], [201, suspended.body.id])
  assert.is(again.body.suspense.state, 'assigned')
  assert.is(await left(bank), '100.00')
  assert.ok(isCredited(await tell('100.00')))
})

test('what is refused or goes to suspense for another reason uses nothing', async () => {
  const { bank, tell } = await capped('10.00')
  assertRefused(await tell('5.00', { wallet_id: '1000000000' }), 422, 'wallet_number_mistyped')
  assert.ok(isSuspended(await tell('5.00', { wallet_id: '1000000000', on_unmatched: 'suspense' })))
  const frozen = await world.signUp()
  await must(operator.post(`/v1/wallets/${frozen.walletId}/freeze`, { reason: 'test' }), 200)
  const toFrozen = { wallet_id: frozen.walletId, reference: unique('frozen') }
  assertRefused(await tell('5.00', toFrozen), 422, 'recipient_closed')
  assert.is(await left(bank), '10.00')
  await must(operator.post(`/v1/wallets/${frozen.walletId}/thaw`, { reason: 'test' }), 200)
  assert.is((await tell('5.00', toFrozen)).body.wallet_id, frozen.walletId)
  assert.is(await left(bank), '5.00')
})

test('of fifty deposits at once over two processes as many are credited as fit, and none is lost', async () => {
  const { bank, tell } = await capped('20.00')
  const there = sameSession(bank, world.client(other.url))
  const before = Number(await posted(ada.client, ada.walletId))
  const told = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const input = { reference: unique('race') }
      // Each is told twice, at once.
      return Promise.all([
        tell('1.00', input, index % 2 ? bank : there),
        tell('1.00', input, there),
      ])
    }),
  )
  for (const [one, two] of told) assert.is(one.body.id, two.body.id)
  assert.is(told.filter(([one]) => isCredited(one)).length, 20)
  assert.is(told.filter(([one]) => isSuspended(one)).length, 30)
  assert.is(await posted(ada.client, ada.walletId), (before + 20).toFixed(2))
  assert.is(await left(bank), '0.00')
})

test('all payment systems have a cap when it is set for their kind, each its own', async () => {
  const [one, two] = [await capped(null), await capped(null)]
  const cap = { kind: 'payment_system', currency: 'USD', window: 'day', amount: '4.00' }
  await must(operator.send('PUT', '/v1/limit-defaults', { json: cap }), 200)
  for (const { tell } of [one, two]) {
    assert.ok(isCredited(await tell('4.00')))
    assert.ok(isSuspended(await tell('0.01')))
  }
  await setLimit(operator, one.id, '5.00')
  assert.ok(isCredited(await one.tell('1.00')))
  assert.ok(isSuspended(await two.tell('1.00')))
  const { kind, data } = await must(operator.get(`/v1/users/${two.id}/limits`), 200)
  assert.equal([kind, data[0].source, data[0].used], ['payment_system', 'default', '4.00'])
  await must(operator.send('PUT', '/v1/limit-defaults', { json: { ...cap, amount: null } }), 200)
})

test.run()
