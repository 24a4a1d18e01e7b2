import { randomUUID } from 'node:crypto'
import { followOnce, forget } from '../../server/flows/follow.ts'
import { readModel } from '../../server/flows/read-model.ts'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json, Reply } from '../lib/http.ts'
import {
  addPaymentSystem,
  assertRefused,
  fund,
  openWallet,
  pay,
  posted,
  unique,
} from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('suspense')

const unknownWallet = '019363a0-0000-7000-8000-000000000001'

let world: World
let bank: Client
let operator: Client

test.before(async () => {
  world = await createWorld()
  bank = await addPaymentSystem(world)
  operator = await world.operator()
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const dollars = (wallet: string, more: Json = {}): Json => ({
  wallet_id: wallet,
  amount: '10.00',
  currency: 'USD',
  reference: unique('unmatched'),
  ...more,
})

const tell = (input: Json, by = bank): Promise<Reply> => by.post('/v1/deposits', input)

/** Tells of a deposit that shall go to suspense when it cannot go to the wallet. */
const tellOr = (input: Json, by = bank): Promise<Reply> =>
  tell({ ...input, on_unmatched: 'suspense' }, by)

async function suspended(more: Json = {}, by = bank): Promise<Json> {
  const deposit = await must(tellOr(dollars(unknownWallet, more), by), 201)
  assert.is(deposit.suspense.state, 'open')
  return deposit
}

const assign = (deposit: Json, wallet: string): Promise<Reply> =>
  operator.post(`/v1/suspense/${deposit.id}/assign`, { wallet_id: wallet, reason: 'test' })

const giveBack = (deposit: Json): Promise<Reply> =>
  operator.post(`/v1/suspense/${deposit.id}/return`, { reason: 'test' })

const reverse = (deposit: Json, more: Json = {}, by = bank): Promise<Reply> =>
  by.post(`/v1/deposits/${deposit.id}/reversals`, {
    reason: 'Card stolen',
    reference: unique('back'),
    ...more,
  })

const freezing = (person: Person, step: 'freeze' | 'thaw') =>
  must(operator.post(`/v1/wallets/${person.walletId}/${step}`, { reason: 'test' }), 200)

const read = (deposit: Json) => must(bank.get(`/v1/deposits/${deposit.id}`), 200)

const stateOf = async (deposit: Json): Promise<string> => (await read(deposit)).suspense.state

test('what cannot be credited is refused, or goes to suspense when that is wanted', async () => {
  const [frozen, closed] = [await world.signUp(), await world.signUp()]
  const euros = await openWallet(frozen.client, 'EUR')
  await freezing(frozen, 'freeze')
  await must(closed.client.send('POST', `/v1/wallets/${closed.walletId}/close`), 200)
  const cases: [wallet: string, status: number, code: string][] = [
    [unknownWallet, 404, 'wallet_not_found'],
    [randomUUID(), 404, 'wallet_not_found'],
    ['1000000008', 404, 'wallet_not_found'],
    ['1000000000', 422, 'wallet_number_mistyped'],
    [euros.id, 422, 'currency_mismatch'],
    [frozen.walletId, 422, 'recipient_closed'],
    [closed.walletNumber, 422, 'recipient_closed'],
  ]
  for (const [wallet, status, code] of cases) {
    const input = dollars(wallet, { sender: 'Grace Hopper' })
    assertRefused(await tell(input), status, code, wallet)
    assertRefused(await tell({ ...input, on_unmatched: 'refuse' }), status, code, wallet)
    const booked = await must(tellOr(input), 201)
    const { suspense, wallet_id, sender } = booked
    assert.equal([wallet_id, sender], [null, 'Grace Hopper'], wallet)
    assert.equal(suspense, {
      state: 'open',
      named_wallet: wallet,
      wallet_id: null,
      changed_at: null,
    })
    assert.equal(await read(booked), booked)
    const { reason } = await must(operator.get(`/v1/suspense/${booked.id}`), 200)
    assert.is(reason, code, wallet)
    for (const again of [tellOr, tell]) {
      const replay = await again(input)
      assert.equal([replay.status, replay.body], [201, booked], wallet)
      assert.is(replay.headers['idempotency-replayed'], 'true')
    }
    const other = await tellOr({ ...input, amount: '11.00' })
    assertRefused(other, 409, 'reference_reused')
    assert.is(other.body.original.wallet_id, null)
  }
  const { data } = await must(bank.get('/v1/deposits?limit=7'), 200)
  assert.equal(
    data.map((deposit: Json) => deposit.suspense.named_wallet),
    cases.map(([wallet]) => wallet).reverse(),
  )
})

test('for suspense a wallet can be named by any text, which is kept as it came', async () => {
  const input = dollars('invoice 17/b')
  assertRefused(await tell(input), 422, 'invalid_request')
  const booked = await suspended({ wallet_id: input.wallet_id })
  assert.is(booked.suspense.named_wallet, 'invoice 17/b')
  assertRefused(await tellOr({ ...input, wallet_id: 'x'.repeat(65) }), 422, 'invalid_request')
})

test('what can be credited goes to the wallet; what is wrong in itself is refused', async () => {
  const person = await world.signUp()
  const booked = await must(tellOr(dollars(person.walletId)), 201)
  assert.equal([booked.wallet_id, booked.suspense], [person.walletId, undefined])
  assert.is(await posted(person.client, person.walletId), '10.00')
  for (const [change, code] of [
    [{ amount: '0' }, 'amount_not_positive'],
    [{ currency: 'XXX' }, 'currency_not_supported'],
    [{ on_unmatched: 'keep' }, 'invalid_request'],
  ] as const) {
    assertRefused(
      await tell(dollars(unknownWallet, { on_unmatched: 'suspense', ...change })),
      422,
      code,
    )
  }
})

test('an operator sees it, and credits it to the wallet it is for', async () => {
  const person = await world.signUp()
  const told = { sender: 'Grace Hopper', details: 'Salary', occurred_at: '2026-01-31T00:00:00Z' }
  const deposit = await suspended(told)
  const item = await must(operator.get(`/v1/suspense/${deposit.id}`), 200)
  const { payment_system, ...shown } = item
  const { suspense, wallet_id, ...rest } = deposit
  assert.equal(shown, { ...rest, ...suspense, reason: 'wallet_not_found' })
  assert.ok(payment_system.name)

  const assigned = await must(assign(deposit, person.walletNumber), 200)
  assert.equal([assigned.state, assigned.wallet_id], ['assigned', person.walletId])
  assert.ok(Date.parse(assigned.changed_at) >= Date.parse(assigned.created_at))
  assert.equal((await assign(deposit, person.walletId)).body, assigned)
  assert.equal(await must(operator.get(`/v1/suspense/${deposit.id}`), 200), assigned)
  assert.is(await posted(person.client, person.walletId), '10.00')
  const after = await read(deposit)
  assert.equal([after.wallet_id, after.suspense.wallet_id], [null, person.walletId])

  const { data } = await must(person.client.get(`/v1/wallets/${person.walletId}/transactions`), 200)
  const [{ kind, direction, amount, memo, reference, counterparty, id }] = data
  assert.equal(
    [kind, direction, amount, memo, reference, counterparty.name, id],
    [
      'suspense_assignment',
      'in',
      '10.00',
      'Salary',
      deposit.reference,
      payment_system.name,
      deposit.id,
    ],
  )
  const account = await must(person.client.get('/v1/account'), 200)
  assert.match(account['Last transactions'][0], / received 10.00 USD from .*: Salary$/)
})

test('it is assigned or returned once, and whoever is late is told so', async () => {
  const [person, other] = [await world.signUp(), await world.signUp()]
  const assigned = await suspended()
  await must(assign(assigned, person.walletId), 200)
  assertRefused(await assign(assigned, other.walletId), 409, 'suspense_assigned')
  assertRefused(await giveBack(assigned), 409, 'suspense_assigned')
  const returned = await suspended()
  const item = await must(giveBack(returned), 200)
  assert.equal([item.state, item.wallet_id], ['returned', null])
  assert.equal((await giveBack(returned)).body, item)
  assertRefused(await assign(returned, person.walletId), 409, 'suspense_returned')
  assert.is(await stateOf(returned), 'returned')
  assert.is(await posted(person.client, person.walletId), '10.00')
  assert.is(await posted(other.client, other.walletId), '0.00')
})

test('what is no money in suspense, or no wallet for it, is refused', async () => {
  const person = await world.signUp()
  const euros = await openWallet(person.client, 'EUR')
  const deposit = await suspended()
  const matched = await fund(bank, person.walletId, '1.00')
  const nothing = '00000000-0000-0000-0000-000000000000'
  for (const id of [matched.id, nothing, randomUUID(), person.walletId]) {
    assertRefused(await operator.get(`/v1/suspense/${id}`), 404, 'suspense_not_found')
    assertRefused(await assign({ id }, person.walletId), 404, 'suspense_not_found')
    assertRefused(await giveBack({ id }), 404, 'suspense_not_found')
  }
  assertRefused(await assign(deposit, unknownWallet), 404, 'wallet_not_found')
  assertRefused(await assign(deposit, deposit.id), 404, 'wallet_not_found')
  assertRefused(await assign(deposit, '1000000000'), 422, 'wallet_number_mistyped')
  assertRefused(await assign(deposit, euros.id), 422, 'currency_mismatch')
  assert.is(await stateOf(deposit), 'open')
})

test('an assignment that was declined can be tried again, also to another wallet', async () => {
  const [person, other] = [await world.signUp(), await world.signUp()]
  const deposit = await suspended()
  await freezing(person, 'freeze')
  for (let tries = 0; tries < 3; tries += 1) {
    assertRefused(await assign(deposit, person.walletId), 422, 'recipient_closed')
  }
  assert.is(await stateOf(deposit), 'open')
  await must(assign(deposit, other.walletId), 200)
  assert.is(await posted(other.client, other.walletId), '10.00')
})

test('an assignment pays first what the owner of the wallet owes', async () => {
  const person = await world.signUp()
  const spent = await fund(bank, person.walletId, '6.00')
  const shop = await world.signUp()
  await must(pay(person.client, { to_wallet_id: shop.walletId, amount: '6.00' }), 201)
  await must(reverse(spent), 201)
  await must(assign(await suspended(), person.walletId), 200)
  const path = `/v1/wallets/${person.walletId}`
  const { balance } = await must(person.client.get(path), 200)
  assert.equal([balance.posted, balance.owed], ['4.00', undefined])
  const { data } = await must(person.client.get(`${path}/transactions?limit=2`), 200)
  assert.equal(
    data.map((entry: Json) => [entry.kind, entry.amount, entry.counterparty.name]),
    [
      ['chargeback_payment', '6.00', 'Kassa'],
      ['suspense_assignment', '10.00', data[1].counterparty.name],
    ],
  )
})

test('assigning to two wallets and returning race: one wins, all are told the same', async () => {
  for (let round = 0; round < 8; round += 1) {
    const [person, other] = [await world.signUp(), await world.signUp()]
    const deposit = await suspended()
    const replies = await Promise.all([
      assign(deposit, person.walletId),
      assign(deposit, other.walletId),
      giveBack(deposit),
      assign(deposit, person.walletId),
      giveBack(deposit),
    ])
    const { state, wallet_id } = (await read(deposit)).suspense
    const wanted = [person.walletId, other.walletId, null, person.walletId, null]
    for (const [index, reply] of replies.entries()) {
      if (wanted[index] === wallet_id) assert.is(reply.status, 200, reply.text)
      else assertRefused(reply, 409, `suspense_${state}`)
    }
    const balances = [
      await posted(person.client, person.walletId),
      await posted(other.client, other.walletId),
    ]
    const got = (id: string) => (wallet_id === id ? '10.00' : '0.00')
    assert.equal(balances, [got(person.walletId), got(other.walletId)])
  }
})

test('copies that race into suspense while a wallet is frozen and thawed book once, in one place', async () => {
  for (let round = 0; round < 4; round += 1) {
    const person = await world.signUp()
    await freezing(person, 'freeze')
    const input = dollars(person.walletId)
    const flicker = async () => {
      for (let turn = 0; turn < 4; turn += 1) {
        await freezing(person, 'thaw')
        await freezing(person, 'freeze')
      }
    }
    const copies = Array.from({ length: 20 }, (_, index) => (index % 2 ? tellOr : tell)(input))
    const [replies] = await Promise.all([Promise.all(copies), flicker()])
    await freezing(person, 'thaw')
    const deposit = await must(tell(input), 201)
    for (const reply of replies) {
      if (reply.status === 201) assert.equal(reply.body, deposit)
      else assertRefused(reply, 422, 'recipient_closed')
    }
    const isInWallet = deposit.wallet_id === person.walletId
    assert.is(deposit.suspense === undefined, isInWallet)
    const firsts = replies.filter(
      ({ status, headers }) => status === 201 && headers['idempotency-replayed'] === undefined,
    )
    assert.is(firsts.length, 1)
    assert.is(await posted(person.client, person.walletId), isInWallet ? '10.00' : '0.00')
  }
})

test('twenty copies for an unknown wallet book once; two payment systems do not meet', async () => {
  const other = await addPaymentSystem(world)
  const input = dollars('1000000000')
  const copies = Array.from({ length: 20 }, () => tellOr(input))
  const replies = await Promise.all(copies)
  assert.is(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size, 1)
  const theirs = await must(tellOr(input, other), 201)
  const [mine] = replies.map(({ body }) => body)
  assert.is.not(theirs.id, mine.id)
  assertRefused(await other.get(`/v1/deposits/${mine.id}`), 404, 'deposit_not_found')
  assertRefused(await reverse(mine, {}, other), 404, 'deposit_not_found')
  assert.equal((await must(other.get('/v1/deposits'), 200)).data, [theirs])
})

test('a reversal returns what is in suspense: all of it or nothing', async () => {
  const deposit = await suspended()
  assertRefused(await reverse(deposit, { amount: '9.99' }), 409, 'deposit_in_suspense')
  assertRefused(await reverse(deposit, { amount: '10.01' }), 422, 'reversal_too_large')
  const once = { amount: '10.00', reference: unique('back') }
  const booked = await must(reverse(deposit, once), 201)
  assert.equal([booked.amount, booked.from_wallet, booked.owed], ['10.00', '0.00', '0.00'])
  assert.is(await stateOf(deposit), 'returned')
  const replay = await reverse(deposit, once)
  assert.equal([replay.status, replay.body], [201, booked])
  assertRefused(await reverse(deposit), 409, 'suspense_returned')
  assert.is((await must(giveBack(deposit), 200)).state, 'returned')
  const { data } = await must(bank.get(`/v1/deposits/${deposit.id}/reversals`), 200)
  assert.equal(data, [booked])

  const other = await suspended()
  const reused = await reverse(other, once)
  assertRefused(reused, 409, 'reference_reused')
  assert.is(reused.body.original.deposit_id, deposit.id)
  assert.is(await stateOf(other), 'open')
  await must(giveBack(other), 200)
  assertRefused(await reverse(other), 409, 'suspense_returned')
})

test('a reversal of what was assigned takes it from the wallet that got it', async () => {
  const person = await world.signUp()
  const deposit = await suspended()
  await must(assign(deposit, person.walletId), 200)
  const booked = await must(reverse(deposit, { amount: '4.00' }), 201)
  assert.equal([booked.from_wallet, booked.owed], ['4.00', '0.00'])
  assert.is(await posted(person.client, person.walletId), '6.00')
  assert.is(await stateOf(deposit), 'assigned')
})

test('reversal, assignment and return race: the money goes one way, never two', async () => {
  for (let round = 0; round < 8; round += 1) {
    const person = await world.signUp()
    const deposit = await suspended()
    const once = { reference: unique('back') }
    const [back, again, assigned, returned] = await Promise.all([
      reverse(deposit, once),
      reverse(deposit, once),
      assign(deposit, person.walletId),
      giveBack(deposit),
    ])
    const state = await stateOf(deposit)
    assert.is(assigned.status, state === 'assigned' ? 200 : 409, assigned.text)
    assert.is(returned.status, state === 'returned' ? 200 : 409, returned.text)
    // What was assigned is taken from the wallet; what an operator has returned is not taken again.
    const isReversed = back.status === 201
    assert.is(again.status, back.status)
    if (state === 'assigned') assert.equal([back.status, back.body.from_wallet], [201, '10.00'])
    if (!isReversed) assertRefused(back, 409, 'suspense_returned')
    assert.is(await posted(person.client, person.walletId), '0.00')
  }
})

test('one reference for two deposits in suspense at once takes one of them back', async () => {
  const [one, two] = [await suspended(), await suspended()]
  const reference = unique('back')
  const replies = await Promise.all([one, two].map((deposit) => reverse(deposit, { reference })))
  const states = [await stateOf(one), await stateOf(two)]
  assert.equal(states.toSorted(), ['open', 'returned'])
  for (const [index, reply] of replies.entries()) {
    if (states[index] === 'returned') assert.is(reply.status, 201)
    else assertRefused(reply, 409, 'reference_reused')
  }
})

test('the list follows the ledger, by state, in pages; it can be made again', async () => {
  const person = await world.signUp()
  const deposits = [await suspended(), await suspended(), await suspended()]
  const [open, assigned, returned] = deposits
  await must(assign(assigned, person.walletId), 200)
  await must(giveBack(returned), 200)
  const list = async (query: string) => {
    const page = await must(operator.get(`/v1/suspense?${query}`), 200)
    return { ...page, ids: page.data.map(({ id }: Json) => id) }
  }
  const catchUp = () =>
    until(async () => {
      const page = await followOnce(world.deps, readModel)
      return page !== undefined && !page.isMore && page.count === 0
    })
  for (const made of ['followed', 'made again']) {
    if (made === 'made again') await forget(world.deps, readModel)
    await catchUp()
    const newest = await list('limit=3')
    assert.equal(newest.ids, deposits.map(({ id }) => id).reverse(), made)
    assert.ok(Date.parse(newest.as_of) > 0)
    assert.is((await list('status=open&limit=1')).ids[0], open.id, made)
    assert.is((await list('status=assigned&limit=1')).ids[0], assigned.id, made)
    const back = await list('status=returned&limit=1')
    assert.equal([back.ids[0], back.data[0].state], [returned.id, 'returned'], made)
    const first = await list('limit=2')
    const second = await list(`limit=1&cursor=${first.next_cursor}`)
    assert.equal([...first.ids, ...second.ids], newest.ids, made)
  }
})

test.run()
