/** The balances that Kassa shows, held against the model's. */
import type { Json } from '../http.ts'
import { until } from '../until.ts'
import { readShown, showMinor } from './amounts.ts'
import { resolve, usedOf, windows } from './budgets.ts'
import { type Account, read } from './cast.ts'
import { heldOf, owedOf } from './money.ts'
import type { Run } from './run.ts'
import { Difference, textOf } from './search.ts'
import { areLimitsKnown } from './settings.ts'
import { type Model, type ModelWallet, put } from './state.ts'
import { expire, releaseHold, uncertainHolds } from './time.ts'

type Told = ReadonlyMap<string, Json>

/** Every wallet as its owner is shown it. */
async function readWallets({ place, users }: Run): Promise<Told> {
  const lists = await Promise.all(users.map((user) => read(place, user, '/v1/wallets')))
  return new Map(lists.flatMap(({ data }) => data.map((wallet: Json) => [wallet.id, wallet])))
}

/** What differs between a model and what was shown; of what may just have run out it does not look at what is held. */
function differences(model: Model, told: Told, from: number, to: number): string[] {
  const settled = expire(model, from)
  const uncertain = new Set(uncertainHolds(settled, to).map((id) => settled.holds.get(id)?.payerId))
  return settled.wallets.flatMap((wallet) => {
    const shown = told.get(wallet.id)
    const expected = showWallet(settled, wallet)
    if (!shown) return [`${wallet.id} is not shown`]
    const { posted, held, available, owed } = shown.balance
    const actual = { state: shown.state, posted, owed: owed ?? null }
    const actualHeld = { held, available }
    const parts: [object, object][] = [[actual, expected.standing]]
    if (!uncertain.has(wallet.id)) parts.push([actualHeld, expected.held])
    return parts.flatMap(([is, shall]) => {
      const [a, b] = [textOf(is), textOf(shall)]
      return a === b ? [] : [`${wallet.id}: ${a}, in the model ${b}`]
    })
  })
}

function showWallet(model: Model, wallet: ModelWallet) {
  const { id, userId, currency, state, minor } = wallet
  const held = heldOf(model, id)
  const owed = owedOf(model, userId, currency)
  const show = (amount: bigint) => showMinor(amount, currency)
  return {
    standing: { state, posted: show(minor), owed: owed > 0n ? show(owed) : null },
    held: { held: show(held), available: show(minor - held) },
  }
}

/** Every limit that somebody is shown, if any was ever set. */
async function readShownLimits(run: Run): Promise<ReadonlyMap<string, Json>> {
  const { place, market } = run
  if (market.settings.limits.length === 0) return new Map()
  const lists = await Promise.all(
    everybody(run).map(async ({ id, account }) => {
      const { data } = await read(place, account, '/v1/limits')
      return data.map((it: Json) => [`${id} ${it.currency} ${it.window}`, it] as const)
    }),
  )
  return new Map(lists.flat())
}

const everybody = ({ users, systems }: Run): { id: string; account: Account }[] => [
  ...users.map((account) => ({ id: account.id, account })),
  ...[...systems].map(([id, account]) => ({ id, account })),
]

/** Where somebody is shown another limit than was set, once every process knows what was. */
function ruleDifferences({ market, users, systems }: Run, shown: ReadonlyMap<string, Json>) {
  const set = market.settings.limits.at(-1)?.value
  const whose = [
    ...users.map(({ id }) => ({ userId: id, kind: 'person' as const })),
    ...[...systems.keys()].map((id) => ({ userId: id, kind: 'payment_system' as const })),
  ]
  return whose.flatMap((user) =>
    market.currencies.flatMap((currency) =>
      windows.flatMap((window) => {
        const name = `${user.userId} ${currency} ${window}`
        const rule = resolve(set, user, currency, window)
        const expected = rule ? showMinor(rule.amount, currency) : null
        const limit = shown.get(name)?.limit ?? null
        return limit === expected ? [] : [`${name}: a limit of ${limit}, in the model ${expected}`]
      }),
    ),
  )
}

/** What differs of what is used of limits: what has just run out may count or not. */
function limitDifferences(model: Model, shown: ReadonlyMap<string, Json>, to: number): string[] {
  return [...shown].flatMap(([name, { currency, used, limit, left }]) => {
    if (limit === null) return []
    const budget = model.budgets.get(name)
    const { least, most } = budget ? usedOf(model, budget, to) : { least: 0n, most: 0n }
    const usedMinor = readShown(used, currency)
    const over = readShown(limit, currency) - usedMinor
    const isRight = usedMinor >= least && usedMinor <= most
    const isLeft = readShown(left, currency) === (over > 0n ? over : 0n)
    if (isRight && isLeft) return []
    return [
      `${name}: used ${used}, left ${left} of ${limit}, in the model ${least} to ${most} used`,
    ]
  })
}

/** Compares all balances, and what is used of limits. Throws where they part. */
export async function compareBalances(run: Run): Promise<void> {
  const from = Date.now()
  const areLimitsSure = areLimitsKnown(run.market.settings)
  const told = await readWallets(run)
  const limits = await readShownLimits(run)
  const to = Date.now()
  const { search } = run
  const before = search.model
  const rules = areLimitsSure ? ruleDifferences(run, limits) : []
  if (rules.length > 0) throw new Difference('the limits differ', rules, before)
  const differ = (model: Model) => [
    ...differences(model, told, from, to),
    ...limitDifferences(expire(model, from), limits, to),
  ]
  if (!search.observe((model) => differ(model).length === 0)) {
    throw new Difference('the books differ', differ(before), before)
  }
  if (uncertainHolds(search.model, to).length === 0) search.settle()
}

/** Deadlines that are further away are not waited for. */
const soonMs = 3_000

/** Waits until everything has run out that soon will, so that nothing is uncertain, and compares. */
export async function settleTime(run: Run): Promise<void> {
  const { holds, requests, quotes } = run.search.model
  const soon = Date.now() + soonMs
  const isSoon = (it: { state: string; deadline: { at: number } }) =>
    it.state === 'open' && it.deadline.at < soon
  const dueHolds = [...holds.values()].filter(isSoon)
  const dueRequests = [...requests.values()].filter(isSoon)
  const dueQuotes = [...quotes.values()].filter(isSoon)
  const last = Math.max(
    ...[...dueHolds, ...dueRequests, ...dueQuotes].map(({ deadline }) => deadline.at),
    0,
  )
  await until(() => Date.now() > last && areLimitsKnown(run.market.settings))
  run.search.change((model) => {
    const released = dueHolds.reduce((next, { id }) => {
      return next.holds.get(id)?.state === 'open' ? releaseHold(next, id) : next
    }, model)
    const ended = dueRequests.reduce((next, { id }) => {
      const request = next.requests.get(id)
      return request?.state === 'open'
        ? put(next, 'requests', { ...request, state: 'expired' })
        : next
    }, released)
    return dueQuotes.reduce((next, { id }) => {
      const quote = next.quotes.get(id)
      return quote?.state === 'open' ? put(next, 'quotes', { ...quote, state: 'expired' }) : next
    }, ended)
  })
  const isBack = async () => {
    const from = Date.now()
    const told = await readWallets(run)
    return differences(run.search.model, told, from, from).length === 0
  }
  const giveUpAt = Date.now() + giveUpMs
  await until(async () => (await isBack()) || Date.now() > giveUpAt)
  await compareBalances(run)
}

/** Money that has run out and is not back after this time is lost. */
const giveUpMs = 5_000
