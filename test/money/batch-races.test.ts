/**
 * Batches against what happens at the same moment, and without an answer of the ledger. One Kassa is
 * stopped right before it submits, and something else goes through at another.
 */
import { type Ledger, RequestTooLarge } from '../../accounting/client.ts'
import { checkBooks } from '../lib/books.ts'
import { disturb } from '../lib/disturb.ts'
import { type Client, type Json, type Reply, sameSession } from '../lib/http.ts'
import { assertRefused, fund, pair, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('batches, races')

const disturbance = disturb()
let world: World
let bank: Client
let disturbedUrl: string
/** Of a Kassa whose ledger was started for development. */
let smallUrl: string

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
  disturbedUrl = (await world.startAnother({ adapt: disturbance.adapt })).url
  const adapt = (deps: World['deps']) => ({ ...deps, ledger: takingSmallRequests(deps.ledger) })
  smallUrl = (await world.startAnother({ adapt })).url
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})
test.after.each(() => disturbance.reset())

/** A ledger that refuses requests of more than 250 events, which is known after the first of them. */
function takingSmallRequests(ledger: Ledger): Ledger {
  let eventsMax = 8_189
  const changes: Partial<Ledger> = {
    largestRequest: () => eventsMax,
    async createTransfers(batch) {
      if (batch.length <= 250) return ledger.createTransfers(batch)
      eventsMax = 250
      throw new RequestTooLarge('too much data')
    },
  }
  return Object.assign(Object.create(ledger), changes)
}

function send(client: Client, atomic: boolean, transfers: Json[], key: string): Promise<Reply> {
  const headers = { 'idempotency-key': key }
  return client.post('/v1/transfers/batch', { atomic, transfers }, { headers })
}

const codes = ({ results }: Json): string[] =>
  results.map(({ code, status }: Json) => code ?? status)

/** A payer at both Kassas, with this much money. */
async function scene(amount: string) {
  const people = await pair(world, bank, amount)
  const slow = sameSession(people.payer, world.client(disturbedUrl))
  return { ...people, slow, key: unique('batch') }
}

for (const atomic of [false, true]) {
  const name = atomic ? 'an atomic batch' : 'independent payments'

  test(`${name} sent twice: the first committed pays, and both answer the same`, async () => {
    const { payer, payee, slow, to, key } = await scene('10.00')
    const transfers = [
      { to_wallet_id: to, amount: '1.00', memo: 'one' },
      { to_wallet_id: to, amount: '2.00' },
    ]
    let first: Reply | undefined
    disturbance.before(1, async () => {
      first = await send(payer, atomic, transfers, key)
    })
    const second = await send(slow, atomic, transfers, key)
    assert.equal([second.status, first?.status], [200, 200])
    assert.equal(second.body, first?.body)
    assert.is(second.headers['idempotency-replayed'], 'true')
    const replies = await Promise.all(
      [payer, slow, payer, slow].map((client) => send(client, atomic, transfers, key)),
    )
    for (const { body } of replies) assert.equal(body, second.body)
    assert.is(await posted(payee, to), '3.00')
  })

  test(`${name} without an answer: unknown, and the key tells the truth`, async () => {
    for (const happened of [false, true]) {
      const { payee, slow, to, key } = await scene('10.00')
      const transfers = [
        { to_wallet_id: to, amount: '1.00' },
        { to_wallet_id: to, amount: '2.00' },
      ]
      if (happened) disturbance.loseAnswerOf(1)
      else disturbance.failAt(1)
      const unknown = await send(slow, atomic, transfers, key)
      assertRefused(unknown, 503, 'outcome_unknown')
      assert.ok(unknown.body.operation_id)
      assert.is(await posted(payee, to), happened ? '3.00' : '0.00')
      disturbance.reset()
      const again = await send(slow, atomic, transfers, key)
      assert.equal(codes(again.body), ['done', 'done'])
      assert.is(again.headers['idempotency-replayed'], happened ? 'true' : undefined)
      assert.is(await posted(payee, to), '3.00')
    }
  })
}

test('another sees the recipient who was missing here: that was first, and is told here too', async () => {
  const { payer, payee, slow, to, key } = await scene('10.00')
  const transfers = [
    { to_username: 'late_comer', amount: '1.00' },
    { to_wallet_id: to, amount: '2.00' },
  ]
  disturbance.before(1, async () => {
    await world.signUp({ username: 'late_comer' })
    assert.equal(codes((await send(payer, false, transfers, key)).body), ['done', 'done'])
  })
  assert.equal(codes((await send(slow, false, transfers, key)).body), ['done', 'done'])
  assert.is(await posted(payee, to), '2.00')
})

test('the recipient is missing here first: the other who sees them later does not pay', async () => {
  const { payer, slow, to, key } = await scene('10.00')
  const transfers = [{ to_username: 'later_comer', amount: '1.00' }]
  await send(slow, false, transfers, key)
  await world.signUp({ username: 'later_comer' })
  assert.equal(codes((await send(payer, false, transfers, key)).body), ['recipient_not_found'])
  assert.ok(to)
})

test('the wallet is drained before a batch: what is left pays the first of it, or none', async () => {
  const { payer, payee, slow, to } = await scene('10.00')
  const transfers = [
    { to_wallet_id: to, amount: '1.00' },
    { to_wallet_id: to, amount: '3.00' },
    { to_wallet_id: to, amount: '1.00' },
  ]
  const drain = (amount: string) => () => must(pay(payer, { to_wallet_id: to, amount }), 201)
  disturbance.before(1, drain('8.00'))
  const each = await send(slow, false, transfers, unique('batch'))
  assert.equal(codes(each.body), ['done', 'insufficient_funds', 'done'])
  await fund(bank, (await must(payer.get('/v1/wallets'), 200)).data[0].id, '5.00')
  disturbance.before(1, drain('1.00'))
  const key = unique('batch')
  const together = await send(slow, true, transfers, key)
  assertRefused(together, 422, 'insufficient_funds')
  assert.is(together.body.index, 2)
  assert.is(await posted(payee, to), '11.00')
  // The decline's own burning has happened: more money changes nothing.
  await fund(bank, (await must(payer.get('/v1/wallets'), 200)).data[0].id, '5.00')
  assertRefused(await send(payer, true, transfers, key), 422, 'insufficient_funds')
})

test('a ledger for development: smaller requests, and fewer legs in an atomic batch', async () => {
  const { payer, payee, to } = await scene('10.00')
  const small = sameSession(payer, world.client(smallUrl))
  const all = Array.from({ length: 600 }, () => ({ to_wallet_id: to, amount: '0.01' }))
  const atomic = await send(small, true, all, unique('batch'))
  assertRefused(atomic, 422, 'batch_too_large')
  assert.equal([atomic.body.legs, atomic.body.legs_max], [600, 250])
  const { body } = await send(small, false, all, unique('batch'))
  assert.equal(body.counts, { done: 600, refused: 0 })
  assert.is((await send(small, true, all.slice(0, 250), unique('batch'))).status, 200)
  assert.is(await posted(payee, to), '8.50')
})

test.run()
