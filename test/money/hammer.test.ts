import type { Kassa } from '../../server/main.ts'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json } from '../lib/http.ts'
import { assertRefused, fund, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('hammer')

/** Two processes' worth of Kassa on the same servers. */
let world: World
let other: Kassa
let bank: Client

test.before(async () => {
  world = await createWorld()
  other = await world.startAnother()
  bank = await world.paymentSystem()
})

test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

/** The person's session at both Kassas. */
function both(client: Client): [Client, Client] {
  const there = world.client(other.url)
  for (const [name, value] of client.cookies) there.cookies.set(name, value)
  return [client, there]
}

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

const historyOf = async (client: Client, walletId: string): Promise<Json[]> =>
  (await must(client.get(`/v1/wallets/${walletId}/transactions?limit=200`), 200)).data

/** The money allows exactly 50 of 200. */
const racing = 200
const allowed = 50

test('two hundred payments race in two processes for money that allows exactly fifty', async () => {
  const [payer, payee] = [await world.signUp(), await world.signUp()]
  await fund(bank, payer.walletId, '500.00')
  const clients = both(payer.client)
  const input = { to_wallet_id: payee.walletId, amount: '10' }
  const keys = times(racing, () => unique('race'))
  const send = (key: string, index: number) => pay(clients[index % 2] ?? payer.client, input, key)
  const replies = await Promise.all(keys.map(send))
  const paid = replies.filter(({ status }) => status === 201)
  assert.is(paid.length, allowed)
  for (const reply of replies) {
    if (reply.status !== 201) assertRefused(reply, 422, 'insufficient_funds')
  }
  assert.is(await posted(payer.client, payer.walletId), '0.00')
  assert.is(await posted(payee.client, payee.walletId), '500.00')

  // Sent again to the other process, each is answered as before, though there is money again.
  await fund(bank, payer.walletId, '500.00')
  const again = await Promise.all(keys.map((key, index) => send(key, index + 1)))
  for (const [index, { status, body, headers }] of again.entries()) {
    assert.is(status, replies[index]?.status)
    assert.is(body.id ?? body.code, replies[index]?.body.id ?? replies[index]?.body.code)
    assert.is(headers['idempotency-replayed'], 'true')
  }
  assert.is(await posted(payer.client, payer.walletId), '500.00')
  const history = await historyOf(payee.client, payee.walletId)
  assert.equal(
    history.map(({ balance }) => balance),
    times(allowed, (index) => `${500 - 10 * index}.00`),
  )
})

test('money that goes round and round in two processes stays the same money', async () => {
  const people = await Promise.all(times(5, () => world.signUp()))
  for (const { walletId } of people) await fund(bank, walletId, '10.00')
  const payments = people.flatMap((person, index) => {
    const next = people[(index + 1) % people.length]
    const clients = both(person.client)
    return times(40, (count) =>
      pay(clients[count % 2] ?? person.client, { to_wallet_id: next?.walletId, amount: '3' }),
    )
  })
  const replies = await Promise.all(payments)
  const paid = replies.filter(({ status }) => status === 201)
  for (const reply of replies) {
    if (reply.status !== 201) assertRefused(reply, 422, 'insufficient_funds')
  }
  const balances = people.map(({ client, walletId }) => posted(client, walletId))
  const total = (await Promise.all(balances)).reduce((sum, balance) => sum + Number(balance), 0)
  assert.is(total, 50)
  const histories = people.map(({ client, walletId }) => historyOf(client, walletId))
  const outgoing = (await Promise.all(histories)).flat().filter((t) => t.direction === 'out')
  assert.equal(outgoing.map(({ id }) => id).sort(), paid.map(({ body }) => body.id).sort())
})

test('one key and one reference, fifty times in two processes, each pays once', async () => {
  const [payer, payee] = [await world.signUp(), await world.signUp()]
  const reference = unique('hammer')
  const key = unique('hammer')
  const deposit = { wallet_id: payer.walletId, amount: '100', currency: 'USD', reference }
  const banks = both(bank)
  const booked = await Promise.all(
    times(50, (index) => must((banks[index % 2] ?? bank).post('/v1/deposits', deposit), 201)),
  )
  const payers = both(payer.client)
  const input = { to_wallet_id: payee.walletId, amount: '1' }
  const paid = await Promise.all(
    times(50, (index) => must(pay(payers[index % 2] ?? payer.client, input, key), 201)),
  )
  assert.is(new Set(booked.map(({ id }) => id)).size, 1)
  assert.is(new Set(paid.map(({ id }) => id)).size, 1)
  assert.is(await posted(payer.client, payer.walletId), '99.00')
  assert.is(await posted(payee.client, payee.walletId), '1.00')
})

test('a hundred deposits and payments out of them at once leave what they add up to', async () => {
  const [payer, payee] = [await world.signUp(), await world.signUp()]
  const banks = both(bank)
  const payers = both(payer.client)
  const deposits = times(100, (index) => fund(banks[index % 2] ?? bank, payer.walletId, '1.00'))
  const payments = times(100, (index) =>
    pay(payers[index % 2] ?? payer.client, { to_wallet_id: payee.walletId, amount: '1.00' }),
  )
  await Promise.all(deposits)
  const paid = (await Promise.all(payments)).filter(({ status }) => status === 201).length
  assert.is(await posted(payer.client, payer.walletId), `${100 - paid}.00`)
  assert.is(await posted(payee.client, payee.walletId), `${paid}.00`)
})

test.run()
