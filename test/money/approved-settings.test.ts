/** Rates far from the last one and raised caps: what is set when a second operator approves it. */
import { readApproval, useApproval } from '../../accounting/approvals.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { keepDecision } from '../../server/flows/approvals.ts'
import { recover } from '../../server/flows/recovery.ts'
import { checkBooks } from '../lib/books.ts'
import { catchUp } from '../lib/catch-up.ts'
import { setRate } from '../lib/exchange.ts'
import { type Client, isReplay, type Json, type Reply, sameSession } from '../lib/http.ts'
import { setLimit } from '../lib/limits.ts'
import { assertRefused, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { addOperator, approvalOf, approve, reject } from '../lib/treasury.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('settings under four eyes')

let world: World
/** Who asks, and who approves. */
let ada: Client
let adaId: string
let grace: { client: Client; id: string }
/** Ada at a Kassa where one operator is enough. */
let alone: Client
let bankId: string

test.before(async () => {
  world = await createWorld({ env: { FOUR_EYES: 'on' } })
  const other = await world.startAnother({ env: { FOUR_EYES: 'off' } })
  ada = await world.operator()
  adaId = (await must(ada.get('/v1/session'), 200)).user.id
  grace = await addOperator(world, ada)
  alone = sameSession(ada, world.client(other.url))
  bankId = (await must((await world.paymentSystem()).get('/v1/session'), 200)).user.id
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

/** Pairs of currencies that no test has used. */
const pairs = ['EUR/USD', 'GBP/USD', 'CHF/USD', 'EUR/GBP', 'EUR/CHF', 'GBP/CHF', 'KWD/USD']

/** One of them, with 1 as its last rate. */
async function pairAtOne(): Promise<string> {
  const pair = pairs.pop()
  assert.ok(pair)
  await must(setRate(ada, pair, '1'), 200)
  return pair
}

/** All rates that a pair ever had, newest first. */
async function mids(pair: string): Promise<string[]> {
  const { data } = await must(ada.get(`/v1/exchange-rates/${pair}/history`), 200)
  return data.map(({ mid }: Json) => mid)
}

test('a rate far from the last one is set by the approval, a near one at once', async () => {
  const pair = await pairAtOne()
  const valid_until = new Date(Date.now() + 600_000).toISOString()
  const set = (mid: string, key?: string) => setRate(ada, pair, mid, { valid_until }, key)
  const nearKey = unique('near')
  const near = await must(set('1.1', nearKey), 200)
  const key = unique('far')
  const asked = await must(set('1.50', key), 202)
  const [base, quote] = pair.split('/')
  const terms = { base, quote, mid: '1.5', spread_basis_points: 50, source: 'test', valid_until }
  assert.equal(
    [asked.kind, asked.body, asked.state, asked.applied_at],
    ['exchange_rate', terms, 'pending', null],
  )
  assert.is(asked.reason, `It is far from the last rate, which is ${pair} 1.1`)
  const replay = await set('1.5', key)
  assert.equal([replay.status, replay.body], [202, asked])
  assert.is(replay.headers['idempotency-replayed'], 'true')
  for (const other of ['1.6', '1.1']) {
    assertRefused(await set(other, key), 409, 'idempotency_key_reused')
  }
  assertRefused(await set('1.6', nearKey), 409, 'idempotency_key_reused')
  assertRefused(await approve(asked, ada), 403, 'own_request')
  assert.equal(await mids(pair), ['1.1', '1'])

  const approved = await must(approve(asked, grace.client), 200)
  assert.equal(
    [approved.state, approved.failure, approved.decided_by.id],
    ['approved', null, grace.id],
  )
  assert.ok(approved.applied_at)
  assert.equal(await must(approve(asked, grace.client), 200), approved)
  assert.equal(await mids(pair), ['1.5', '1.1', '1'])
  const { data } = await must(ada.get(`/v1/exchange-rates/${pair}/history?limit=1`), 200)
  assert.is(data[0].id, asked.id)
  // Each is told as it was first, though now the far one is near, and the near one far.
  const again = await set('1.5', key)
  assert.equal([again.status, again.body], [202, approved])
  const nearAgain = await set('1.1', nearKey)
  assert.equal([nearAgain.status, nearAgain.body], [200, near])
  assert.equal(await mids(pair), ['1.5', '1.1', '1'])
  await must(setRate(ada, `${quote}/${base}`, '0.5'), 202)
  await must(setRate(ada, `${quote}/${base}`, '0.66'), 200)
})

test('what is no rate is refused, and not asked for', async () => {
  const pair = await pairAtOne()
  const valid_until = new Date(Date.now() - 1).toISOString()
  assertRefused(await setRate(ada, pair, '2', { valid_until }), 422, 'invalid_request')
  assertRefused(await setRate(ada, pair, '1e3'), 422, 'invalid_request')
})

test('many copies of one far rate are asked for once', async () => {
  const pair = await pairAtOne()
  const valid_until = new Date(Date.now() + 600_000).toISOString()
  const key = unique('far')
  const replies = await Promise.all(
    Array.from({ length: 8 }, () => setRate(ada, pair, '3', { valid_until }, key)),
  )
  for (const { status, body } of replies)
    assert.equal([status, body.id], [202, replies[0]!.body.id])
  await Promise.all(replies.map(({ body }) => must(approve(body, grace.client), 200)))
  assert.equal(await mids(pair), ['3', '1'])
})

/** Approves in the ledger, as a process does that dies then. */
async function approveOnly(id: Uuid): Promise<void> {
  const { deps } = world
  const approval = await readApproval(deps.ledger, id, 0n)
  assert.ok(approval)
  const decisionHash = await keepDecision(deps, { userId: grace.id }, id, 'approved', null)
  await useApproval(deps.ledger, approval, decisionHash, [], 0)
}

const capOf = async (id: string, currency: string): Promise<string | null> => {
  const { data } = await must(ada.get(`/v1/users/${id}/limits`), 200)
  return data.find((limit: Json) => limit.currency === currency)?.limit ?? null
}

const put = (path: string, json: Json, by = ada): Promise<Reply> => by.send('PUT', path, { json })

const setCap = (amount: string | null, currency: string, by = ada): Promise<Reply> =>
  put(`/v1/users/${bankId}/limits`, { currency, window: 'day', amount }, by)

test('a raised cap of a payment system is set by the approval, a lower one at once', async () => {
  assert.is((await must(setCap('10.00', 'USD'), 200)).limit, '10.00')
  const asked = await must(setCap('20.00', 'USD'), 202)
  assert.equal(
    [asked.kind, asked.body, asked.state],
    ['limit', { user_id: bankId, currency: 'USD', window: 'day', amount: '20.00' }, 'pending'],
  )
  for (const raise of [null, 'default', '10.01']) await must(setCap(raise, 'USD'), 202)
  assert.is(await capOf(bankId, 'USD'), '10.00')
  assertRefused(await setCap('10.001', 'USD'), 422, 'amount_too_precise')
  assertRefused(await setCap('99.00', 'XXX'), 422, 'currency_not_supported')
  assertRefused(await approve(asked, ada), 403, 'own_request')
  await must(setCap('10.00', 'USD'), 200)
  await must(setCap('5.00', 'USD'), 200)

  // What was asked for is set, whatever the cap is by then.
  const approved = await must(approve(asked, grace.client), 200)
  assert.equal([approved.state, approved.failure], ['approved', null])
  assert.is(await capOf(bankId, 'USD'), '20.00')
  const row = await world.deps.db
    .selectFrom('limits')
    .select('set_by')
    .where('id', '=', asked.id)
    .executeTakeFirst()
  assert.is(row?.set_by, adaId)
  await must(setCap('1.00', 'USD'), 200)
  await must(approve(asked, grace.client), 200)
  assert.is(await capOf(bankId, 'USD'), '1.00')
})

test('so is a raised cap of all payment systems, and what one of them has alone counts', async () => {
  const currency = 'KWD'
  const setAll = (amount: string | null, kind = 'payment_system') =>
    put('/v1/limit-defaults', { kind, currency, window: 'day', amount })
  await must(setAll('250'), 200)
  const asked = await must(setAll('300'), 202)
  assert.equal(asked.body, { kind: 'payment_system', currency, window: 'day', amount: '300' })
  await must(setAll(null), 202)
  await must(setCap('250.001', currency), 202)
  await must(setCap('100.000', currency), 200)
  await must(setCap('default', currency), 202)
  assertRefused(await approve(asked, ada), 403, 'own_request')
  await must(approve(asked, grace.client), 200)
  await until(async () => (await must(setCap('default', currency, alone), 200)).limit === '300.000')
  await must(setAll('200'), 200)
  assert.is(await capOf(bankId, currency), '200.000')
})

test('what was approved and cut off does not replace what was set since', async () => {
  const { deps } = world
  const pair = await pairAtOne()
  const currency = 'CHF'
  const setAll = (amount: string) =>
    put('/v1/limit-defaults', { kind: 'payment_system', currency, window: 'week', amount })
  await must(setCap('10.00', currency), 200)
  await must(setAll('10.00'), 200)
  const asked: Json[] = [
    await must(setCap('20.00', currency), 202),
    await must(setAll('20.00'), 202),
    await must(setRate(ada, pair, '2'), 202),
  ]
  for (const { id } of asked) await approveOnly(id)
  await must(setCap('1.00', currency), 200)
  await must(setAll('1.00'), 200)
  await must(setRate(ada, pair, '1.05'), 200)
  await catchUp(deps)
  await recover(deps)
  const told = await Promise.all(asked.map((it) => approvalOf(it, ada)))
  assert.equal(
    told.map(({ state, failure }) => [state, failure]),
    asked.map(() => ['approved', 'superseded']),
  )
  assert.is(await capOf(bankId, currency), '1.00')
  assert.equal(await mids(pair), ['1.05', '1'])
  const { data } = await must(ada.get('/v1/limit-defaults'), 200)
  assert.is(data.find((it: Json) => it.currency === currency).amount, '1.00')
})

test('a cap is set, or asked for, once under a key', async () => {
  const currency = 'KWD'
  const cap = (amount: string, key: string) => {
    const json = { currency, window: 'week', amount }
    const headers = { 'idempotency-key': key }
    return ada.send('PUT', `/v1/users/${bankId}/limits`, { json, headers })
  }
  const all = (amount: string, key: string) => {
    const json = { kind: 'payment_system', currency, window: 'month', amount }
    return ada.send('PUT', '/v1/limit-defaults', { json, headers: { 'idempotency-key': key } })
  }
  for (const set of [cap, all]) {
    const [low, lower, high] = [unique('low'), unique('lower'), unique('high')]
    assert.is(isReplay(await set('10', low)), false)
    await must(set('5', lower), 200)
    // Now it would be a raise, and is not one: it was set before.
    const again = await set('10', low)
    assert.equal([again.status, isReplay(again)], [200, true])
    assertRefused(await set('11', low), 409, 'idempotency_key_reused')
    const asked = await must(set('20', high), 202)
    const askedAgain = await set('20', high)
    assert.equal([askedAgain.status, askedAgain.body], [202, asked])
    assert.match(
      asked.reason,
      /^It raises what may be brought in, which is 5\.000 KWD a (week|month)$/,
    )
    assert.ok(isReplay(askedAgain))
    assert.equal((await set('020.0', high)).body, asked)
    assertRefused(await set('21', high), 409, 'idempotency_key_reused')
  }
  const { data } = await must(ada.get(`/v1/users/${bankId}/limits`), 200)
  const ofKey = ({ currency: of, window }: Json) => of === currency && window !== 'day'
  assert.equal(
    data.filter(ofKey).map(({ limit }: Json) => limit),
    ['5.000', '5.000'],
  )
})

test('limits of customers are not under four eyes, and nobody turns into one', async () => {
  const { userId } = await world.signUp()
  for (const amount of ['1.00', '2.00', null]) await setLimit(ada, userId, amount)
  for (const amount of ['1.00', '2.00', null]) {
    const limit = { kind: 'person', currency: 'JPY', window: 'day', amount: amount && '2' }
    await must(put('/v1/limit-defaults', limit), 200)
  }
  for (const kind of ['person', 'business']) {
    assertRefused(await put(`/v1/users/${bankId}/kind`, { kind }), 409, 'not_a_customer')
  }
})

test('without four eyes both are set at once, approved by who asks', async () => {
  const pair = await pairAtOne()
  const valid_until = new Date(Date.now() + 600_000).toISOString()
  const key = unique('far')
  const set = () => setRate(alone, pair, '2.0', { valid_until }, key)
  const ratesThere = async (): Promise<Json[]> =>
    (await must(alone.get('/v1/exchange-rates'), 200)).data
  await until(async () =>
    (await ratesThere()).some((rate) => `${rate.base}/${rate.quote}` === pair),
  )
  const rate = await must(set(), 200)
  assert.equal([rate.mid, rate.valid_until], ['2', valid_until])
  const replay = await set()
  assert.equal([replay.status, replay.body], [200, rate])
  assert.is(replay.headers['idempotency-replayed'], 'true')
  const { state, requested_by, decided_by, failure } = await approvalOf(rate, grace.client)
  assert.equal([state, requested_by.id, decided_by.id, failure], ['approved', adaId, adaId, null])
  await must(setCap('1.00', 'EUR', alone), 200)
  assert.is((await must(setCap('7.00', 'EUR', alone), 200)).limit, '7.00')
  const cap = { kind: 'payment_system', currency: 'JPY', window: 'day' }
  await must(put('/v1/limit-defaults', { ...cap, amount: '1' }, alone), 200)
  assert.equal(await must(put('/v1/limit-defaults', { ...cap, amount: '2' }, alone), 200), {
    ...cap,
    amount: '2',
  })
})

test('a rate that is over cannot be approved; what was approved and cut off is set by recovery', async () => {
  const { deps } = world
  const [one, two] = [await pairAtOne(), await pairAtOne()]
  await must(setCap('1.00', 'GBP'), 200)
  const ends = Date.now() + 1_500
  const valid_until = new Date(ends).toISOString()
  const asked: Json[] = [
    await must(setRate(ada, one, '2'), 202),
    await must(setRate(ada, two, '2', { valid_until }), 202),
    await must(setRate(ada, two, '3', { valid_until }), 202),
    await must(setCap('3.00', 'GBP'), 202),
  ]
  await until(async () => Date.now() > ends)
  const refused = asked.splice(1, 1)[0]
  assertRefused(await approve(refused, grace.client), 409, 'exchange_rate_expired')
  assert.is((await must(reject(refused, grace.client), 200)).state, 'rejected')

  for (const { id } of asked) await approveOnly(id)
  const recovered = async (): Promise<Json[]> => {
    await catchUp(deps)
    await recover(deps)
    return Promise.all(asked.map((it) => approvalOf(it, ada)))
  }
  // By this recovery, or by that of the job.
  await until(async () => (await recovered()).every(({ applied_at }) => applied_at !== null))
  assert.equal(
    (await recovered()).map(({ failure }) => failure),
    [null, 'exchange_rate_expired', null],
  )
  assert.equal([await mids(one), await mids(two)], [['2', '1'], ['1']])
  assert.is(await capOf(bankId, 'GBP'), '3.00')
})

test.run()
