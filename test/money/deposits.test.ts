import { randomUUID } from 'node:crypto'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json } from '../lib/http.ts'
import {
  addPaymentSystem,
  assertRefused,
  closeAccount,
  fund,
  openWallet,
  posted,
  postText,
  unique,
} from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('deposits')

let world: World
let bank: Client
let ada: Person

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
  ada = await world.signUp()
})

test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const dollars = (wallet: string | number, reference: string, amount = '10.00') => ({
  wallet_id: wallet,
  amount,
  currency: 'USD',
  reference,
})

test('a deposit debits the clearing account, credits the wallet and is told in full', async () => {
  const person = await world.signUp()
  const reference = unique('first')
  const told = {
    ...dollars(person.walletId, reference, '115.60'),
    sender: 'Grace Hopper',
    details: 'зарплата за ноябрь',
  }
  const reply = await bank.post('/v1/deposits', {
    ...told,
    occurred_at: '2026-01-31T23:59:59.5+03:00',
  })
  assert.is(reply.status, 201)
  const { id, created_at, ...rest } = reply.body
  assert.is(id[14], '8')
  assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000)
  assert.equal(rest, { ...told, occurred_at: '2026-01-31T20:59:59.500Z' })
  assert.is(reply.headers.location, `/v1/deposits/${id}`)
  assert.equal(await must(bank.get(`/v1/deposits/${id}`), 200), reply.body)
  assert.is(await posted(person.client, person.walletId), '115.60')
  const page = await must(person.client.get(`/v1/wallets/${person.walletId}/transactions`), 200)
  const [entry] = page.data
  assert.is(entry.kind, 'deposit')
  assert.is(entry.direction, 'in')
  assert.is(entry.reference, reference)
  assert.is(entry.memo, told.details)
  assert.equal(
    { ...entry.counterparty, name: null },
    {
      wallet_id: null,
      number: null,
      username: null,
      name: null,
    },
  )
  assert.is.not(entry.counterparty.name, null)
})

test('only the required fields are required', async () => {
  const body = await must(bank.post('/v1/deposits', dollars(ada.walletId, unique('bare'))), 201)
  assert.equal([body.sender, body.details, body.occurred_at], [null, null, null])
})

test('the wallet can be named by id and number in every form', async () => {
  const person = await world.signUp()
  const { walletId, walletNumber } = person
  const names = [walletId, walletId.toUpperCase(), walletNumber, Number(walletNumber)]
  for (const name of names) {
    const body = await must(bank.post('/v1/deposits', dollars(name, unique('named'), '1')), 201)
    assert.is(body.wallet_id, walletId)
  }
  assert.is(await posted(person.client, walletId), '4.00')
})

test('the same reference pays once, also by another name, amount form, details and key', async () => {
  const person = await world.signUp()
  const reference = unique('once')
  const first = await bank.post('/v1/deposits', {
    ...dollars(person.walletId, reference),
    details: 'first',
  })
  assert.is(first.status, 201)
  assert.is(first.headers['idempotency-replayed'], undefined)
  const again: Json[] = [
    dollars(person.walletId, reference),
    dollars(person.walletNumber, reference, '10'),
    dollars(Number(person.walletNumber), reference, '010.0'),
    { ...dollars(person.walletId, reference), details: 'second', sender: 'someone' },
    { ...dollars(person.walletId, reference), occurred_at: '2026-02-01T00:00:00Z' },
  ]
  for (const input of again) {
    for (const headers of [{}, { 'idempotency-key': unique('key') }]) {
      const reply = await bank.post('/v1/deposits', input, { headers })
      assert.is(reply.status, 201, JSON.stringify(input))
      assert.is(reply.headers['idempotency-replayed'], 'true')
      assert.equal(reply.body, first.body)
    }
  }
  assert.is(await posted(person.client, person.walletId), '10.00')
})

test('a key does not join what the references tell apart', async () => {
  const person = await world.signUp()
  const headers = { 'idempotency-key': unique('same') }
  for (const reference of [unique('one'), unique('two')]) {
    const input = dollars(person.walletId, reference)
    assert.is((await bank.post('/v1/deposits', input, { headers })).status, 201)
  }
  assert.is(await posted(person.client, person.walletId), '20.00')
})

test('a reference with another amount, currency or wallet shows the original', async () => {
  const person = await world.signUp()
  const euros = (await openWallet(person.client, 'EUR')).id
  const reference = unique('conflict')
  const input = dollars(person.walletId, reference)
  const original = await must(bank.post('/v1/deposits', input), 201)
  const others: Json[] = [
    { ...input, amount: '10.01' },
    { ...input, wallet_id: ada.walletId },
    { ...input, wallet_id: euros, currency: 'EUR' },
    { ...input, currency: 'EUR' },
    { ...input, currency: 'XXX' },
    { ...input, amount: '0' },
    { ...input, wallet_id: '019363a0-0000-7000-8000-000000000001' },
  ]
  for (const other of others) {
    const reply = await bank.post('/v1/deposits', other)
    assertRefused(reply, 409, 'reference_reused', JSON.stringify(other))
    const { id, wallet_id, amount, currency, created_at } = original
    assert.equal(reply.body.original, { id, wallet_id, amount, currency, created_at })
  }
  assert.is(await posted(person.client, person.walletId), '10.00')
  assert.is(await posted(person.client, euros), '0.00')
  assert.equal(await must(bank.get(`/v1/deposits/${original.id}`), 200), original)
})

test('two payment systems may use the same reference, and see only their own', async () => {
  const person = await world.signUp()
  const other = await addPaymentSystem(world)
  const reference = unique('shared')
  const input = dollars(person.walletId, reference)
  const mine = await must(bank.post('/v1/deposits', input), 201)
  const theirs = await must(other.post('/v1/deposits', { ...input, amount: '7' }), 201)
  assert.is.not(mine.id, theirs.id)
  assert.is(await posted(person.client, person.walletId), '17.00')
  assertRefused(await other.get(`/v1/deposits/${mine.id}`), 404, 'deposit_not_found')
  assertRefused(await bank.get(`/v1/deposits/${theirs.id}`), 404, 'deposit_not_found')
  assert.equal((await must(other.get('/v1/deposits'), 200)).data, [theirs])
  const ids = (await must(bank.get('/v1/deposits?limit=200'), 200)).data.map(({ id }: Json) => id)
  assert.ok(ids.includes(mine.id) && !ids.includes(theirs.id))
})

test('a deposit is found by its own id only', async () => {
  await fund(bank, ada.walletId, '1')
  const nothing = '00000000-0000-0000-0000-000000000000'
  for (const id of [nothing, nothing.replaceAll('0', 'f'), randomUUID(), ada.walletId]) {
    assertRefused(await bank.get(`/v1/deposits/${id}`), 404, 'deposit_not_found', id)
  }
  assertRefused(await bank.get('/v1/deposits/1'), 422, 'invalid_request')
})

test('a deposit that was declined succeeds once after the reason has passed', async () => {
  const person = await world.signUp()
  const reference = unique('declined')
  const input = dollars(person.walletId, reference)
  const wallet = { id: person.walletId, currency: 'USD' }
  const open = await closeAccount(world.deps.ledger, wallet, ada.walletId)
  for (let tries = 0; tries < 3; tries += 1) {
    assertRefused(await bank.post('/v1/deposits', input), 422, 'recipient_closed')
  }
  assert.is(await posted(person.client, person.walletId), '0.00')
  await open()
  const racers = Array.from({ length: 10 }, () => bank.post('/v1/deposits', input))
  const replies = await Promise.all(racers)
  assert.ok(replies.every(({ status }) => status === 201))
  const first = replies.filter(({ headers }) => headers['idempotency-replayed'] === undefined)
  assert.is(first.length, 1)
  assert.is(new Set(replies.map(({ text }) => text)).size, 1)
  assert.is(await posted(person.client, person.walletId), '10.00')
})

test('a declined deposit may come back with another amount', async () => {
  const person = await world.signUp()
  const input = dollars(person.walletId, unique('corrected'))
  const wallet = { id: person.walletId, currency: 'USD' }
  const open = await closeAccount(world.deps.ledger, wallet, ada.walletId)
  assertRefused(await bank.post('/v1/deposits', input), 422, 'recipient_closed')
  await open()
  const booked = await must(bank.post('/v1/deposits', { ...input, amount: '3' }), 201)
  assert.is(booked.amount, '3.00')
  assertRefused(await bank.post('/v1/deposits', input), 409, 'reference_reused')
  assert.is(await posted(person.client, person.walletId), '3.00')
})

test('twenty copies of a deposit at once pay once, whatever they differ in', async () => {
  const person = await world.signUp()
  const reference = unique('race')
  const amounts = Array.from({ length: 20 }, (_, index) => (index % 2 ? '5.00' : '6.00'))
  const replies = await Promise.all(
    amounts.map((amount) => bank.post('/v1/deposits', dollars(person.walletId, reference, amount))),
  )
  const booked = replies.filter(({ status }) => status === 201)
  assert.is(booked.length, 10)
  assert.is(new Set(booked.map(({ text }) => text)).size, 1)
  for (const reply of replies)
    if (reply.status !== 201) assertRefused(reply, 409, 'reference_reused')
  assert.is(await posted(person.client, person.walletId), booked[0]?.body.amount)
})

test('the first deposits of a currency race for its clearing account', async () => {
  const other = await addPaymentSystem(world)
  const francs = (await openWallet(ada.client, 'CHF')).id
  const inputs = Array.from({ length: 10 }, () => ({
    ...dollars(francs, unique('franc'), '1'),
    currency: 'CHF',
  }))
  const replies = await Promise.all(inputs.map((input) => other.post('/v1/deposits', input)))
  assert.equal(
    replies.map(({ status }) => status),
    inputs.map(() => 201),
  )
  assert.is(await posted(ada.client, francs), '10.00')
})

const base = (change: Json): string =>
  JSON.stringify({ ...dollars(ada.walletId, 'never booked'), ...change })

/** What is refused, with what changes of a right deposit. */
const refusals = (): [text: string, status: number, code: string][] => [
  [base({ amount: '1,5' }), 422, 'amount_malformed'],
  [base({}).replace('"10.00"', '1e3'), 422, 'amount_malformed'],
  [base({ amount: '0' }), 422, 'amount_not_positive'],
  [base({ amount: -1 }), 422, 'amount_not_positive'],
  [base({ amount: '1.000' }), 422, 'amount_too_precise'],
  [base({ amount: '9'.repeat(50) }), 422, 'amount_too_large'],
  [base({ currency: 'XXX' }), 422, 'currency_not_supported'],
  [base({ currency: 'EUR' }), 422, 'currency_mismatch'],
  [base({ currency: 'usd' }), 422, 'invalid_request'],
  [base({ currency: 840 }), 422, 'invalid_request'],
  [base({ wallet_id: '1000000008' }), 404, 'wallet_not_found'],
  [base({ wallet_id: '1000000000' }), 422, 'wallet_number_mistyped'],
  [base({ wallet_id: randomUUID() }), 404, 'wallet_not_found'],
  [base({ wallet_id: ada.userId }), 404, 'wallet_not_found'],
  [base({ wallet_id: 'ada' }), 422, 'invalid_request'],
  [base({ reference: '' }), 422, 'invalid_request'],
  [base({ reference: 'x'.repeat(256) }), 422, 'invalid_request'],
  [base({ reference: 7 }), 422, 'invalid_request'],
  [base({ sender: 'x'.repeat(201) }), 422, 'invalid_request'],
  [base({ details: 'x'.repeat(501) }), 422, 'invalid_request'],
  [base({ details: 'a\0b' }), 400, 'malformed_body'],
  [base({ occurred_at: 'yesterday' }), 422, 'invalid_request'],
  [base({ occurred_at: '2026-02-30T00:00:00Z' }), 422, 'invalid_request'],
  [base({ occurred_at: '2026-01-01T00:00:00' }), 422, 'invalid_request'],
  [base({ occurred_at: '1969-12-31T23:59:59Z' }), 422, 'invalid_request'],
  [base({ occurred_at: '2200-01-01T00:00:00Z' }), 422, 'invalid_request'],
  [base({ occurred_at: 0 }), 422, 'invalid_request'],
  [base({ wallet: 'x' }), 422, 'invalid_request'],
  ['{}', 422, 'invalid_request'],
  ['[]', 422, 'invalid_request'],
  ['{', 400, 'malformed_body'],
]

test('a deposit that is wrong is refused by its code and books nothing', async () => {
  const before = await posted(ada.client, ada.walletId)
  for (const [text, status, code] of refusals()) {
    assertRefused(await postText(bank, '/v1/deposits', text), status, code, text)
  }
  assert.is(await posted(ada.client, ada.walletId), before)
  const booked = await bank.post('/v1/deposits', dollars(ada.walletId, 'never booked'))
  assert.is(booked.headers['idempotency-replayed'], undefined, 'none of them used the reference')
})

test('an amount may be a JSON number, read digit by digit', async () => {
  const person = await world.signUp()
  const text = JSON.stringify(dollars(person.walletId, unique('number'))).replace(
    '"10.00"',
    '9007199254740993.07',
  )
  assert.is((await postText(bank, '/v1/deposits', text)).body.amount, '9007199254740993.07')
})

test('the list is newest first over all currencies, in stable pages', async () => {
  const other = await addPaymentSystem(world)
  const person = await world.signUp()
  const euros = (await openWallet(person.client, 'EUR')).id
  const ids: string[] = []
  for (let index = 0; index < 7; index += 1) {
    const [wallet, currency] = index % 2 ? [euros, 'EUR'] : [person.walletId, 'USD']
    ids.unshift((await fund(other, wallet, '1', currency)).id)
  }
  const seen: string[] = []
  let path = '/v1/deposits?limit=3'
  for (let pages = 1; ; pages += 1) {
    const page = await must(other.get(path), 200)
    seen.push(...page.data.map(({ id }: Json) => id))
    await fund(other, euros, '1', 'EUR')
    if (page.next_cursor === null) {
      assert.is(pages, 3)
      break
    }
    path = `/v1/deposits?limit=3&cursor=${page.next_cursor}`
  }
  assert.equal(seen, ids)
  const inEuros = await must(other.get('/v1/deposits?currency=EUR&limit=200'), 200)
  assert.is(inEuros.data.length, 6)
  assert.is(inEuros.next_cursor, null)
  assert.equal((await must(other.get('/v1/deposits?currency=JPY'), 200)).data, [])
  assertRefused(await other.get('/v1/deposits?currency=XXX'), 422, 'currency_not_supported')
})

test.run()
