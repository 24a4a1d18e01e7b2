import { openRequestsMax } from '../../accounting/requests.ts'
import { mintId } from '../../db/ids.ts'
import { forget } from '../../server/flows/follow.ts'
import { readModel } from '../../server/flows/read-model.ts'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json } from '../lib/http.ts'
import {
  addPaymentSystem,
  assertRefused,
  closeAccount,
  fund,
  openWallet,
  posted,
  unique,
} from '../lib/money.ts'
import {
  accept,
  ask,
  asked,
  end,
  type NamedPerson,
  seen,
  signUpNamed,
} from '../lib/payment-requests.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('payment requests')

let world: World
let bank: Client
/** Asks. */
let emma: NamedPerson
/** Is asked. */
let finn: NamedPerson

test.before(async () => {
  world = await createWorld()
  bank = await addPaymentSystem(world)
  ;[emma, finn] = await Promise.all([signUpNamed(world, 'emma'), signUpNamed(world, 'finn')])
  await fund(bank, finn.walletId, '1000.00')
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const balances = () =>
  Promise.all([emma, finn].map(({ client, walletId }) => posted(client, walletId)))

/** What both sides see of a request. */
async function state(request: Json): Promise<string> {
  const [one, other] = await Promise.all([emma, finn].map(({ client }) => seen(request, client)))
  assert.equal(one, other)
  return one.state
}

test('no money moves until it is accepted; then it is a payment like any other', async () => {
  const before = await balances()
  const request = await asked(emma, finn, { amount: '12.5', memo: 'half of the dinner' })
  assert.equal(await balances(), before)
  const { id, created_at, expires_at, ...rest } = request
  assert.equal(rest, {
    state: 'open',
    requester: { id: emma.userId, username: emma.username, name: null },
    payer: { id: finn.userId, username: finn.username, name: null },
    to_wallet_id: emma.walletId,
    amount: '12.50',
    currency: 'USD',
    memo: 'half of the dinner',
    transfer_id: null,
  })
  assert.is(Date.parse(expires_at) - Date.parse(created_at), 7 * 86_400_000)
  assert.equal(await seen(request, finn.client), request)

  const reply = await accept(request, finn.client)
  assert.is(reply.status, 201, reply.text)
  const payment = reply.body
  assert.is(reply.headers.location, `/v1/transfers/${payment.id}`)
  assert.equal([payment.kind, payment.amount, payment.memo], ['payment', '12.50', rest.memo])
  assert.equal([payment.from_wallet_id, payment.to_wallet_id], [finn.walletId, emma.walletId])
  assert.equal(await balances(), ['12.50', '987.50'])
  assert.is(await state(request), 'accepted')
  assert.is((await seen(request, emma.client)).transfer_id, payment.id)
  for (const [me, other] of [
    [emma, finn],
    [finn, emma],
  ] as const) {
    assert.equal(await must(me.client.get(`/v1/transfers/${payment.id}`), 200), payment)
    const path = `/v1/wallets/${me.walletId}/transactions?kind=payment`
    const [entry] = (await must(me.client.get(path), 200)).data
    const { kind, phase, amount, memo, counterparty } = entry
    assert.equal([entry.id, kind, phase], [payment.id, 'payment', 'single'])
    assert.equal([amount, memo], ['12.50', rest.memo])
    assert.is(counterparty.username, other.username)
  }
  const mallory = await world.signUp()
  const stolen = await mallory.client.get(`/v1/transfers/${payment.id}`)
  assertRefused(stolen, 404, 'transfer_not_found')
})

test('accepting again answers the same payment, whatever wallet is named then', async () => {
  const other = await openWallet(finn.client, 'USD')
  const request = await asked(emma, finn)
  const payment = await must(accept(request, finn.client, finn.walletId), 201)
  const after = await balances()
  for (const wallet of [finn.walletId, other.id, undefined]) {
    const again = await accept(request, finn.client, wallet)
    assert.equal([again.status, again.body], [201, payment])
    assert.is(again.headers['idempotency-replayed'], 'true')
  }
  assert.equal(await balances(), after)
  assertRefused(await end(request, 'decline', finn.client), 409, 'payment_request_accepted')
  assertRefused(await end(request, 'cancel', emma.client), 409, 'payment_request_accepted')
  await must(finn.client.send('POST', `/v1/wallets/${other.id}/close`), 200)
})

const ends = [
  { step: 'decline', state: 'declined', by: () => finn.client },
  { step: 'cancel', state: 'cancelled', by: () => emma.client },
] as const

for (const { step, state: ended, by } of ends) {
  test(`after a ${step} it cannot be accepted; repeating it answers the same`, async () => {
    const before = await balances()
    const request = await asked(emma, finn)
    for (let time = 0; time < 2; time += 1) {
      const told = await must(end(request, step, by()), 200)
      assert.equal(told, { ...request, state: ended })
    }
    assert.is(await state(request), ended)
    assertRefused(await accept(request, finn.client), 409, `payment_request_${ended}`)
    for (const other of ends.filter((it) => it.step !== step)) {
      const late = await end(request, other.step, other.by())
      assertRefused(late, 409, `payment_request_${ended}`)
    }
    assert.equal(await balances(), before)
  })
}

test('each side has its own steps; nobody else sees a request', async () => {
  const request = await asked(emma, finn)
  assertRefused(await accept(request, emma.client), 403, 'not_the_payer')
  assertRefused(await end(request, 'decline', emma.client), 403, 'not_the_payer')
  assertRefused(await end(request, 'cancel', finn.client), 403, 'not_the_requester')
  const { client } = await world.signUp()
  const payment = await must(accept(await asked(emma, finn), finn.client), 201)
  const nothing = '00000000-0000-0000-0000-000000000000'
  for (const [id, by] of [
    [request.id, client],
    [nothing, finn.client],
    [payment.id, finn.client],
    [finn.walletId, finn.client],
  ]) {
    assertRefused(await accept({ id }, by), 404, 'payment_request_not_found')
    assertRefused(await end({ id }, 'decline', by), 404, 'payment_request_not_found')
    assertRefused(await end({ id }, 'cancel', by), 404, 'payment_request_not_found')
    const reply = await by.get(`/v1/payment-requests/${id}`)
    assertRefused(reply, 404, 'payment_request_not_found')
  }
  assert.equal((await must(client.get('/v1/payment-requests'), 200)).data, [])
  assert.is(await state(request), 'open')
})

test('accepted without the money it stays open, and is paid after a top-up', async () => {
  const poor = await signUpNamed(world, 'poor')
  const request = await asked(emma, poor, { amount: '5.00', memo: 'taxi' })
  for (let time = 0; time < 3; time += 1) {
    const { status, body } = await accept(request, poor.client)
    assert.equal([status, body.code], [422, 'insufficient_funds'])
    assert.equal([body.available, body.required], ['0.00', '5.00'])
    assert.is((await seen(request, emma.client)).state, 'open')
  }
  await fund(bank, poor.walletId, '6.00')
  assert.is((await must(accept(request, poor.client), 201)).memo, 'taxi')
  assert.is(await posted(poor.client, poor.walletId), '1.00')
})

test('a wallet of the payer pays that has the currency; when several have, it is named', async () => {
  const euros = await openWallet(emma.client, 'EUR')
  const request = await asked(emma, finn, { to_wallet_id: euros.number, amount: '2.00' })
  assert.equal([request.to_wallet_id, request.currency], [euros.id, 'EUR'])
  assertRefused(await accept(request, finn.client), 422, 'currency_mismatch')
  assertRefused(await accept(request, finn.client, finn.walletId), 422, 'currency_mismatch')
  assertRefused(await accept(request, finn.client, emma.walletId), 404, 'wallet_not_found')
  assertRefused(await accept(request, finn.client, '7989862681'), 422, 'wallet_number_mistyped')
  const [first, second] = [
    await openWallet(finn.client, 'EUR'),
    await openWallet(finn.client, 'EUR'),
  ]
  assertRefused(await accept(request, finn.client), 422, 'wallet_ambiguous')
  await must(finn.client.send('POST', `/v1/wallets/${second.id}/close`), 200)
  assertRefused(await accept(request, finn.client, second.id), 422, 'wallet_closed')
  await fund(bank, first.id, '3.00', 'EUR')
  assert.is((await must(accept(request, finn.client), 201)).from_wallet_id, first.id)
  assert.is(await posted(emma.client, euros.id), '2.00')
})

test('a frozen wallet does not pay, and a closed one is not paid, until that is over', async () => {
  const operator = await world.operator()
  const request = await asked(emma, finn)
  const wallet = `/v1/wallets/${finn.walletId}`
  await must(operator.post(`${wallet}/freeze`, { reason: 'stolen' }), 200)
  assertRefused(await accept(request, finn.client), 422, 'wallet_closed')
  await must(operator.post(`${wallet}/thaw`, { reason: 'found' }), 200)
  const emmas = { id: emma.walletId, currency: 'USD' }
  const reopen = await closeAccount(world.deps.ledger, emmas, finn.walletId)
  assertRefused(await accept(request, finn.client), 422, 'recipient_closed')
  await reopen()
  assert.is(await state(request), 'open')
  await must(accept(request, finn.client), 201)
  const closed = await openWallet(emma.client, 'GBP')
  await must(emma.client.send('POST', `/v1/wallets/${closed.id}/close`), 200)
  assertRefused(await ask(emma, finn, { to_wallet_id: closed.id }), 422, 'wallet_closed')
})

test('a key asks once, also twenty at a time, and belongs to what was asked', async () => {
  const key = unique('request')
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => ask(emma, finn, { memo: 'once' }, { key })),
  )
  assert.is(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size, 1)
  const replays = replies.filter(({ headers }) => headers['idempotency-replayed'] === 'true')
  assert.is(replays.length, 19)
  const request = replies[0]!.body

  const zoe = await signUpNamed(world, 'zoe')
  for (const [payer, other] of [
    [finn, { memo: 'twice' }],
    [finn, { memo: 'once', amount: '100.00' }],
    [finn, { memo: 'once', expires_in: 60 }],
    [zoe, { memo: 'once' }],
  ] as const) {
    assertRefused(await ask(emma, payer, other, { key }), 409, 'idempotency_key_reused')
  }
  assert.equal(await seen(request, finn.client), request)
  assertRefused(await accept(request, zoe.client), 404, 'payment_request_not_found')
  // The list of somebody who was never asked does not have it, also not as a gap.
  const real = await asked(emma, zoe)
  const list = () => must(zoe.client.get('/v1/payment-requests?limit=1'), 200)
  await until(async () => (await list()).data.length > 0)
  assert.equal((await list()).data, [real])
  assert.is((await list()).next_cursor, null)

  await must(end(request, 'cancel', emma.client), 200)
  const late = await ask(emma, finn, { memo: 'once' }, { key })
  assert.equal([late.status, late.body], [201, { ...request, state: 'cancelled' }])
})

test('a key asks again what it has asked when that is not allowed any more', async () => {
  const zoe = await signUpNamed(world, 'zoe')
  const key = unique('request')
  const request = await must(ask(emma, zoe, {}, { key }), 201)
  await must(zoe.client.send('PUT', `/v1/blocks/${emma.username}`), 204)
  assert.equal(await must(ask(emma, zoe, {}, { key }), 201), request)
  assertRefused(await ask(emma, zoe, { amount: '2' }, { key }), 409, 'idempotency_key_reused')
})

test('so many requests can be open between two people, counted by the ledger', async () => {
  const zoe = await signUpNamed(world, 'zoe')
  const euros = await openWallet(emma.client, 'EUR')
  const max = Number(openRequestsMax)
  const replies = await Promise.all(Array.from({ length: max + 10 }, () => ask(emma, zoe)))
  const open = replies.filter(({ status }) => status === 201).map(({ body }) => body)
  assert.is(open.length, max)
  for (const reply of replies.filter(({ status }) => status !== 201)) {
    assertRefused(reply, 409, 'too_many_requests_open')
  }
  const key = unique('too many')
  assertRefused(await ask(emma, zoe, {}, { key }), 409, 'too_many_requests_open')
  // Neither of another currency, nor to others, nor the other way round.
  await asked(emma, zoe, { to_wallet_id: euros.id })
  await asked(emma, finn)
  await asked(zoe, emma)

  // Each way of ending one makes room for one.
  await fund(bank, zoe.walletId, '1.00')
  await must(accept(open[0], zoe.client), 201)
  await must(end(open[1], 'decline', zoe.client), 200)
  await must(end(open[2], 'cancel', emma.client), 200)
  for (let room = 3; room > 0; room -= 1) await asked(emma, zoe)
  assertRefused(await ask(emma, zoe), 409, 'too_many_requests_open')
  await must(end(open[3], 'cancel', emma.client), 200)
  const short = await asked(emma, zoe, { expires_in: 1 })
  await until(async () => (await seen(short, zoe.client)).state === 'expired')
  await until(async () => (await ask(emma, zoe)).status === 201)
  assertRefused(await ask(emma, zoe, {}, { key }), 409, 'too_many_requests_open')
  // Nothing was submitted under that key: it is still good once there is room.
  await must(end(open[4], 'cancel', emma.client), 200)
  await must(ask(emma, zoe, {}, { key }), 201)
})

test('of forty requests at once twenty are made, and the ledger declines the others for good', async () => {
  const [asker, payer] = [await signUpNamed(world, 'asker'), await signUpNamed(world, 'payer')]
  const keys = Array.from({ length: 40 }, () => unique('many'))
  const replies = await Promise.all(keys.map((key) => ask(asker, payer, {}, { key })))
  assert.is(replies.filter(({ status }) => status === 201).length, 20)
  for (const reply of replies) {
    if (reply.status !== 201) assertRefused(reply, 409, 'too_many_requests_open')
  }
})

test('a request that has run out says so to both, and to every step', async () => {
  const before = await balances()
  const request = await asked(emma, finn, { expires_in: 1 })
  await until(async () => (await seen(request, emma.client)).state === 'expired')
  assert.is(await state(request), 'expired')
  assertRefused(await accept(request, finn.client), 409, 'payment_request_expired')
  assertRefused(await end(request, 'decline', finn.client), 409, 'payment_request_expired')
  assertRefused(await end(request, 'cancel', emma.client), 409, 'payment_request_expired')
  assert.equal(await balances(), before)
})

/** What is wrong with a request, and how it is refused. */
const refusals: [input: Json, status: number, code: string][] = [
  [{ amount: '0' }, 422, 'amount_not_positive'],
  [{ amount: '-1' }, 422, 'amount_not_positive'],
  [{ amount: '0.001' }, 422, 'amount_too_precise'],
  [{ amount: 'NaN' }, 422, 'amount_malformed'],
  [{ amount: '9'.repeat(40) }, 422, 'amount_too_large'],
  [{ from_username: 'nobody.of.this.name' }, 422, 'payer_not_found'],
  [{ from_username: '' }, 422, 'invalid_request'],
  [{ to_wallet_id: '00000000-0000-7000-8000-000000000000' }, 404, 'wallet_not_found'],
  [{ to_wallet_id: '7989862681' }, 422, 'wallet_number_mistyped'],
  [{ expires_in: 0 }, 422, 'invalid_request'],
  [{ expires_in: 1.5 }, 422, 'invalid_request'],
  [{ expires_in: 90 * 86_400 + 1 }, 422, 'invalid_request'],
  [{ memo: 'x'.repeat(201) }, 422, 'invalid_request'],
  [{ currency: 'USD' }, 422, 'invalid_request'],
]
for (const [input, status, code] of refusals) {
  test(`asking with ${JSON.stringify(input).slice(0, 60)} is refused: ${code}`, async () => {
    assertRefused(await ask(emma, finn, input), status, code)
  })
}

test("nobody asks themselves, into another's wallet, or somebody who is gone", async () => {
  assertRefused(await ask(emma, emma), 409, 'own_account')
  assertRefused(await ask(emma, finn, { to_wallet_id: finn.walletId }), 404, 'wallet_not_found')
  const gone = await signUpNamed(world, 'gone')
  const operator = await world.operator()
  await must(operator.post(`/v1/users/${gone.userId}/deactivate`, { reason: 'asked to' }), 200)
  assertRefused(await ask(emma, gone), 422, 'payer_not_found')
  const huge = await asked(emma, finn, { amount: '1000000000000000000000000000000000000.00' })
  assertRefused(await accept(huge, finn.client), 422, 'insufficient_funds')
})

test('lists follow the ledger, by side and state, in pages; they can be made again', async () => {
  const [asks, pays] = [await signUpNamed(world, 'asks'), await signUpNamed(world, 'pays')]
  await fund(bank, pays.walletId, '100.00')
  const ids: string[] = []
  const requests: Json[] = []
  for (const expires_in of [60, 1, 60, 60, 60]) {
    const request = await asked(asks, pays, { expires_in })
    requests.unshift(request)
    ids.unshift(request.id)
  }
  await must(accept(requests[0], pays.client), 201)
  await must(end(requests[1], 'decline', pays.client), 200)
  await must(end(requests[2], 'cancel', asks.client), 200)
  await until(async () => (await seen(requests[3], asks.client)).state === 'expired')

  const list = async ({ client }: Person, query = '') => {
    const found = await must(client.get(`/v1/payment-requests${query}`), 200)
    return { ...found, ids: found.data.map(({ id }: Json) => id) }
  }
  const ended = ['accepted', 'declined', 'cancelled', 'expired']
  const count = async (status: string) => (await list(pays, `?status=${status}`)).ids.length
  for (const made of ['followed', 'made again']) {
    if (made === 'made again') await forget(world.deps, readModel)
    await until(async () => (await Promise.all(ended.map(count))).every((found) => found === 1))
    assert.ok(Date.parse((await list(pays)).as_of) > 0)
    for (const person of [asks, pays]) assert.equal((await list(person)).ids, ids, made)
    assert.equal((await list(asks, '?side=requester')).ids, ids)
    assert.equal((await list(asks, '?side=payer')).ids, [])
    assert.equal((await list(pays, '?side=payer')).ids, ids)
    assert.equal((await list(pays, '?side=requester')).ids, [])
    for (const [index, status] of [...ended, 'open'].entries()) {
      const found = await list(pays, `?side=payer&status=${status}`)
      assert.equal(found.ids, [ids[index]], `${status} ${made}`)
      assert.is(found.data[0].state, status)
    }
    const first = await list(pays, '?limit=2')
    const second = await list(pays, `?limit=2&cursor=${first.next_cursor}`)
    assert.equal([...first.ids, ...second.ids], ids.slice(0, 4))
  }
})

test('who is blocked cannot ask any more; what is open stays', async () => {
  const [nag, calm] = [await signUpNamed(world, 'nag'), await signUpNamed(world, 'calm')]
  const put = (name: string) => calm.client.send('PUT', `/v1/blocks/${name}`)
  const blocks = async () => (await must(calm.client.get('/v1/blocks'), 200)).data
  const request = await asked(nag, calm)
  assert.equal(await blocks(), [])
  for (let time = 0; time < 2; time += 1) await must(put(nag.username.toUpperCase()), 204)
  const [entry, ...others] = await blocks()
  assert.equal([entry.id, entry.username, others], [nag.userId, nag.username, []])
  assertRefused(await ask(nag, calm), 403, 'requester_blocked')
  assert.is((await seen(request, calm.client)).state, 'open')
  await must(end(request, 'decline', calm.client), 200)
  await asked(calm, nag)
  for (let time = 0; time < 2; time += 1) {
    await must(calm.client.delete(`/v1/blocks/${nag.username}`), 204)
  }
  assert.equal(await blocks(), [])
  await asked(nag, calm)
})

test('somebody without a username can be blocked by the id that a request tells', async () => {
  const nameless = await world.signUp()
  const { requester } = await asked(nameless, finn)
  assert.equal(requester, { id: nameless.userId, username: null, name: null })
  await must(finn.client.send('PUT', `/v1/blocks/${requester.id}`), 204)
  assertRefused(await ask(nameless, finn), 403, 'requester_blocked')
  await must(finn.client.delete(`/v1/blocks/${requester.id}`), 204)
  await asked(nameless, finn)
})

test('nobody blocks themselves, somebody who is not there, or more than a thousand', async () => {
  const put = (name: string, { client } = finn) => client.send('PUT', `/v1/blocks/${name}`)
  assertRefused(await put(finn.username), 409, 'own_account')
  assertRefused(await put('nobody.of.this.name'), 404, 'user_not_found')
  const operator = await world.operator()
  const { user } = await must(operator.get('/v1/session'), 200)
  assertRefused(await put(user.id), 404, 'user_not_found')
  await must(finn.client.delete('/v1/blocks/nobody.of.this.name'), 204)

  const { db } = world.deps
  const [full, one] = [await signUpNamed(world, 'full'), await signUpNamed(world, 'one')]
  const ids = Array.from({ length: 999 }, (_, index) => mintId(index + 1))
  const users = ids.map((id) => ({ id, role: 'customer' as const, email: id, password_hash: '' }))
  await db.insertInto('users').values(users).execute()
  const blocked = ids.map((id) => ({ user_id: full.userId, blocked_user_id: id }))
  await db.insertInto('user_blocks').values(blocked).execute()
  const replies = await Promise.all([put(emma.username, full), put(one.username, full)])
  assert.equal(replies.map(({ status }) => status).sort(), [204, 409])
  const refused = replies.find(({ status }) => status === 409)!
  assertRefused(refused, 409, 'block_limit_reached')
  for (const name of ids.slice(0, 2)) await must(put(name, full), 204)
})

test.run()
