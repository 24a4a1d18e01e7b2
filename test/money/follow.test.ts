/** Following the ledger with the real one: nothing missed, nothing twice, in order, with what runs out. */
import { ControlCode, TransferCode } from '../../accounting/chart.ts'
import type { TailEvent } from '../../accounting/tail.ts'
import { followOnce, forget, type Subscriber } from '../../server/flows/follow.ts'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json } from '../lib/http.ts'
import { fund, pair, pay } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('following the ledger')

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

const { deposit, payment, hold, freeze } = TransferCode

/** A subscriber that remembers what took effect. */
function remember(name: string, codes: Subscriber['codes']) {
  const taken: TailEvent[] = []
  let page: readonly TailEvent[] = []
  const subscriber: Subscriber = {
    name,
    codes,
    async take(_trx, events) {
      page = events
    },
    async empty() {},
  }
  const follow = async () => {
    page = []
    const told = await followOnce(world.deps, subscriber)
    if (told) taken.push(...page)
    return told
  }
  return { taken, subscriber, follow }
}

async function followToTheEnd(follow: () => ReturnType<typeof followOnce>): Promise<void> {
  for (let told = await follow(); told?.isMore || told === undefined; ) told = await follow()
}

test('more than a page of several codes comes once and in order', async () => {
  const { payer, from, to } = await pair(world, bank, '1000.00')
  const codes = [deposit, payment, hold, freeze, ControlCode.request]
  const reader = remember('pages', codes)
  await followToTheEnd(reader.follow)
  reader.taken.length = 0
  const kinds = Array.from({ length: 600 }, (_, index) => index % 3)
  const started = kinds.map((kind): Promise<Json> => {
    if (kind === 0) return fund(bank, from, '0.01')
    if (kind === 1) return must(pay(payer, { to_wallet_id: to, amount: '0.01' }), 201)
    return must(payer.post('/v1/holds', { to_wallet_id: to, amount: '0.01' }), 201)
  })
  // Read while it is written as well.
  const done = Promise.all(started)
  let isDone = false
  done.then(() => {
    isDone = true
  })
  while (!isDone) await reader.follow()
  const ids = (await done).map(({ id }) => id)
  await followToTheEnd(reader.follow)

  const told = reader.taken.map(({ operationId }) => operationId)
  assert.equal(told.toSorted(), ids.toSorted())
  const times = reader.taken.map(({ timestamp }) => timestamp)
  assert.equal(
    times,
    times.toSorted((a, b) => (a < b ? -1 : 1)),
  )

  await forget(world.deps, reader.subscriber)
  const again = remember('pages', codes)
  await followToTheEnd(again.follow)
  const asBefore = again.taken.filter(({ operationId }) => ids.includes(operationId))
  assert.equal(
    asBefore.map(({ operationId }) => operationId),
    told,
  )
})

test('a hold that runs out is told once, at its deadline, though the ledger stands still', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '10.00')
  const place = async (expires_in: number): Promise<string> =>
    (await must(payer.post('/v1/holds', { to_wallet_id: to, amount: '1.00', expires_in }), 201)).id
  const [short, captured, long] = [await place(1), await place(1), await place(600)]
  await must(payee.post(`/v1/holds/${captured}/capture`, {}), 201)
  const reader = remember('expiries', [hold])
  await until(async () => {
    await reader.follow()
    return reader.taken.some(({ kind }) => kind === 'expiry')
  })
  await followToTheEnd(reader.follow)
  const ofThese = reader.taken.filter((it) => [short, captured, long].includes(it.operationId))
  const told = ofThese.map(
    (it) => `${it.kind === 'transfer' ? it.phase : it.kind} ${it.operationId}`,
  )
  assert.equal(told, [
    `pending ${short}`,
    `pending ${captured}`,
    `pending ${long}`,
    `post ${captured}`,
    `expiry ${short}`,
  ])
  const [opened, expiry] = [ofThese[0], ofThese.at(-1)]
  assert.is(expiry?.timestamp, (opened?.timestamp ?? 0n) + 1_000_000_000n)
  await until(async () => {
    const { data } = await must(payer.get('/v1/holds?status=expired'), 200)
    return data.length === 1 && data[0].from_wallet_id === from
  })
})

test('eight readers at once hand every event over once', async () => {
  const { payer, to } = await pair(world, bank, '10.00')
  const readers = Array.from({ length: 8 }, () => remember('together', [payment]))
  await Promise.all(readers.map(({ follow }) => followToTheEnd(follow)))
  const paid = Array.from({ length: 300 }, () =>
    must(pay(payer, { to_wallet_id: to, amount: '0.01' }), 201),
  )
  const ids = (await Promise.all(paid)).map(({ id }) => id)
  await Promise.all(readers.map(({ follow }) => followToTheEnd(follow)))
  const told = readers.flatMap(({ taken }) => taken.map(({ operationId }) => operationId))
  assert.equal(told.filter((id) => ids.includes(id)).toSorted(), ids.toSorted())
})

test.run()
