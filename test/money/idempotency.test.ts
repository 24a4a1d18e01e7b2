import { randomUUID } from 'node:crypto'
import { checkBooks } from '../lib/books.ts'
import { type Client, isReplay, type Json, type Reply } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('idempotency of transfers')

let world: World
let bank: Client

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
})

test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

/** Two people, the first with this much. */
async function pair(amount: string): Promise<{ payer: Person; payee: Person }> {
  const [payer, payee] = await Promise.all([
    world.signUp(),
    world.signUp({ username: `payee_${randomUUID().slice(0, 8)}` }),
  ])
  if (amount !== '0') await fund(bank, payer.walletId, amount)
  return { payer, payee }
}

const balanceOf = ({ client, walletId }: Person) => posted(client, walletId)

test('a repeated request pays once and is answered as the first time', async () => {
  const { payer, payee } = await pair('10.00')
  const input = { to_wallet_id: payee.walletId, amount: '3', memo: 'rent' }
  const key = unique('key')
  const first = await pay(payer.client, input, key)
  assert.is(first.status, 201)
  assert.not(isReplay(first))
  for (let count = 0; count < 3; count += 1) {
    const again = await pay(payer.client, input, key)
    assert.is(again.status, 201)
    assert.ok(isReplay(again))
    assert.equal(again.body, first.body)
    assert.is(again.headers.location, first.headers.location)
  }
  assert.is(await balanceOf(payee), '3.00')
})

test('without a key each request is a payment of its own', async () => {
  const { payer, payee } = await pair('10.00')
  const input = { to_wallet_id: payee.walletId, amount: '3' }
  const [one, two] = [await pay(payer.client, input), await pay(payer.client, input)]
  assert.is.not(one.body.id, two.body.id)
  assert.not(isReplay(two))
  assert.is(await balanceOf(payee), '6.00')
})

test('a replay is told also when the money is gone meanwhile', async () => {
  const { payer, payee } = await pair('10.00')
  const input = { to_wallet_id: payee.walletId, amount: '6' }
  const key = unique('key')
  await must(pay(payer.client, input, key), 201)
  await must(pay(payer.client, { ...input, amount: '4' }), 201)
  assert.ok(isReplay(await pay(payer.client, input, key)))
  assert.is(await balanceOf(payer), '0.00')
})

test('one number or name in several spellings is the same input', async () => {
  const { payer, payee } = await pair('10.00')
  const key = unique('key')
  const to = payee.walletId
  const spellings = ['"1.50"', '"1.5"', '1.5', '1.50', '"01.5"', '"001.50"']
  const replies: Reply[] = []
  for (const [index, amount] of spellings.entries()) {
    const wallet = index % 2 ? to.toUpperCase() : to
    const text = `{"amount":${amount},"to_wallet_id":"${wallet}"}`
    const headers = { 'content-type': 'application/json', 'idempotency-key': key }
    replies.push(await payer.client.send('POST', '/v1/transfers', { text, headers }))
  }
  assert.equal(
    replies.map(({ status }) => status),
    spellings.map(() => 201),
  )
  assert.equal(
    replies.map(isReplay),
    spellings.map((_, index) => index > 0),
  )
  assert.is(await balanceOf(payee), '1.50')
})

test('another input under the same key is refused and changes nothing', async () => {
  const { payer, payee } = await pair('10.00')
  const other = await openWallet(payer.client, 'USD')
  const input = {
    from_wallet_id: payer.walletId,
    to_wallet_id: payee.walletId,
    amount: '3',
    currency: 'USD',
    memo: 'rent',
  }
  const { from_wallet_id, currency, memo, ...bare } = input
  const key = unique('key')
  const { id } = await must(pay(payer.client, input, key), 201)
  const { username } = (await must(payee.client.get('/v1/session'), 200)).user
  const others: Json[] = [
    { ...input, amount: '3.01' },
    { ...input, memo: 'Rent' },
    { ...bare, from_wallet_id, currency },
    { ...bare, from_wallet_id, memo },
    { ...bare, currency, memo },
    { ...input, from_wallet_id: other.id },
    { ...input, to_wallet_id: other.id },
    { ...input, to_wallet_id: payee.walletNumber },
    { from_wallet_id, currency, memo, amount: '3', to_username: username },
    { ...input, to_wallet_id: payer.walletId },
    { ...input, to_wallet_id: randomUUID() },
    { ...input, currency: 'EUR' },
    { ...input, amount: '0' },
    { ...input, amount: '1000000' },
  ]
  for (const wrong of others) {
    const reply = await pay(payer.client, wrong, key)
    assertRefused(reply, 409, 'idempotency_key_reused', JSON.stringify(wrong))
  }
  assert.is((await must(payer.client.get(`/v1/transfers/${id}`), 200)).memo, 'rent')
  assert.is(await balanceOf(payee), '3.00')
})

test('a key belongs to its caller: the same key of another person is another payment', async () => {
  const { payer, payee } = await pair('10.00')
  await fund(bank, payee.walletId, '10.00')
  const key = unique('key')
  const there = await pay(payer.client, { to_wallet_id: payee.walletId, amount: '3' }, key)
  const back = await pay(payee.client, { to_wallet_id: payer.walletId, amount: '3' }, key)
  assert.equal([there.status, back.status], [201, 201])
  assert.not(isReplay(back))
  assert.is.not(there.body.id, back.body.id)
})

test('a key of a payment and the same text as the reference of a deposit do not meet', async () => {
  const { payer, payee } = await pair('10.00')
  const key = unique('both')
  const paid = await must(
    pay(payer.client, { to_wallet_id: payee.walletId, amount: '3' }, key),
    201,
  )
  const input = { wallet_id: payee.walletId, amount: '3', currency: 'USD', reference: key }
  const booked = await bank.post('/v1/deposits', input, { headers: { 'idempotency-key': key } })
  assert.is(booked.status, 201)
  assert.is.not(booked.body.id, paid.id)
  assert.is(await balanceOf(payee), '6.00')
})

test('a key has 1 to 255 bytes of any kind', async () => {
  const { payer, payee } = await pair('10.00')
  const input = { to_wallet_id: payee.walletId, amount: '1' }
  const tail = randomUUID()
  const keys = ['k'.repeat(255 - tail.length) + tail, `${tail} with, "signs" = ;`, `${tail}éö`]
  for (const key of keys) {
    assert.not(isReplay(await pay(payer.client, input, key)), key)
    assert.ok(isReplay(await pay(payer.client, input, key)), key)
  }
  const lookAlikes = keys.map((key) => key.toUpperCase())
  for (const key of lookAlikes) assert.not(isReplay(await pay(payer.client, input, key)), key)
  for (const key of ['', 'k'.repeat(256)]) {
    const reply = await pay(payer.client, input, key)
    assertRefused(reply, 422, 'invalid_request')
    assert.is(reply.body.errors[0].pointer, 'Idempotency-Key')
  }
  assert.is(await balanceOf(payee), '6.00')
})

test('a decline is final: the same key stays declined when the money has come', async () => {
  const { payer, payee } = await pair('1.00')
  const input = { to_wallet_id: payee.walletId, amount: '3' }
  const key = unique('key')
  const first = await pay(payer.client, input, key)
  assertRefused(first, 422, 'insufficient_funds')
  assert.not(isReplay(first))
  await fund(bank, payer.walletId, '10.00')
  for (let count = 0; count < 2; count += 1) {
    const again = await pay(payer.client, input, key)
    assertRefused(again, 422, 'insufficient_funds')
    assert.ok(isReplay(again))
  }
  assertRefused(
    await pay(payer.client, { ...input, amount: '2' }, key),
    409,
    'idempotency_key_reused',
  )
  assert.is(await balanceOf(payee), '0.00')
  assert.is((await pay(payer.client, input, unique('key'))).status, 201)
})

test('a decline for a recipient who does not exist is as final', async () => {
  const { payer } = await pair('10.00')
  const nobody: Json[] = [
    { to_wallet_id: '019363a0-0000-7000-8000-00000000000f' },
    { to_wallet_id: randomUUID() },
    { to_username: 'nobody.has.this' },
  ]
  for (const recipient of nobody) {
    const key = unique('key')
    const input = { ...recipient, amount: '3' }
    assertRefused(await pay(payer.client, input, key), 422, 'recipient_not_found')
    const again = await pay(payer.client, input, key)
    assertRefused(again, 422, 'recipient_not_found')
    assert.ok(isReplay(again))
  }
})

test('what was refused before the ledger has not used its key', async () => {
  const { payer, payee } = await pair('10.00')
  const euros = (await openWallet(payee.client, 'EUR')).id
  const right = { to_wallet_id: payee.walletId, amount: '1' }
  const wrong: Json[] = [
    { ...right, amount: '1,0' },
    { ...right, amount: '0' },
    { ...right, amount: '0.001' },
    { ...right, currency: 'EUR' },
    { ...right, to_wallet_id: payer.walletId },
    { ...right, from_wallet_id: payee.walletId },
    // The ledger itself refuses it, but for a reason that burns nothing.
    { ...right, to_wallet_id: euros },
  ]
  for (const input of wrong) {
    const key = unique('key')
    const refusal = await pay(payer.client, input, key)
    assert.ok([404, 422].includes(refusal.status), refusal.text)
    const reply = await pay(payer.client, right, key)
    assert.is(reply.status, 201, `${JSON.stringify(input)}: ${reply.text}`)
    assert.not(isReplay(reply))
  }
  assert.is(await balanceOf(payee), '7.00')
})

test('a payment is replayed when the paying wallet could not be told apart any more', async () => {
  const { payer, payee } = await pair('10.00')
  const input = { to_wallet_id: payee.walletId, amount: '3' }
  const key = unique('key')
  const first = await pay(payer.client, input, key)
  await openWallet(payer.client, 'USD')
  assertRefused(await pay(payer.client, input), 422, 'wallet_ambiguous')
  const again = await pay(payer.client, input, key)
  assert.ok(isReplay(again))
  assert.equal(again.body, first.body)
  const other = await pay(payer.client, { ...input, amount: '4' }, key)
  assertRefused(other, 409, 'idempotency_key_reused')
})

test('a payment is replayed when the username names nobody any more', async () => {
  const { payer, payee } = await pair('10.00')
  const { username } = (await must(payee.client.get('/v1/session'), 200)).user
  const input = { to_username: username, amount: '3' }
  const key = unique('key')
  const first = await pay(payer.client, input, key)
  await world.deps.db
    .updateTable('users')
    .set({ deactivated_at: new Date() })
    .where('id', '=', payee.userId)
    .execute()
  assertRefused(await pay(payer.client, input), 422, 'recipient_not_found')
  const again = await pay(payer.client, input, key)
  assert.ok(isReplay(again))
  assert.equal(again.body, first.body)
})

test('twenty copies of a request at once pay once', async () => {
  const { payer, payee } = await pair('100.00')
  const input = { to_wallet_id: payee.walletId, amount: '3', memo: 'once' }
  const key = unique('key')
  const copies = Array.from({ length: 20 }, () => pay(payer.client, input, key))
  const replies = await Promise.all(copies)
  assert.ok(replies.every(({ status }) => status === 201))
  assert.is(replies.filter((reply) => !isReplay(reply)).length, 1)
  assert.is(new Set(replies.map(({ text }) => text)).size, 1)
  assert.is(await balanceOf(payee), '3.00')
})

test('of twenty different requests with one key at once just one pays', async () => {
  const { payer, payee } = await pair('100.00')
  const key = unique('key')
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      pay(payer.client, { to_wallet_id: payee.walletId, amount: `${index + 1}` }, key),
    ),
  )
  const paid = replies.filter(({ status }) => status === 201)
  assert.is(paid.length, 1)
  for (const reply of replies) {
    if (reply !== paid[0]) assertRefused(reply, 409, 'idempotency_key_reused')
  }
  assert.is(await balanceOf(payee), paid[0]?.body.amount)
})

test('twenty copies of a request without enough money are all declined, also later', async () => {
  const { payer, payee } = await pair('1.00')
  const input = { to_wallet_id: payee.walletId, amount: '3' }
  const key = unique('key')
  const send = () => pay(payer.client, input, key)
  const replies = await Promise.all(Array.from({ length: 20 }, send))
  assert.ok(replies.every(({ status }) => status === 422))
  await fund(bank, payer.walletId, '10.00')
  assertRefused(await send(), 422, 'insufficient_funds')
  assert.is(await balanceOf(payee), '0.00')
})

test.run()
