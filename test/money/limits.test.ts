/** What customers may spend within a time: set by operators, kept by the ledger. */

import { isRaise } from '../../server/flows/limit-rules.ts'
import type { Kassa } from '../../server/main.ts'
import { checkBooks } from '../lib/books.ts'
import { freshAsset } from '../lib/exchange.ts'
import { type Client, type Json, type Reply, sameSession } from '../lib/http.ts'
import { assertOver, left, limitedPair, setLimit } from '../lib/limits.ts'
import { assertRefused, fund, openWallet, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('limits')

let world: World
let other: Kassa
let bank: Client
let bankId: string
let operator: Client

test.before(async () => {
  world = await createWorld()
  other = await world.startAnother()
  ;[bank, operator] = await Promise.all([world.paymentSystem(), world.operator()])
  bankId = (await must(bank.get('/v1/session'), 200)).user.id
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const limited = (amount: string | null) => limitedPair({ world, bank, operator }, amount)

const put = (path: string, json: Json, client = operator) => client.send('PUT', path, { json })

test('what is spent counts, what is too much is declined and tells what is left and from when', async () => {
  const { payer, send, from } = await limited('10.00')
  await must(send('6.00'), 201)
  const over = await send('4.01')
  assertOver(over, { limit: '10.00', left: '4.00' })
  const { next_return } = over.body
  assert.is(next_return.amount, '6.00')
  const inSeconds = (Date.parse(next_return.at) - Date.now()) / 1000
  assert.ok(inSeconds > 86_300 && inSeconds <= 86_401, `${inSeconds}`)
  await must(send('4.00'), 201)
  assert.is(await posted(payer, from), '90.00')
  const { data } = await must(payer.get('/v1/limits'), 200)
  assert.equal(data, [
    {
      currency: 'USD',
      window: 'day',
      limit: '10.00',
      source: 'user',
      in_force: '10.00',
      used: '10.00',
      left: '0.00',
      next_return,
    },
  ])
})

test('a hundred payments over two processes: as many as fit, each with its part of the limit', async () => {
  const { payer, from, to, userId } = await limited('50.00')
  const there = sameSession(payer, world.client(other.url))
  await must(there.get('/v1/session'), 200)
  await until(async () => (await must(there.get('/v1/limits'), 200)).data.length === 1)
  const replies = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      pay(index % 2 ? payer : there, { to_wallet_id: to, amount: '1.00' }, unique('race')),
    ),
  )
  const statuses = replies.map(({ status }) => status)
  assert.is(statuses.filter((status) => status === 201).length, 50)
  assert.ok(replies.every(({ status, body }) => status === 201 || body.code === 'limit_exceeded'))
  assert.is(await posted(payer, from), '50.00')
  assert.equal([await left(payer), await left(there)], ['0.00', '0.00'])
  const { data } = await must(operator.get(`/v1/users/${userId}/limits`), 200)
  assert.is(data[0].used, '50.00')
})

test('what fails for another reason uses nothing', async () => {
  const { payer, to, send } = await limited('1000.00')
  assertRefused(await send('100.01'), 422, 'insufficient_funds')
  await must(operator.post(`/v1/wallets/${to}/freeze`, { reason: 'test' }), 200)
  assertRefused(await send('1.00'), 422, 'recipient_closed')
  assert.is(await left(payer), '1000.00')
})

test('by key a payment stays what it was, whatever the limits are later', async () => {
  const { send, userId } = await limited('10.00')
  const [paid, declined] = [unique('paid'), unique('declined')]
  const { id } = await must(send('7.00', paid), 201)
  assertOver(await send('5.00', declined), { limit: '10.00', left: '3.00' })
  const replays = async () => {
    const replay = await send('7.00', paid)
    assert.equal([replay.status, replay.body.id], [201, id])
    assert.is(replay.headers['idempotency-replayed'], 'true')
    assertRefused(await send('5.00', declined), 422, 'limit_exceeded')
    assertRefused(await send('6.00', declined), 409, 'idempotency_key_reused')
  }
  for (const amount of ['1.00', '0', '100.00', null]) {
    await setLimit(operator, userId, amount)
    await setLimit(operator, userId, amount, { window: 'month' })
    await replays()
  }
  await must(send('5.00', unique('new')), 201)
})

test('a decline by key keeps its reason when a limit comes in between', async () => {
  const { payer, send, to, userId } = await limited(null)
  const transfers = [{ to_wallet_id: to, amount: '200.00' }]
  const sendBatch = (atomic: boolean, key: string) =>
    payer.post(
      '/v1/transfers/batch',
      { atomic, transfers },
      { headers: { 'idempotency-key': key } },
    )
  const all = () =>
    Promise.all([send('200.00', 'one'), sendBatch(true, 'together'), sendBatch(false, 'each')])
  await all()
  await setLimit(operator, userId, '10.00')
  const [one, together, each] = await all()
  for (const reply of [one, together]) assertRefused(reply, 422, 'insufficient_funds')
  assert.is(each.body.results[0].code, 'insufficient_funds')
  for (const { headers } of [one, together, each])
    assert.is(headers['idempotency-replayed'], 'true')
  assertRefused(await send('201.00', 'one'), 409, 'idempotency_key_reused')
})

test('every window counts, another currency does not, nor what moves between own wallets', async () => {
  const { payer, payee, send, userId, from } = await limited('10.00')
  await setLimit(operator, userId, '12.00', { window: 'week' })
  await setLimit(operator, userId, '11.00', { window: 'month' })
  await must(send('10.00'), 201)
  await setLimit(operator, userId, '20.00')
  assertOver(await send('2.50'), { window: 'week', limit: '12.00', left: '2.00' })
  assertOver(await send('2.00'), { window: 'month', limit: '11.00', left: '1.00' })
  await must(send('1.00'), 201)
  assert.equal(
    (await must(payer.get('/v1/limits'), 200)).data.map((it: Json) => [it.window, it.left]),
    [
      ['day', '9.00'],
      ['week', '1.00'],
      ['month', '0.00'],
    ],
  )
  const second = (await openWallet(payer, 'USD')).id
  await must(pay(payer, { from_wallet_id: from, to_wallet_id: second, amount: '50.00' }), 201)
  const { number } = (await must(payee.get('/v1/wallets'), 200)).data[0]
  const fromSecond = { from_wallet_id: second, to_wallet_id: number, amount: '1.00' }
  assertOver(await pay(payer, fromSecond), { window: 'month', limit: '11.00', left: '0.00' })
  const [euros, theirs] = [await openWallet(payer, 'EUR'), await openWallet(payee, 'EUR')]
  await fund(bank, euros.id, '5.00', 'EUR')
  const inEuros = { from_wallet_id: euros.id, to_wallet_id: theirs.id, amount: '5.00' }
  await must(pay(payer, inEuros), 201)
})

test('of an asset with eighteen decimals a limit holds to the last of them', async () => {
  const { currency } = await freshAsset(world, 18)
  const { payer, payee, userId } = await limited(null)
  const [from, to] = [await openWallet(payer, currency), await openWallet(payee, currency)]
  await fund(bank, from.id, '2000.000000000000000000', currency)
  await setLimit(operator, userId, '1000.000000000000000001', { currency })
  const send = (amount: string) => pay(payer, { to_wallet_id: to.id, amount, currency })
  await must(send('1000'), 201)
  assertOver(await send('0.000000000000000002'), {
    currency,
    limit: '1000.000000000000000001',
    left: '0.000000000000000001',
  })
  await setLimit(operator, userId, '999', { currency })
  const byDefault = { kind: 'business', currency, window: 'week', amount: '1000000' }
  await must(put('/v1/limit-defaults', byDefault), 200)
  await must(put(`/v1/users/${userId}/kind`, { kind: 'business' }), 200)
  const { data } = await must(payer.get('/v1/limits'), 200)
  assert.equal(
    data.map((it: Json) => [it.window, it.limit, it.in_force, it.left]),
    [
      ['day', '999.000000000000000000', '1000.000000000000000000', '0.000000000000000000'],
      [
        'week',
        '1000000.000000000000000000',
        '1000000.000000000000000000',
        '1000000.000000000000000000',
      ],
    ],
  )
})

test('of a lower limit what is in use stays, which is told; what comes back is taken before it is used', async () => {
  const { payer, payee, to, send, userId } = await limited('80.00')
  const hold = await must(payer.post('/v1/holds', { to_wallet_id: to, amount: '40.00' }), 201)
  await must(send('20.00'), 201)
  const lowered = await setLimit(operator, userId, '50.00')
  assert.equal([lowered.limit, lowered.in_force, lowered.left], ['50.00', '60.00', '0.00'])
  assertOver(await send('0.01'), { limit: '60.00', left: '0.00' })
  await must(payee.post(`/v1/holds/${hold.id}/void`, {}), 200)
  assert.is(await left(payer), '30.00')
  assertOver(await send('30.01'), { limit: '50.00', left: '30.00' })
  await must(send('30.00'), 201)
  const raised = await setLimit(operator, userId, '70.00')
  assert.equal([raised.in_force, raised.left], ['70.00', '20.00'])
  assertOver(await send('20.01'), { limit: '70.00', left: '20.00' })
})

test('operators of two processes who set it at once leave one of both, the same to everyone', async () => {
  const { payer, userId } = await limited(null)
  const there = sameSession(operator, world.client(other.url))
  const amounts = Array.from({ length: 12 }, (_, index) => `${index + 1}.00`)
  await Promise.all(
    amounts.map((amount, index) => setLimit(index % 2 ? operator : there, userId, amount)),
  )
  const { data } = await must(operator.get(`/v1/users/${userId}/limits`), 200)
  const over = await pay(payer, { to_wallet_id: (await world.signUp()).walletId, amount: '13.00' })
  assertOver(over, { limit: data[0].limit, left: data[0].limit })
})

test('a new limit holds in every process within a second', async () => {
  const { payer, to, userId } = await limited(null)
  const there = sameSession(payer, world.client(other.url))
  const paying = (amount: string) => pay(there, { to_wallet_id: to, amount })
  await must(paying('1.00'), 201)
  const hasHeard = async (status: number) => {
    const since = performance.now()
    await until(async () => (await paying('0.01')).status === status)
    const ms = performance.now() - since
    assert.ok(ms < 1_000, `${ms} ms`)
  }
  await setLimit(operator, userId, '0')
  await hasHeard(422)
  await setLimit(operator, userId, null)
  await hasHeard(201)
  const kind = { currency: 'KWD', window: 'day', kind: 'business' }
  await must(put('/v1/limit-defaults', { ...kind, amount: '5.000' }), 200)
  await must(put(`/v1/users/${userId}/kind`, { kind: 'business' }), 200)
  await until(async () => (await must(there.get('/v1/limits'), 200)).data.at(0)?.limit === '5.000')
})

test('defaults are for everyone of a kind, unless another limit is set for one alone', async () => {
  const { payer, to, userId } = await limited(null)
  const yen = (await openWallet(payer, 'JPY')).id
  const receiver = (await openWallet((await world.signUp()).client, 'JPY')).id
  assert.ok(to)
  await fund(bank, yen, '1000', 'JPY')
  const send = (amount: string) =>
    pay(payer, { from_wallet_id: yen, to_wallet_id: receiver, amount })
  const key = { currency: 'JPY', window: 'week' }
  const byDefault = (kind: string, amount: string | null) =>
    must(put('/v1/limit-defaults', { ...key, kind, amount }), 200)
  const over = (limit: string, rest: string) => (reply: Reply) =>
    assertOver(reply, { ...key, limit, left: rest })

  assert.equal(await byDefault('person', '100'), { ...key, kind: 'person', amount: '100' })
  await byDefault('business', '300')
  await send('101').then(over('100', '100'))
  await must(send('60'), 201)
  await byDefault('person', '50')
  await send('1').then(over('60', '0'))
  await must(put(`/v1/users/${userId}/kind`, { kind: 'business' }), 200)
  await send('241').then(over('300', '240'))
  await setLimit(operator, userId, '70', key)
  await byDefault('business', '400')
  await send('11').then(over('70', '10'))
  await setLimit(operator, userId, 'default', key)
  await send('341').then(over('400', '340'))
  await setLimit(operator, userId, null, key)
  await must(send('500'), 201)
  const ofUser = await must(operator.get(`/v1/users/${userId}/limits`), 200)
  assert.is(ofUser.kind, 'business')
  const inYen = ofUser.data.find((it: Json) => it.currency === 'JPY' && it.window === 'week')
  assert.equal([inYen.limit, inYen.left, inYen.source], [null, null, 'user'])
  await setLimit(operator, userId, 'default', key)
  // What was spent while there was no limit is not counted.
  await send('341').then(over('400', '340'))
  await byDefault('person', null)
  await must(put(`/v1/users/${userId}/kind`, { kind: 'person' }), 200)
  await must(send('341'), 201)
  const { data } = await must(operator.get('/v1/limit-defaults'), 200)
  const ofWeek = data.filter((it: Json) => it.currency === 'JPY' && it.window === 'week')
  assert.equal(
    ofWeek.map((it: Json) => [it.kind, it.amount]),
    [
      ['business', '400'],
      ['person', null],
    ],
  )
})

test('only operators set limits, of users that have any, to amounts that make sense', async () => {
  const { payer, userId } = await limited(null)
  const path = `/v1/users/${userId}/limits`
  const input = { currency: 'USD', window: 'day', amount: '1.00' }
  for (const client of [payer, bank]) {
    assertRefused(await put(path, input, client), 403, 'role_not_allowed')
    assertRefused(await client.get(path), 403, 'role_not_allowed')
    assertRefused(await put('/v1/limit-defaults', input, client), 403, 'role_not_allowed')
    assertRefused(await client.get('/v1/limit-defaults'), 403, 'role_not_allowed')
    const kind = await put(`/v1/users/${userId}/kind`, { kind: 'business' }, client)
    assertRefused(kind, 403, 'role_not_allowed')
  }
  assertRefused(await operator.get('/v1/limits'), 403, 'role_not_allowed')
  const ownId = (await must(operator.get('/v1/session'), 200)).user.id
  assertRefused(await put(`/v1/users/${ownId}/limits`, input), 409, 'user_without_limits')
  assertRefused(await operator.get(`/v1/users/${ownId}/limits`), 409, 'user_without_limits')
  for (const id of [ownId, bankId]) {
    const kind = await put(`/v1/users/${id}/kind`, { kind: 'business' })
    assertRefused(kind, 409, 'not_a_customer')
  }
  const nobody = '01890000-0000-7000-8000-000000000000'
  assertRefused(await put(`/v1/users/${nobody}/limits`, input), 404, 'user_not_found')
  assertRefused(await put(`/v1/users/${nobody}/kind`, { kind: 'person' }), 404, 'user_not_found')
  const faults: [Json, string][] = [
    [{ amount: '-1' }, 'amount_not_positive'],
    [{ amount: '-0' }, 'amount_not_positive'],
    [{ amount: 'NaN' }, 'amount_malformed'],
    [{ amount: '1e3' }, 'amount_malformed'],
    [{ amount: '1.001' }, 'amount_too_precise'],
    [{ amount: '792281625142643375935439503.36' }, 'amount_too_large'],
    [{ currency: 'XYZ' }, 'currency_not_supported'],
    [{ window: 'year' }, 'invalid_request'],
    [{ amount: undefined }, 'invalid_request'],
    [{ user_id: userId }, 'invalid_request'],
  ]
  for (const [fault, code] of faults) {
    assertRefused(await put(path, { ...input, ...fault }), 422, code, JSON.stringify(fault))
  }
  const { data } = await must(operator.get(path), 200)
  assert.is(
    data.find((it: Json) => it.currency === 'USD'),
    undefined,
  )
  const most = await setLimit(operator, userId, '792281625142643375935439503.35')
  assert.is(most.left, '792281625142643375935439503.35')
})

test('a raise is what lets more pass', () => {
  const limits = [0n, 5n, 6n, null]
  for (const [index, before] of limits.entries()) {
    for (const [next, after] of limits.entries()) assert.is(isRaise(before, after), next > index)
  }
})

test.run()
