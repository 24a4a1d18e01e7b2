/**
 * Refunds against what happens at the same moment. Each test's name tells who wins and by what: the
 * interleaving is made by hand, with something that is carried out just before the ledger is given a
 * refund's chain.
 */
import { AccountCode, TransferCode } from '../../accounting/chart.ts'
import { type Ledger, LedgerOutcomeUnknown } from '../../accounting/client.ts'
import { checkBooks } from '../lib/books.ts'
import { type Client, type Json, type Reply, sameSession } from '../lib/http.ts'
import { addPaymentSystem, assertRefused, fund, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('refunds, races')

let world: World
let bank: Client
let operator: Client
let ada: Person
let shop: Person
/** The shop at a Kassa whose ledger can be disturbed. */
let disturbed: Client
/** Carried out once, before the disturbed Kassa submits a refund's chain. */
let beforeRefund: (() => Promise<unknown>) | undefined
/** Whether the disturbed Kassa hears nothing of what becomes of that chain. */
let losesAnswer = false

test.before(async () => {
  world = await createWorld()
  const other = await world.startAnother({
    adapt: (deps) => ({ ...deps, ledger: disturb(deps.ledger) }),
  })
  ;[bank, operator] = await Promise.all([addPaymentSystem(world), world.operator()])
  ada = await world.signUp()
  await fund(bank, ada.walletId, '100000.00')
  disturbed = world.client(other.url)
})
test.before.each(async () => {
  beforeRefund = undefined
  losesAnswer = false
  shop = await world.signUp()
  sameSession(shop.client, disturbed)
})
test.after(async () => {
  const accounts = await checkBooks(world.deps.ledger)
  for (const { code, debits_posted, credits_posted } of accounts) {
    if (code === AccountCode.returnable) assert.ok(debits_posted <= credits_posted)
  }
  await world.stop()
})

function disturb(ledger: Ledger): Ledger {
  const changes: Partial<Ledger> = {
    async createTransfers(batch) {
      if (!batch.some(({ code }) => code === TransferCode.refund)) {
        return ledger.createTransfers(batch)
      }
      const before = beforeRefund
      beforeRefund = undefined
      await before?.()
      const results = await ledger.createTransfers(batch)
      if (losesAnswer) throw new LedgerOutcomeUnknown('the answer was lost')
      return results
    },
  }
  return Object.assign(Object.create(ledger), changes)
}

async function paid(amount: string): Promise<Json> {
  return must(pay(ada.client, { to_wallet_id: shop.walletId, amount }), 201)
}

interface RefundOptions {
  key?: string
  by?: Client
}

function refund({ id }: Json, input: Json = {}, { key, by = shop.client }: RefundOptions = {}) {
  const headers = key === undefined ? undefined : { headers: { 'idempotency-key': key } }
  return by.post(`/v1/transfers/${id}/refunds`, input, headers)
}

async function refundable({ id }: Json): Promise<string> {
  return (await must(shop.client.get(`/v1/transfers/${id}/refunds`), 200)).refundable
}

const funds = () => posted(shop.client, shop.walletId)

const told = ({ status, body }: Reply) => (status === 201 ? body.amount : body.code)

const count = (replies: readonly Reply[], answer: string) =>
  replies.filter((reply) => told(reply) === answer).length

test('of fifty refunds of a tenth at once, by the payee and an operator, ten are given', async () => {
  const payment = await paid('100.00')
  await fund(bank, shop.walletId, '1000.00')
  const replies = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      refund(payment, { amount: '10.00' }, { by: index % 2 === 0 ? shop.client : operator }),
    ),
  )
  assert.equal([count(replies, '10.00'), count(replies, 'refund_too_large')], [10, 40])
  assert.equal([await refundable(payment), await funds()], ['0.00', '1000.00'])
})

test('of fifty refunds of what is left at once one is given', async () => {
  const payment = await paid('100.00')
  await fund(bank, shop.walletId, '1000.00')
  const replies = await Promise.all(Array.from({ length: 50 }, () => refund(payment)))
  assert.equal([count(replies, '100.00'), count(replies, 'refund_too_large')], [1, 49])
  assert.is(await funds(), '1000.00')
})

test('twenty copies of a refund of what is left are one, and all are told so', async () => {
  for (let round = 0; round < 3; round += 1) {
    const payment = await paid('10.00')
    const key = unique('copies')
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => refund(payment, {}, { key })),
    )
    assert.is(count(replies, '10.00'), 20)
    assert.is(new Set(replies.map(({ body }) => body.id)).size, 1)
    const replayed = replies.filter(({ headers }) => headers['idempotency-replayed'] === 'true')
    assert.is(replayed.length, 19)
  }
})

test('refund against refund for the last cent: the one that uses it up first wins', async () => {
  const payment = await paid('10.00')
  await fund(bank, shop.walletId, '50.00')
  await must(refund(payment, { amount: '9.99' }), 201)
  const key = unique('late')
  beforeRefund = () => must(refund(payment), 201)
  const late = await refund(payment, { amount: '0.01' }, { key, by: disturbed })
  assertRefused(late, 422, 'refund_too_large')
  assert.is(late.body.refundable, '0.00')
  const again = await refund(payment, { amount: '0.01' }, { key })
  assertRefused(again, 422, 'refund_too_large')
  assert.is(again.headers['idempotency-replayed'], 'true')
})

test('all that was left a moment ago is too large when a part of it has gone since', async () => {
  const payment = await paid('10.00')
  await fund(bank, shop.walletId, '50.00')
  beforeRefund = () => must(refund(payment, { amount: '1.00' }), 201)
  const late = await refund(payment, {}, { by: disturbed })
  assertRefused(late, 422, 'refund_too_large')
  assert.is(late.body.refundable, '9.00')
  await must(refund(payment), 201)
})

test('refund against the payee spending the money: spent first, nothing is used up', async () => {
  const payment = await paid('10.00')
  beforeRefund = () => must(pay(shop.client, { to_wallet_id: ada.walletId, amount: '5' }), 201)
  const late = await refund(payment, {}, { by: disturbed })
  assertRefused(late, 422, 'insufficient_funds')
  assert.equal([late.body.available, late.body.required], ['5.00', '10.00'])
  assert.equal([await refundable(payment), await funds()], ['10.00', '5.00'])
  await must(refund(payment, { amount: '5.00' }), 201)
})

test('refunds and payments for the same money at once: the wallet never owes', async () => {
  const payment = await paid('10.00')
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      index % 2 === 0
        ? refund(payment, { amount: '1.00' })
        : pay(shop.client, { to_wallet_id: ada.walletId, amount: '1.00' }),
    ),
  )
  assert.equal([count(replies, '1.00'), count(replies, 'insufficient_funds')], [10, 30])
  assert.is(await funds(), '0.00')
})

/** Freezes a wallet; answers how to thaw it. */
async function freeze({ walletId }: Person): Promise<() => Promise<Json>> {
  const path = `/v1/wallets/${walletId}`
  await must(operator.post(`${path}/freeze`, { reason: 'race' }), 200)
  return () => must(operator.post(`${path}/thaw`, { reason: 'race' }), 200)
}

test('refund against freezing one of the two wallets: frozen first, the refund is refused', async () => {
  for (const [frozen, code] of [
    [() => ada, 'recipient_closed'],
    [() => shop, 'wallet_closed'],
  ] as const) {
    const payment = await paid('10.00')
    const key = unique('frozen')
    let thaw: (() => Promise<Json>) | undefined
    beforeRefund = async () => {
      thaw = await freeze(frozen())
    }
    assertRefused(await refund(payment, {}, { key, by: disturbed }), 422, code)
    assertRefused(await refund(payment, {}, { by: operator }), 422, code)
    await thaw?.()
    const again = await refund(payment, {}, { key })
    assertRefused(again, 422, code)
    assert.is(again.headers['idempotency-replayed'], 'true')
    assert.is((await must(refund(payment), 201)).amount, '10.00')
  }
})

test('a refund whose answer was lost is in doubt, and its key tells the truth', async () => {
  const payment = await paid('10.00')
  const key = unique('lost')
  losesAnswer = true
  const doubt = await refund(payment, {}, { key, by: disturbed })
  assertRefused(doubt, 503, 'outcome_unknown')
  const thaw = await freeze(shop)
  const truth = await refund(payment, {}, { key })
  assert.equal([told(truth), truth.body.id], ['10.00', doubt.body.operation_id])
  assert.is(truth.headers['idempotency-replayed'], 'true')
  await thaw()
})

test.run()
