import fc from 'fast-check'
import { assetOf } from '../../accounting/chart.ts'
import { formatAmount } from '../../accounting/money.ts'
import { followOnce, forget } from '../../server/flows/follow.ts'
import { readModel } from '../../server/flows/read-model.ts'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json, Reply } from '../lib/http.ts'
import {
  addPaymentSystem,
  assertRefused,
  closeAccount,
  fund,
  openWallet,
  unique,
} from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('holds')

let world: World
let bank: Client
let ada: Person
let shop: Person
/** What the clock of Kassa is ahead of the ledger's. */
let aheadMs = 0

test.before(async () => {
  world = await createWorld({ nowMs: () => Date.now() + aheadMs })
  bank = await addPaymentSystem(world)
  ;[ada, shop] = await Promise.all([world.signUp(), world.signUp()])
  await fund(bank, ada.walletId, '100000.00')
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const keyed = (key?: string) => (key ? { headers: { 'idempotency-key': key } } : undefined)

/** Ada pays the shop; she gets a second wallet on the way. */
const route = () => ({ from_wallet_id: ada.walletId, to_wallet_id: shop.walletId })

function place(amount: string, more: Json = {}, key?: string): Promise<Reply> {
  return ada.client.post('/v1/holds', { ...route(), amount, ...more }, keyed(key))
}

async function placed(amount: string, more: Json = {}): Promise<Json> {
  return must(place(amount, more), 201)
}

function capture(hold: Json, input: Json = {}, key?: string): Promise<Reply> {
  return shop.client.post(`/v1/holds/${hold.id}/capture`, input, keyed(key))
}

const release = (hold: Json, client = shop.client) =>
  client.send('POST', `/v1/holds/${hold.id}/void`, {})

async function balance(person: Person): Promise<Json> {
  return (await must(person.client.get(`/v1/wallets/${person.walletId}`), 200)).balance
}

const cents = (amount: string) => BigInt(amount.replace('.', ''))

/** By how many cents each number of two balances differs. */
function change(before: Json, after: Json): Record<string, bigint> {
  const names = ['posted', 'held', 'available']
  return Object.fromEntries(names.map((name) => [name, cents(after[name]) - cents(before[name])]))
}

test('what is available falls at once, what is posted at the capture', async () => {
  const [payer, payee] = [await balance(ada), await balance(shop)]
  const hold = await placed('10.00', { memo: 'room 7' })
  assert.equal(
    [hold.state, hold.amount, hold.captured, hold.held],
    ['open', '10.00', '0.00', '10.00'],
  )
  assert.is(hold.memo, 'room 7')
  assert.equal(change(payer, await balance(ada)), { posted: 0n, held: 1000n, available: -1000n })
  const captured = await must(capture(hold), 201)
  assert.equal(
    [captured.amount, captured.hold.state, captured.hold.held],
    ['10.00', 'captured', '0.00'],
  )
  assert.equal(change(payer, await balance(ada)), { posted: -1000n, held: 0n, available: -1000n })
  assert.equal(change(payee, await balance(shop)), { posted: 1000n, held: 0n, available: 1000n })
  assertRefused(await capture(hold), 409, 'hold_captured')
  assertRefused(await release(hold), 409, 'hold_captured')
})

test('a capture in part gives the rest back', async () => {
  const before = await balance(ada)
  const hold = await placed('10.00')
  const { hold: after } = await must(capture(hold, { amount: '4.00' }), 201)
  assert.equal([after.state, after.captured, after.held], ['captured', '4.00', '0.00'])
  assert.equal(change(before, await balance(ada)), { posted: -400n, held: 0n, available: -400n })
})

test('a capture that is not final holds the rest again, until the original deadline', async () => {
  const before = await balance(ada)
  const hold = await placed('10.00')
  for (const [amount, captured, held] of [
    ['4.00', '4.00', '6.00'],
    ['5.00', '9.00', '1.00'],
  ]) {
    const { hold: after } = await must(capture(hold, { amount, final: false }), 201)
    assert.equal([after.state, after.captured, after.held], ['open', captured, held])
    assert.is(after.expires_at, hold.expires_at)
  }
  assert.equal(change(before, await balance(ada)), { posted: -900n, held: 100n, available: -1000n })
  const released = await must(release(hold), 200)
  assert.equal([released.state, released.captured, released.held], ['voided', '9.00', '0.00'])
  assert.equal(change(before, await balance(ada)), { posted: -900n, held: 0n, available: -900n })
  assert.equal((await must(release(hold), 200)).state, 'voided')
})

test('no capture is more than what is held, or a small part that is not the last', async () => {
  const hold = await placed('100.00')
  assertRefused(await capture(hold, { amount: '100.01' }), 422, 'capture_too_large')
  assertRefused(await capture(hold, { amount: '0.99', final: false }), 422, 'capture_too_small')
  assertRefused(await capture(hold, { amount: '0' }), 422, 'amount_not_positive')
  assertRefused(await capture(hold, { amount: '0.001' }), 422, 'amount_too_precise')
  assertRefused(await capture(hold, { amount: '1,0' }), 422, 'amount_malformed')
  await must(capture(hold, { amount: '0.99' }), 201)
})

test('only the payee captures and gives back; nobody else sees the hold', async () => {
  const hold = await placed('1.00')
  const mallory = await world.signUp()
  for (const path of ['capture', 'void']) {
    const url = `/v1/holds/${hold.id}/${path}`
    const input = path === 'capture' ? {} : undefined
    assertRefused(await ada.client.post(url, input), 403, 'not_the_payee')
    assertRefused(await mallory.client.post(url, input), 404, 'hold_not_found')
  }
  assertRefused(await mallory.client.get(`/v1/holds/${hold.id}`), 404, 'hold_not_found')
  assert.is((await must(ada.client.get(`/v1/holds/${hold.id}`), 200)).id, hold.id)
  assert.is((await must(shop.client.get(`/v1/holds/${hold.id}`), 200)).id, hold.id)
  const list = await must(mallory.client.get('/v1/holds'), 200)
  assert.equal(list.data, [])
})

test('a key places once and captures once, also twenty at a time', async () => {
  const before = await balance(ada)
  const key = unique('hold')
  const replies = await Promise.all(Array.from({ length: 20 }, () => place('20.00', {}, key)))
  const ids = new Set(replies.map(({ status, body }) => `${status} ${body.id}`))
  assert.is(ids.size, 1)
  const hold = replies[0]!.body
  assertRefused(await place('20.01', {}, key), 409, 'idempotency_key_reused')
  assertRefused(await place('20.00', { expires_in: 60 }, key), 409, 'idempotency_key_reused')
  const capturing = unique('capture')
  const input = { amount: '3.00', final: false }
  const captures = await Promise.all(
    Array.from({ length: 20 }, () => capture(hold, input, capturing)),
  )
  assert.is(new Set(captures.map(({ status, body }) => `${status} ${body.id}`)).size, 1)
  const replays = captures.filter(({ headers }) => headers['idempotency-replayed'] === 'true')
  assert.is(replays.length, 19)
  assertRefused(await capture(hold, { amount: '3.01' }, capturing), 409, 'idempotency_key_reused')
  assert.equal(change(before, await balance(ada)), {
    posted: -300n,
    held: 1700n,
    available: -2000n,
  })
  await must(release(hold), 200)
  const late = await must(capture(hold, input, capturing), 201)
  assert.is(late.id, captures[0]!.body.id)
})

test('parts that are captured at once never come to more than the hold', async () => {
  const before = await balance(shop)
  const hold = await placed('10.00')
  const replies = await Promise.all(
    Array.from({ length: 30 }, () => capture(hold, { amount: '1.00', final: false })),
  )
  const won = replies.filter(({ status }) => status === 201)
  assert.is(won.length, 10)
  assert.equal(change(before, await balance(shop)).posted, 1000n)
  const { state, captured } = await must(shop.client.get(`/v1/holds/${hold.id}`), 200)
  assert.equal([state, captured], ['captured', '10.00'])
})

test('capture and void race: one wins, and both are told the same', async () => {
  for (let round = 0; round < 10; round += 1) {
    const before = await balance(ada)
    const hold = await placed('5.00')
    const [captured, released] = await Promise.all([capture(hold), release(hold)])
    const { state } = await must(ada.client.get(`/v1/holds/${hold.id}`), 200)
    if (state === 'captured') {
      assert.is(captured.status, 201)
      assertRefused(released, 409, 'hold_captured')
    } else {
      assert.is(released.status, 200)
      assertRefused(captured, 409, 'hold_voided')
    }
    const posted = state === 'captured' ? -500n : 0n
    assert.equal(change(before, await balance(ada)), { posted, held: 0n, available: posted })
  }
})

test('a hold that has run out says so, and the ledger gives the money back', async () => {
  const before = await balance(ada)
  const hold = await placed('7.00', { expires_in: 1 })
  const path = `/v1/holds/${hold.id}`
  for (let state = 'open'; state === 'open'; )
    state = (await must(shop.client.get(path), 200)).state
  assert.is((await must(shop.client.get(path), 200)).state, 'expired')
  assertRefused(await capture(hold), 409, 'hold_expired')
  assertRefused(await release(hold), 409, 'hold_expired')
  for (let held = '7.00'; held !== before.held; ) held = (await balance(ada)).held
  assert.equal(await balance(ada), before)
})

test('what runs out is decided by the ledger, not by a clock that is behind', async () => {
  const hold = await placed('7.00', { expires_in: 1 })
  const path = `/v1/holds/${hold.id}`
  for (let state = 'open'; state === 'open'; )
    state = (await must(shop.client.get(path), 200)).state
  aheadMs = -60_000
  try {
    assertRefused(await capture(hold), 409, 'hold_expired')
    assertRefused(await release(hold), 409, 'hold_expired')
  } finally {
    aheadMs = 0
  }
})

test('a hold needs the money, and a capture needs open wallets', async () => {
  assertRefused(await place('1000000.00'), 422, 'insufficient_funds')
  const hold = await placed('2.00')
  const other = await openWallet(ada.client, 'USD')
  const reopen = await closeAccount(
    world.deps.ledger,
    { id: shop.walletId, currency: 'USD' },
    other.id,
  )
  assertRefused(await capture(hold), 422, 'wallet_closed')
  await reopen()
  await must(capture(hold), 201)
})

test('lists follow the ledger, by side and state, in pages; they can be made again', async () => {
  const [payer, payee] = await Promise.all([world.signUp(), world.signUp()])
  await fund(bank, payer.walletId, '100.00')
  const ids: string[] = []
  for (let i = 0; i < 5; i += 1) {
    const input = { to_wallet_id: payee.walletId, amount: '1.00' }
    ids.unshift((await must(payer.client.post('/v1/holds', input), 201)).id)
  }
  await must(payee.client.post(`/v1/holds/${ids[0]}/capture`, {}), 201)
  await must(payee.client.send('POST', `/v1/holds/${ids[1]}/void`, {}), 200)
  await must(
    payee.client.post(`/v1/holds/${ids[2]}/capture`, { amount: '0.40', final: false }),
    201,
  )

  const list = async (query: string, client = payer.client) => {
    const found = await must(client.get(`/v1/holds${query}`), 200)
    return { ...found, ids: found.data.map(({ id }: Json) => id) }
  }
  for (const made of ['followed', 'made again']) {
    if (made === 'made again') await forget(world.deps, readModel)
    for (let seen: string[] = []; seen.length < 5; ) seen = (await list('')).ids
    assert.ok(Date.parse((await list('')).as_of) > 0)
    assert.equal((await list('')).ids, ids, made)
    assert.equal((await list('?side=payee')).ids, [], made)
    assert.equal((await list('?side=payee', payee.client)).ids, ids, made)
    for (let open: string[] = ids; open.length > 3; ) open = (await list('?status=open')).ids
    assert.equal((await list('?status=open')).ids, ids.slice(2), made)
    assert.equal((await list('?status=captured')).ids, [ids[0]], made)
    assert.equal((await list('?status=voided')).ids, [ids[1]], made)
    assert.equal((await list('?status=expired')).ids, [], made)
    const first = await list('?limit=2')
    const second = await list(`?limit=2&cursor=${first.next_cursor}`)
    assert.equal([...first.ids, ...second.ids], ids.slice(0, 4), made)
  }
})

test('many readers of the ledger together enter each hold once', async () => {
  await forget(world.deps, readModel)
  const pages = await Promise.all(
    Array.from({ length: 8 }, () => followOnce(world.deps, readModel)),
  )
  assert.ok(pages.filter((page) => page !== undefined).length >= 1)
})

test('transactions tell holding, capturing and giving back apart', async () => {
  const [payer, payee] = await Promise.all([world.signUp(), world.signUp()])
  await fund(bank, payer.walletId, '10.00')
  const hold = await must(
    payer.client.post('/v1/holds', { to_wallet_id: payee.walletId, amount: '5.00', memo: 'tab' }),
    201,
  )
  await must(
    payee.client.post(`/v1/holds/${hold.id}/capture`, { amount: '2.00', final: false }),
    201,
  )
  await must(payee.client.send('POST', `/v1/holds/${hold.id}/void`, {}), 200)
  const { data } = await must(
    payer.client.get(`/v1/wallets/${payer.walletId}/transactions?kind=hold`),
    200,
  )
  assert.equal(
    data.map((entry: Json) => [entry.phase, entry.amount, entry.balance, entry.direction]),
    [
      ['void', '3.00', '8.00', 'out'],
      ['pending', '3.00', '8.00', 'out'],
      ['post', '2.00', '8.00', 'out'],
      ['pending', '5.00', '10.00', 'out'],
    ],
  )
  assert.ok(data.every((entry: Json) => entry.hold_id === hold.id))
  assert.is(new Set(data.map(({ id }: Json) => id)).size, 4)
  assert.ok(data.every((entry: Json) => entry.memo === 'tab'))

  const wallet = `/v1/wallets/${payer.walletId}`
  const newest = await must(payer.client.get(`${wallet}/transactions?limit=1`), 200)
  assert.equal([newest.data[0].phase, newest.data[0].memo], ['void', 'tab'])
  const year = new Date().getUTCFullYear()
  const statement = await must(
    payer.client.get(`${wallet}/statement?from=${year}-01-01&to=${year + 1}-01-01`),
    200,
  )
  const captured = statement.entries.filter(({ kind }: Json) => kind === 'capture')
  assert.equal(
    captured.map(({ amount, memo }: Json) => [amount, memo]),
    [['-2.00', 'tab']],
  )
})

type Step = { kind: 'capture'; cents: number; final: boolean } | { kind: 'void' }

const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({
      kind: fc.constant('capture' as const),
      cents: fc.integer({ min: 1, max: 1200 }),
      final: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('void' as const) }),
  ),
  { maxLength: 6 },
)

test('any captures and voids one after the other do what a plain model does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), steps, async (size, todo) => {
      const text = (minor: number) => formatAmount(BigInt(minor), assetOf('USD'))
      const before = await balance(ada)
      const hold = await placed(text(size))
      let [held, captured, state] = [size, 0, 'open']
      for (const step of todo) {
        const reply =
          step.kind === 'void'
            ? await release(hold)
            : await capture(hold, { amount: text(step.cents), final: step.final })
        if (step.kind === 'void' && state === 'voided') assert.is(reply.status, 200)
        else if (state !== 'open') assertRefused(reply, 409, `hold_${state}`)
        else if (step.kind === 'void') [held, state] = [0, 'voided']
        else if (step.cents > held) assertRefused(reply, 422, 'capture_too_large')
        else if (!step.final && step.cents < held && step.cents < Math.ceil(size / 100)) {
          assertRefused(reply, 422, 'capture_too_small')
        } else {
          assert.is(reply.status, 201, reply.text)
          captured += step.cents
          held = step.final ? 0 : held - step.cents
          if (held === 0) state = 'captured'
        }
      }
      const now = await must(ada.client.get(`/v1/holds/${hold.id}`), 200)
      assert.equal([now.state, now.captured, now.held], [state, text(captured), text(held)])
      const posted = -BigInt(captured)
      const expected = { posted, held: BigInt(held), available: posted - BigInt(held) }
      assert.equal(change(before, await balance(ada)), expected)
      if (state === 'open') await must(release(hold), 200)
    }),
    { numRuns: 40 },
  )
})

test.run()
