/**
 * Random requests by several people at once against the HTTP API, compared with a plain model. The
 * requests of one round are on their way together: their answers are right when there is an order of
 * them in which the model answers the same (linearizability). A longer run:
 * `MODEL_SECONDS=600 TEST_FILE_SECONDS=900 npm test -- money/model`; fast-check prints the seed of a
 * failure, `MODEL_SEED` repeats it.
 */
import fc from 'fast-check'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json, Reply } from '../lib/http.ts'
import { linearize } from '../lib/linearize.ts'
import {
  type Answer,
  type Currency,
  emptyModel,
  type Model,
  type ModelRequest,
  type ModelWallet,
  showMinor,
  step,
} from '../lib/model.ts'
import { openWallet, pay, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('model of the money API')

const seconds = Number(process.env.MODEL_SECONDS ?? 20)
const seed = process.env.MODEL_SEED === undefined ? {} : { seed: Number(process.env.MODEL_SEED) }
const runsMax = 1_000_000
const usersMax = 5

let world: World
let bank: Client

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
})

test.after(() => world.stop())

const currency = fc.constantFrom<Currency>('USD', 'USD', 'JPY')
const index = fc.nat({ max: 20 })
/** There in one of so many. */
const oneIn = <T>(count: number, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: count - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const amount = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 30 }).map(String) },
  { weight: 2, arbitrary: fc.constantFrom('0.01', '7.50', '7.5', '012') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('0', '-3', '1.001', '1e3', '1,5', 'NaN', '', '9'.repeat(45)),
  },
)

const deposit = fc.record({
  kind: fc.constant('deposit' as const),
  wallet: index,
  byNumber: fc.boolean(),
  /** Mostly the wallet's own. */
  currency: oneIn(8, currency),
  amount,
  reference: fc.nat({ max: 40 }),
})

const transfer = fc.record({
  kind: fc.constant('transfer' as const),
  user: index,
  from: fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 4, arbitrary: fc.record({ own: index, byNumber: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ wallet: index, byNumber: fc.boolean() }) },
  ),
  to: fc.oneof(
    { weight: 5, arbitrary: fc.record({ wallet: index, byNumber: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ user: index }) },
    { weight: 1, arbitrary: fc.constant({ nobody: true as const }) },
  ),
  amount,
  currency: oneIn(4, currency),
  memo: oneIn(3, fc.constantFrom('a', 'b')),
  key: oneIn(2, fc.nat({ max: 12 })),
})

/** An earlier request of the run once more. */
const again = fc.record({ kind: fc.constant('again' as const), request: fc.nat({ max: 100 }) })

const action = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: 'sign up' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('open' as const), user: index, currency }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('round' as const),
      requests: fc.array(
        fc.oneof(
          { weight: 3, arbitrary: deposit },
          { weight: 5, arbitrary: transfer },
          { weight: 2, arbitrary: again },
        ),
        {
          minLength: 1,
          maxLength: 5,
        },
      ),
    }),
  },
)

type Action = typeof action extends fc.Arbitrary<infer A> ? A : never
type Draft = Extract<Action, { kind: 'round' }>['requests'][number]

interface User {
  id: string
  username: string
  client: Client
}

/** One run: the people, what the model says they have, and names that no other run uses. */
interface Run {
  users: User[]
  model: Model
  /** Every request so far. */
  requests: ModelRequest[]
  prefix: string
}

async function signUp(run: Run): Promise<void> {
  if (run.users.length === usersMax) return
  const username = unique('u').replaceAll('-', '').slice(0, 30)
  const { client, userId, walletId, walletNumber } = await world.signUp({ username })
  run.users.push({ id: userId, username, client })
  addWallet(run, userId, { id: walletId, number: walletNumber, currency: 'USD' })
}

async function open(run: Run, user: User, currency: Currency): Promise<void> {
  addWallet(run, user.id, await openWallet(user.client, currency))
}

function addWallet(run: Run, userId: string, { id, number, currency }: Json): void {
  const wallet = { id, number, userId, currency, minor: 0n, entries: [] }
  run.model = { ...run.model, wallets: [...run.model.wallets, wallet] }
}

const at = <T>(list: readonly T[], position: number): T => {
  const found = list[position % list.length]
  if (found === undefined) throw new Error('an empty list')
  return found
}

/** What a draft means for the people and wallets that there are; nothing to repeat at first. */
function toRequest(run: Run, draft: Draft): ModelRequest | undefined {
  const { users, model, requests, prefix } = run
  const { wallets } = model
  if (draft.kind === 'again') return requests.length === 0 ? undefined : at(requests, draft.request)
  if (draft.kind === 'deposit') {
    const wallet = at(wallets, draft.wallet)
    return {
      kind: draft.kind,
      wallet: nameOf(wallet, draft.byNumber),
      amount: draft.amount,
      currency: draft.currency ?? wallet.currency,
      reference: `${prefix} ${draft.reference}`,
    }
  }
  const { from, to, key } = draft
  const payer = at(users, draft.user)
  const own = wallets.filter(({ userId }) => userId === payer.id)
  const payee = 'user' in to ? at(users, to.user) : undefined
  const wallet = 'wallet' in to ? nameOf(at(wallets, to.wallet), to.byNumber) : nobody
  const paying = from && ('own' in from ? at(own, from.own) : at(wallets, from.wallet))
  return {
    kind: draft.kind,
    userId: payer.id,
    from: from && paying && nameOf(paying, from.byNumber),
    to: payee ? { username: payee.username, userId: payee.id } : { wallet },
    amount: draft.amount,
    currency: draft.currency,
    memo: draft.memo,
    key: key === undefined ? undefined : `${prefix} ${key}`,
  }
}

/** An id that no wallet has. */
const nobody = '019363a0-0000-7000-8000-00000000000f'

const nameOf = ({ id, number }: ModelWallet, byNumber: boolean) => (byNumber ? number : id)

function submit({ users }: Run, request: ModelRequest): Promise<Reply> {
  if (request.kind === 'deposit') {
    const { wallet: wallet_id, amount, currency, reference } = request
    return bank.post('/v1/deposits', { wallet_id, amount, currency, reference })
  }
  const { from: from_wallet_id, to, amount, currency, memo, key } = request
  const payer = users.find(({ id }) => id === request.userId)
  if (!payer) throw new Error('nobody pays')
  const recipient = 'wallet' in to ? { to_wallet_id: to.wallet } : { to_username: to.username }
  return pay(payer.client, { from_wallet_id, ...recipient, amount, currency, memo }, key)
}

const toAnswer = ({ status, body, headers }: Reply): Answer => ({
  id: status === 201 ? body.id : undefined,
  code: body.code,
  isReplay: headers['idempotency-replayed'] === 'true',
})

async function perform(run: Run, action: Action): Promise<void> {
  if (action.kind === 'sign up') return signUp(run)
  if (action.kind === 'open') return open(run, at(run.users, action.user), action.currency)
  const requests = action.requests
    .map((draft) => toRequest(run, draft))
    .filter((request) => request !== undefined)
  const replies = await Promise.all(requests.map((request) => submit(run, request)))
  const exchanges = requests.map((request, i) => [request, toAnswer(replies[i]!)] as const)
  const next = linearize(run.model, exchanges, (model, exchange) => step(model, ...exchange))
  if (!next) {
    const { wallets } = run.model
    const told = [...wallets, ...exchanges].map((part) => JSON.stringify(part, bigintAsText))
    throw new Error(`no order of these requests gives these answers:\n${told.join('\n')}`)
  }
  run.model = next
  run.requests.push(...requests)
  await compareBalances(run)
}

const bigintAsText = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? String(value) : value

async function compareBalances({ users, model }: Run): Promise<void> {
  const lists = await Promise.all(users.map(({ client }) => must(client.get('/v1/wallets'), 200)))
  const told = lists.flatMap(({ data }) => data.map((w: Json) => [w.id, w.balance.posted]))
  const expected = model.wallets.map((w) => [w.id, showMinor(w.minor, w.currency)])
  assert.equal(Object.fromEntries(told), Object.fromEntries(expected))
}

/** Each history has the model's entries, and each balance in it follows from the one before. */
async function compareHistories({ users, model }: Run): Promise<void> {
  for (const { id, userId, currency, entries } of model.wallets) {
    const owner = users.find((user) => user.id === userId)
    const page = await must(owner!.client.get(`/v1/wallets/${id}/transactions?limit=200`), 200)
    assert.is(page.next_cursor, null)
    const oldestFirst: Json[] = page.data.toReversed()
    let minor = 0n
    for (const told of oldestFirst) {
      const entry = entries.find((e) => e.id === told.id && e.direction === told.direction)
      assert.ok(entry, `${told.id} is not in the model`)
      minor += entry.direction === 'in' ? entry.minor : -entry.minor
      assert.is(told.amount, showMinor(entry.minor, currency))
      assert.is(told.balance, showMinor(minor, currency))
    }
    assert.is(oldestFirst.length, entries.length)
  }
}

test('whatever several people do at once, Kassa answers as the model does', async () => {
  const actions = fc.array(action, { minLength: 5, maxLength: 25, size: 'max' })
  const property = fc.asyncProperty(actions, async (steps) => {
    const run: Run = { users: [], model: emptyModel, requests: [], prefix: unique('model') }
    await signUp(run)
    await signUp(run)
    for (const step of steps) await perform(run, step)
    await compareHistories(run)
  })
  const limits = { numRuns: runsMax, interruptAfterTimeLimit: seconds * 1_000 }
  await fc.assert(property, { ...limits, ...seed, includeErrorInReport: true })
})

test('the books balance after all of it', async () => {
  const accounts = await checkBooks(world.deps.ledger)
  assert.ok(accounts.length > 2)
})

test.run()
