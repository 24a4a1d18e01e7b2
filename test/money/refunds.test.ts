import { AccountCode, assetOf, TransferCode } from '../../accounting/chart.ts'
import { computeUuid, hashInput } from '../../accounting/ids.ts'
import { submitAttempts } from '../../accounting/transfers.ts'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json, Reply } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('refunds')

let world: World
let bank: Client
let operator: Client
let ada: Person
let shop: Person
let stranger: Person

test.before(async () => {
  world = await createWorld()
  ;[bank, operator] = await Promise.all([world.paymentSystem(), world.operator()])
  ;[ada, shop, stranger] = await Promise.all([
    world.signUp({ username: 'ada' }),
    world.signUp({ username: 'shop' }),
    world.signUp(),
  ])
  await fund(bank, ada.walletId, '100000.00')
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const keyed = (key?: string) => (key ? { headers: { 'idempotency-key': key } } : undefined)

async function paid(amount: string, memo?: string): Promise<Json> {
  return must(pay(ada.client, { to_wallet_id: shop.walletId, amount, memo }), 201)
}

async function captured(amount: string, memo?: string): Promise<Json> {
  const input = { to_wallet_id: shop.walletId, amount: '50.00', memo }
  const hold = await must(ada.client.post('/v1/holds', input), 201)
  const part = { amount, final: false }
  return must(shop.client.post(`/v1/holds/${hold.id}/capture`, part), 201)
}

const refundsPath = ({ id }: Json) => `/v1/transfers/${id}/refunds`

function refund(payment: Json, input: Json = {}, key?: string, by = shop.client): Promise<Reply> {
  return by.post(refundsPath(payment), input, keyed(key))
}

async function refundable(payment: Json): Promise<string> {
  return (await must(shop.client.get(refundsPath(payment)), 200)).refundable
}

const balances = () =>
  Promise.all(
    [ada, shop].map(async ({ client, walletId }) => Number(await posted(client, walletId))),
  )

test('a part goes back, and the payment tells how much', async () => {
  const payment = await paid('10.00', 'lamp')
  const [payer = 0, payee = 0] = await balances()
  const given = await must(refund(payment, { amount: '3', reason: 'scratched' }), 201)
  assert.equal(
    [given.amount, given.currency, given.reason, given.transfer_id],
    ['3.00', 'USD', 'scratched', payment.id],
  )
  assert.equal([given.from_wallet_id, given.to_wallet_id], [shop.walletId, ada.walletId])
  assert.equal(await balances(), [payer + 3, payee - 3])
  assert.is(await refundable(payment), '7.00')
  for (const { client } of [ada, shop]) {
    const told = await must(client.get(`/v1/transfers/${payment.id}`), 200)
    assert.equal(told, { ...payment, refunded: '3.00' })
    assert.equal(await must(client.get(`/v1/refunds/${given.id}`), 200), given)
  }
})

test('without an amount all that is left goes back, and then nothing is left', async () => {
  const payment = await paid('10.00')
  await must(refund(payment, { amount: '0.01' }), 201)
  const key = unique('rest')
  assert.is((await must(refund(payment, {}, key), 201)).amount, '9.99')
  const replay = await refund(payment, {}, key)
  assert.equal([replay.status, replay.body.amount], [201, '9.99'])
  assert.is(replay.headers['idempotency-replayed'], 'true')
  assert.is(await refundable(payment), '0.00')
  for (const input of [{}, { amount: '0.01' }]) {
    const reply = await refund(payment, input)
    assertRefused(reply, 422, 'refund_too_large')
    assert.equal([reply.body.refundable, reply.body.currency], ['0.00', 'USD'])
  }
})

test('more than what is left is refused, also when the wallet has not so much anyway', async () => {
  const payment = await paid('10.00')
  await must(refund(payment, { amount: '4.00' }), 201)
  for (const amount of ['6.01', '99999999.00', String(2n ** 127n / 100n)]) {
    const reply = await refund(payment, { amount })
    assertRefused(reply, 422, 'refund_too_large', amount)
    assert.is(reply.body.refundable, '6.00')
  }
  await must(refund(payment, { amount: '6.00' }), 201)
})

test('amounts are read as everywhere', async () => {
  const payment = await paid('1.00')
  for (const [amount, code] of [
    ['0', 'amount_not_positive'],
    ['-1', 'amount_not_positive'],
    ['0.001', 'amount_too_precise'],
    ['1e0', 'amount_malformed'],
    ['NaN', 'amount_malformed'],
    ['9'.repeat(40), 'amount_too_large'],
    [null, 'invalid_request'],
  ] as const) {
    assertRefused(await refund(payment, { amount }), 422, code, String(amount))
  }
  assertRefused(await refund(payment, { reason: '' }), 422, 'invalid_request')
  assert.is(await refundable(payment), '1.00')
})

test('a capture is refunded by its own id, apart from other captures of the hold', async () => {
  const first = await captured('20.00', 'room 7')
  const hold = { id: first.hold.id }
  const input = { amount: '5.00', final: false }
  const second = await must(shop.client.post(`/v1/holds/${hold.id}/capture`, input), 201)
  await must(refund(first, { amount: '15.00' }), 201)
  assertRefused(await refund(second, { amount: '5.01' }), 422, 'refund_too_large')
  await must(refund(second), 201)
  assert.equal([await refundable(first), await refundable(second)], ['5.00', '0.00'])
  assertRefused(await refund(hold), 404, 'transfer_not_found')
  assert.equal(await must(ada.client.get(`/v1/transfers/${first.id}`), 200), {
    id: first.id,
    kind: 'capture',
    from_wallet_id: ada.walletId,
    to_wallet_id: shop.walletId,
    amount: '20.00',
    currency: 'USD',
    memo: 'room 7',
    hold_id: hold.id,
    refunded: '15.00',
    created_at: first.created_at,
  })
})

test('a payment whose transfer has another id is the same by either', async () => {
  const operationId = computeUuid('test', unique('accept'))
  const leg = {
    debitAccountId: ada.walletId,
    creditAccountId: shop.walletId,
    amountMinor: 1_000n,
    asset: assetOf('USD'),
    code: TransferCode.payment,
  }
  const plan = { operationId, inputHash: hashInput('test'), legs: [leg] } as const
  const { submission } = await submitAttempts(world.deps.ledger, [plan], 0)
  assert.is(submission.kind, 'done')
  if (submission.kind !== 'done') return
  const byOperation = { id: operationId }
  const byTransfer = { id: submission.operation.transferId }
  assert.is.not(byTransfer.id, byOperation.id)
  await must(refund(byTransfer, { amount: '4.00' }), 201)
  assertRefused(await refund(byOperation, { amount: '6.01' }), 422, 'refund_too_large')
  const { transfer_id } = await must(refund(byOperation, { amount: '6.00' }), 201)
  assert.is(transfer_id, operationId)
  assert.is(await refundable(byTransfer), '0.00')
})

test('the payee alone may, and an operator; a stranger learns nothing', async () => {
  const payment = await paid('10.00')
  assertRefused(await refund(payment, {}, undefined, ada.client), 403, 'not_the_payee')
  assertRefused(await refund(payment, {}, undefined, stranger.client), 404, 'transfer_not_found')
  assertRefused(await refund(payment, {}, undefined, bank), 403, 'role_not_allowed')
  assertRefused(await stranger.client.get(refundsPath(payment)), 404, 'transfer_not_found')
  const key = unique('operator')
  const given = await must(refund(payment, { amount: '1.00' }, key, operator), 201)
  assert.equal(await must(operator.get(`/v1/refunds/${given.id}`), 200), given)
  assert.equal((await must(operator.get(refundsPath(payment)), 200)).data, [given])
  assertRefused(await stranger.client.get(`/v1/refunds/${given.id}`), 404, 'refund_not_found')
  assertRefused(await ada.client.get(`/v1/refunds/${payment.id}`), 404, 'refund_not_found')
  // A key belongs to who uses it.
  assert.is.not((await must(refund(payment, { amount: '1.00' }, key), 201)).id, given.id)
})

test('nothing else can be refunded', async () => {
  const payment = await paid('10.00')
  const given = await must(refund(payment, { amount: '1.00' }), 201)
  const deposit = await fund(bank, shop.walletId, '10.00')
  const hold = await must(
    ada.client.post('/v1/holds', { to_wallet_id: shop.walletId, amount: '1.00' }),
    201,
  )
  await must(shop.client.send('POST', `/v1/holds/${hold.id}/void`, {}), 200)
  const { data } = await must(shop.client.get(transactions(shop, 2)), 200)
  const [voided, pending] = data
  assert.equal([voided.phase, pending.phase], ['void', 'pending'])
  const nothing = { id: '00000000-0000-0000-0000-000000000000' }
  for (const other of [given, deposit, hold, voided, pending, nothing]) {
    for (const by of [shop.client, operator]) {
      assertRefused(await refund(other, {}, undefined, by), 404, 'transfer_not_found')
      assertRefused(await by.get(refundsPath(other)), 404, 'transfer_not_found')
    }
  }
  assertRefused(await shop.client.post('/v1/transfers/7/refunds', {}), 422, 'invalid_request')
})

const transactions = ({ walletId }: Person, limit: number) =>
  `/v1/wallets/${walletId}/transactions?limit=${limit}`

test('between wallets of one person the owner is the payee', async () => {
  const { id: second } = await openWallet(stranger.client, 'USD')
  await fund(bank, stranger.walletId, '5.00')
  const input = { from_wallet_id: stranger.walletId, to_wallet_id: second, amount: '5.00' }
  const payment = await must(pay(stranger.client, input), 201)
  await must(refund(payment, {}, undefined, stranger.client), 201)
  assert.is(await posted(stranger.client, stranger.walletId), '5.00')
})

test('a key answers what happened, and fits no other refund', async () => {
  const [payment, other] = [await paid('10.00'), await paid('10.00')]
  const key = unique('key')
  const input = { amount: '2.00', reason: 'late' }
  const first = await must(refund(payment, input, key), 201)
  const replay = await refund(payment, { ...input, amount: '2.0' }, key)
  assert.equal([replay.status, replay.body], [201, first])
  assert.is(replay.headers['idempotency-replayed'], 'true')
  for (const [of, changed] of [
    [payment, { ...input, amount: '2.01' }],
    [payment, { ...input, reason: 'early' }],
    [payment, { reason: 'late' }],
    [other, input],
  ] as const) {
    assertRefused(await refund(of, changed, key), 409, 'idempotency_key_reused')
  }
  const payerKey = unique('key')
  await must(pay(shop.client, { to_wallet_id: ada.walletId, amount: '0.01' }, payerKey), 201)
  assertRefused(await refund(payment, input, payerKey), 409, 'idempotency_key_reused')
  assert.equal([await refundable(payment), await refundable(other)], ['8.00', '10.00'])
})

test('a decline is final under its key, whatever has changed since', async () => {
  const poor = await world.signUp()
  const payment = await must(pay(ada.client, { to_wallet_id: poor.walletId, amount: '10.00' }), 201)
  await must(pay(poor.client, { to_wallet_id: ada.walletId, amount: '9.50' }), 201)
  const key = unique('poor')
  const declined = await refund(payment, {}, key, poor.client)
  assertRefused(declined, 422, 'insufficient_funds')
  assert.equal([declined.body.available, declined.body.required], ['0.50', '10.00'])
  const byOperator = await refund(payment, {}, undefined, operator)
  assertRefused(byOperator, 422, 'insufficient_funds')
  assert.is(byOperator.body.available, '0.50')
  await fund(bank, poor.walletId, '100.00')
  const again = await refund(payment, {}, key, poor.client)
  assertRefused(again, 422, 'insufficient_funds')
  assert.is(again.headers['idempotency-replayed'], 'true')
  const other = await refund(payment, { amount: '1.00' }, key, poor.client)
  assertRefused(other, 409, 'idempotency_key_reused')
  assert.is((await must(refund(payment, {}, unique('rich'), poor.client), 201)).amount, '10.00')
})

test('refunds of a payment are listed newest first, page by page, with their reasons', async () => {
  const payment = await paid('10.00')
  assert.equal(await must(ada.client.get(refundsPath(payment)), 200), {
    data: [],
    next_cursor: null,
    refundable: '10.00',
    currency: 'USD',
  })
  const given: Json[] = []
  for (const amount of ['1.00', '2.00', '3.00', '4.00']) {
    given.unshift(await must(refund(payment, { amount, reason: `part ${amount}` }), 201))
  }
  const paged: Json[] = []
  let cursor = ''
  do {
    const page = await must(ada.client.get(`${refundsPath(payment)}?limit=3${cursor}`), 200)
    paged.push(...page.data)
    assert.is(page.refundable, '0.00')
    cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`
  } while (cursor !== '')
  assert.equal(paged, given)
  assertRefused(await ada.client.get(`${refundsPath(payment)}?cursor=x`), 422, 'invalid_cursor')
})

test('refunds are listed by side, of the payer and of the payee', async () => {
  const [payer, payee] = await Promise.all([world.signUp(), world.signUp()])
  await fund(bank, payer.walletId, '10.00')
  const there = await must(pay(payer.client, { to_wallet_id: payee.walletId, amount: '9' }), 201)
  const back = await must(pay(payee.client, { to_wallet_id: payer.walletId, amount: '4' }), 201)
  const got = await must(
    refund(there, { amount: '2.00', reason: 'x' }, undefined, payee.client),
    201,
  )
  const gave = await must(refund(back, { amount: '1.00' }, undefined, payer.client), 201)
  const list = (query: string) => must(payer.client.get(`/v1/refunds${query}`), 200)
  await until(async () => (await list('')).data.length === 2)
  assert.equal((await list('')).data, [gave, got])
  assert.equal((await list('?side=payer')).data, [got])
  assert.equal((await list('?side=payee')).data, [gave])
  const first = await list('?limit=1')
  assert.equal((await list(`?limit=1&cursor=${first.next_cursor}`)).data, [got])
  assert.equal((await must(stranger.client.get('/v1/refunds'), 200)).data.length, 1)
  assertRefused(await payer.client.get('/v1/refunds?side=x'), 422, 'invalid_request')
})

test('both histories tell who gave back what, and why', async () => {
  const payment = await paid('10.00', 'lamp')
  const given = await must(refund(payment, { amount: '3.00', reason: 'scratched' }), 201)
  for (const [person, direction, other] of [
    [shop, 'out', 'ada'],
    [ada, 'in', 'shop'],
  ] as const) {
    const { data } = await must(person.client.get(`${transactions(person, 1)}&kind=refund`), 200)
    const [{ id, kind, phase, direction: way, memo, amount, counterparty, reference }] = data
    assert.equal([id, kind, phase, way], [given.id, 'refund', 'single', direction])
    assert.equal([memo, amount, reference], ['scratched', '3.00', null])
    assert.is(counterparty.username, other)
  }
  const sentence = async ({ client }: Person) =>
    (await must(client.get('/v1/account'), 200))['Last transactions'][0]
      .split(' ')
      .slice(1)
      .join(' ')
  assert.is(await sentence(shop), 'refunded 3.00 USD to ada: scratched')
  assert.is(await sentence(ada), 'got back 3.00 USD from shop: scratched')
  const { operations } = await must(shop.client.get('/api/wallet'), 200)
  const [{ type, amount, details }] = operations
  assert.equal([type, amount, details], ['refund', -3, 'scratched'])
})

test('no payment has given back more than what it was', async () => {
  const accounts = await checkBooks(world.deps.ledger)
  const returnables = accounts.filter(({ code }) => code === AccountCode.returnable)
  assert.ok(returnables.length > 10)
  for (const account of returnables) assert.ok(account.debits_posted <= account.credits_posted)
})

test.run()
