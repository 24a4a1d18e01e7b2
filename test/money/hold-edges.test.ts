/** Holds where something goes wrong in the middle, or where somebody tries to make it. */
import { type Ledger, LedgerUnavailable } from '../../accounting/client.ts'
import { readHold } from '../../accounting/holds.ts'
import { checkBooks } from '../lib/books.ts'
import { type Client, type Json, type Reply, sameSession } from '../lib/http.ts'
import { addPaymentSystem, assertRefused, closeAccount, fund, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('holds, the edges')

let world: World
let ada: Person
let shop: Person
/** The shop at a Kassa whose ledger can be disturbed. */
let disturbed: Client
let url: string
/** Carried out once, before the disturbed Kassa submits transfers. */
let beforeSubmission: (() => Promise<unknown>) | undefined
/** Whether the disturbed Kassa's ledger answers nothing after it has taken transfers. */
let goesAwayAfterSubmission = false
/** Queries of transfers under way at the disturbed Kassa, and the most there have been. */
let queries = 0
let queriesMost = 0

test.before(async () => {
  world = await createWorld()
  const other = await world.startAnother({
    adapt: (deps) => ({ ...deps, ledger: disturb(deps.ledger) }),
  })
  ;[ada, shop] = await Promise.all([world.signUp(), world.signUp()])
  url = other.url
  disturbed = world.client(url)
  sameSession(shop.client, disturbed)
  await fund(await addPaymentSystem(world), ada.walletId, '1000.00')
})
test.before.each(() => {
  beforeSubmission = undefined
  goesAwayAfterSubmission = false
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

function disturb(ledger: Ledger): Ledger {
  let isAway = false
  const changes: Partial<Ledger> = {
    async createTransfers(batch) {
      const before = beforeSubmission
      beforeSubmission = undefined
      await before?.()
      const results = await ledger.createTransfers(batch)
      isAway = goesAwayAfterSubmission
      return results
    },
    async queryTransfers(filter) {
      isAway &&= goesAwayAfterSubmission
      if (isAway) throw new LedgerUnavailable('it went away')
      // Of objects by their id: the job that follows the ledger asks by code.
      const isOfOne = filter.user_data_128 !== 0n
      if (isOfOne) queries += 1
      queriesMost = Math.max(queriesMost, queries)
      return ledger.queryTransfers(filter).finally(() => {
        if (isOfOne) queries -= 1
      })
    },
  }
  return Object.assign(Object.create(ledger), changes)
}

const keyed = (key?: string) => (key ? { headers: { 'idempotency-key': key } } : undefined)

async function placed(amount: string): Promise<Json> {
  const input = { from_wallet_id: ada.walletId, to_wallet_id: shop.walletId, amount }
  return must(ada.client.post('/v1/holds', input), 201)
}

function capture(
  hold: Json,
  input: Json = {},
  { key, by = shop.client }: { key?: string; by?: Client } = {},
): Promise<Reply> {
  return by.post(`/v1/holds/${hold.id}/capture`, input, keyed(key))
}

const release = (hold: Json, by = shop.client) => by.send('POST', `/v1/holds/${hold.id}/void`, {})

async function read(hold: Json): Promise<Json> {
  return must(ada.client.get(`/v1/holds/${hold.id}`), 200)
}

test('the id of nothing names no hold, rather than all of them', async () => {
  await placed('1.00')
  const nothing = '00000000-0000-0000-0000-000000000000'
  assert.is(await readHold(world.deps.ledger, nothing, 0n), undefined)
  assertRefused(await capture({ id: nothing }), 404, 'hold_not_found')
  assertRefused(await release({ id: nothing }), 404, 'hold_not_found')
})

test('giving back twenty times at once gives back once, and all are told so', async () => {
  for (let round = 0; round < 5; round += 1) {
    const hold = await placed('5.00')
    if (round % 2 === 1) await must(capture(hold, { amount: '1.00', final: false }), 201)
    const replies = await Promise.all(Array.from({ length: 20 }, () => release(hold)))
    const told = replies.map(({ status, body }) => `${status} ${body.state ?? body.code}`)
    assert.equal(told, Array(20).fill('200 voided'))
  }
})

test('a hold of a few cents takes no more captures than can be read again', async () => {
  const hold = await placed('1.99')
  const small = { amount: '0.01', final: false }
  assertRefused(await capture(hold, small), 422, 'capture_too_small')
  for (let count = 1; count < 100; count += 1) {
    const { hold: now } = await must(capture(hold, { ...small, amount: '0.02' }), 201)
    assert.is(now.state, 'open')
  }
  assert.equal([(await read(hold)).captured, (await read(hold)).held], ['1.98', '0.01'])
  await must(capture(hold, small), 201)
  assert.is((await read(hold)).state, 'captured')
})

test('a replay that the ledger finds out tells what was captured, not what was asked', async () => {
  const hold = await placed('10.00')
  const key = unique('all')
  beforeSubmission = async () => {
    await must(capture(hold, { amount: '3.00', final: false }), 201)
    await must(capture(hold, {}, { key }), 201)
  }
  const late = await capture(hold, {}, { key, by: disturbed })
  assert.equal([late.status, late.body.amount], [201, '7.00'])
  assert.is(late.headers['idempotency-replayed'], 'true')
})

test('a capture that was declined is declined again, for the same reason', async () => {
  const hold = await placed('2.00')
  const wallet = { id: shop.walletId, currency: 'USD' }
  const reopen = await closeAccount(world.deps.ledger, wallet, ada.walletId)
  const key = unique('declined')
  assertRefused(await capture(hold, {}, { key }), 422, 'wallet_closed')
  await reopen()
  const again = await capture(hold, {}, { key })
  assertRefused(again, 422, 'wallet_closed')
  assert.is(again.headers['idempotency-replayed'], 'true')
  assertRefused(await capture(hold, { amount: '1.00' }, { key }), 409, 'idempotency_key_reused')
  await must(capture(hold), 201)
})

test('a key that a declined payment has used is no key of a capture', async () => {
  const hold = await placed('2.00')
  const key = unique('spent')
  const payment = { to_wallet_id: ada.walletId, amount: '99999.00' }
  const declined = await shop.client.post('/v1/transfers', payment, keyed(key))
  assertRefused(declined, 422, 'insufficient_funds')
  assertRefused(await capture(hold, {}, { key }), 409, 'idempotency_key_reused')
  assert.is((await read(hold)).state, 'open')
})

test('a ledger that goes away after it has taken a step leaves doubt, not "nothing was done"', async () => {
  const holdInput = { to_wallet_id: ada.walletId, amount: '1.00' }
  const hold = await placed('4.00')
  await must(capture(hold, { amount: '2.00', final: false }), 201)
  goesAwayAfterSubmission = true
  const key = unique('doubt')
  const steps: (() => Promise<Reply>)[] = [
    () => disturbed.post('/v1/holds', holdInput, keyed(key)),
    () => capture(hold, { amount: '1.00', final: false }, { by: disturbed }),
    () => release(hold, disturbed),
  ]
  for (const step of steps) {
    const reply = await step()
    assertRefused(reply, 503, 'outcome_unknown')
    assert.match(reply.body.operation_id, /^[0-9a-f-]{36}$/)
    goesAwayAfterSubmission = false
    await must(disturbed.get(`/v1/holds/${hold.id}`), 200)
    goesAwayAfterSubmission = true
  }
  goesAwayAfterSubmission = false
  const truth = await disturbed.post('/v1/holds', holdInput, keyed(key))
  assert.is(truth.headers['idempotency-replayed'], 'true')
  const after = await read(hold)
  assert.equal([after.state, after.captured], ['voided', '3.00'])
})

test('a list asks the ledger for a few holds at a time', async () => {
  const [payer, payee] = await Promise.all([world.signUp(), world.signUp()])
  await fund(await addPaymentSystem(world), payer.walletId, '1.00')
  const input = { to_wallet_id: payee.walletId, amount: '0.01' }
  for (let count = 0; count < 40; count += 1) await must(payer.client.post('/v1/holds', input), 201)
  const client = world.client(url)
  sameSession(payer.client, client)
  await until(async () => (await must(client.get('/v1/holds'), 200)).data.length === 40)
  assert.ok(queriesMost <= 8, `${queriesMost} at once`)
})

test.run()
