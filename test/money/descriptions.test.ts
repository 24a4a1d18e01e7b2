import { BatcherFull } from '../../db/batcher.ts'
import type { Database } from '../../db/database.ts'
import type { Deps } from '../../server/deps.ts'
import { checkBooks } from '../lib/books.ts'
import type { Client } from '../lib/http.ts'
import { assertRefused, fund, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('descriptions that cannot be kept')

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

/** A person's session at another Kassa, with something around its dependencies. */
async function at({ client }: Person, adapt: (deps: Deps) => Deps): Promise<Client> {
  const same = world.client((await world.startAnother({ adapt })).url)
  for (const [name, value] of client.cookies) same.cookies.set(name, value)
  return same
}

/** A database that loses what is inserted. */
const withoutInserts = (db: Database): Database =>
  db.withPlugin({
    transformQuery({ node }) {
      const isRaw = node.kind === 'RawNode' && /insert into/i.test(node.sqlFragments.join(' '))
      if (node.kind === 'InsertQueryNode' || isRaw) throw new Error('PostgreSQL is away')
      return node
    },
    transformResult: async ({ result }) => result,
  })

test('a payment whose memo cannot be kept has not happened; its key pays later', async () => {
  const [payer, payee] = [await world.signUp(), await world.signUp()]
  await fund(bank, payer.walletId, '10.00')
  const input = { to_wallet_id: payee.walletId, amount: '3', memo: 'rent' }
  const key = unique('key')
  const full = () => Promise.reject(new BatcherFull('too many items wait'))
  const client = await at(payer, (deps) => ({ ...deps, memos: { add: full } }))
  const reply = await pay(client, input, key)
  assertRefused(reply, 503, 'busy')
  assert.ok(Number(reply.headers['retry-after']) >= 1)
  assert.is(await posted(payer.client, payer.walletId), '10.00')
  const { memo, ...bare } = input
  assert.is((await pay(client, bare)).status, 201, 'without a memo nothing is to be kept')
  const paid = await pay(payer.client, input, key)
  assert.is(paid.status, 201)
  assert.is(paid.headers['idempotency-replayed'], undefined)
  assert.is(paid.body.memo, memo)
})

test('a decline whose reason cannot be kept is final all the same', async () => {
  const [payer, payee] = [await world.signUp(), await world.signUp()]
  const input = { to_wallet_id: payee.walletId, amount: '3' }
  const key = unique('key')
  const client = await at(payer, (deps) => ({ ...deps, db: withoutInserts(deps.db) }))
  assertRefused(await pay(client, input, key), 422, 'insufficient_funds')
  await fund(bank, payer.walletId, '10.00')
  for (const again of [await pay(client, input, key), await pay(payer.client, input, key)]) {
    assertRefused(again, 422, 'declined')
    assert.is(again.headers['idempotency-replayed'], 'true')
  }
  assert.is(await posted(payee.client, payee.walletId), '0.00')
})

test('a deposit that cannot be described has not happened; its reference books it later', async () => {
  const person = await world.signUp()
  const input = {
    wallet_id: person.walletId,
    amount: '7',
    currency: 'USD',
    reference: unique('undescribed'),
    details: 'salary',
  }
  const broken = await world.startAnother({
    adapt: (deps) => ({ ...deps, db: withoutInserts(deps.db) }),
  })
  const client = world.client(broken.url)
  for (const [name, value] of bank.cookies) client.cookies.set(name, value)
  assert.ok((await client.post('/v1/deposits', input)).status >= 500)
  assert.is(await posted(person.client, person.walletId), '0.00')
  const booked = await bank.post('/v1/deposits', input)
  assert.is(booked.headers['idempotency-replayed'], undefined)
  const page = await must(person.client.get(`/v1/wallets/${person.walletId}/transactions`), 200)
  assert.equal(
    page.data.map((t: { memo: string }) => t.memo),
    ['salary'],
  )
})

test.run()
