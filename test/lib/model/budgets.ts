/**
 * Limits: how much somebody may spend of a currency within a window of time, or a payment system bring
 * in. What was used is back when the window has passed, and no run takes so long; or before, when what
 * it was used for has not come about.
 */
import type { Currency } from './amounts.ts'
import { readMinor, showMinor } from './amounts.ts'
import { when } from './decide.ts'
import type { Circumstances, Exchange, Step } from './exchange.ts'
import { limitsFor } from './settings.ts'
import { type Model, type ModelBudget, put, walletOf } from './state.ts'
import { isPerhapsOver } from './time.ts'

export const windows = ['day', 'week', 'month'] as const
export type Window = (typeof windows)[number]
export const limitedKinds = ['person', 'payment_system'] as const
export type LimitedKind = (typeof limitedKinds)[number]

/** A limit as it was set, minor units; each has a higher version than those before. */
interface Rule {
  readonly amount: bigint | 'none' | 'default'
  readonly version: number
}

/** All limits at one time, by `user currency window` or `kind currency window`. */
export type Limits = ReadonlyMap<string, Rule>

const nameOf = (whose: string, currency: Currency, window: Window) =>
  `${whose} ${currency} ${window}`

/** The limit of somebody; undefined is none. */
export function resolve(
  limits: Limits | undefined,
  { userId, kind }: Pick<Spender, 'userId' | 'kind'>,
  currency: Currency,
  window: Window,
): { amount: bigint; version: number } | undefined {
  const own = limits?.get(nameOf(userId, currency, window))
  const ofKinds = limitedKinds.map((it) => limits?.get(nameOf(it, currency, window)))
  const ofKind = limits?.get(nameOf(kind, currency, window))
  const rule = own && own.amount !== 'default' ? own : ofKind
  if (typeof rule?.amount !== 'bigint') return undefined
  const version = Math.max(...[own, ...ofKinds].map((it) => it?.version ?? 0))
  return { amount: rule.amount, version }
}

/** Who spends, or brings in, how much. */
export interface Spender {
  userId: string
  kind: LimitedKind
  currency: Currency
  minor: bigint
}

/** One way in which budgets may stand for what somebody spends. */
export interface Spending {
  /** With the limits in force that were looked at. */
  model: Model
  declines: readonly string[]
  /** The model after so much was used for an operation. */
  use: (after: Model, operationId: string) => Model
}

/** The ways in which budgets may stand: more than one around a change, and when something is just back. */
export function spend(
  model: Model,
  exchange: Exchange,
  circumstances: Circumstances,
  spender: Spender,
): Spending[] {
  const ways = limitsFor(circumstances.settings, exchange).flatMap((limits) => {
    const found = windows
      .map((window) => ({ window, limit: resolve(limits, spender, spender.currency, window) }))
      .filter(({ limit }) => limit !== undefined)
    if (found.length === 0) return [toWay(model, [], spender)]
    const names = found.map(({ window }) => nameOf(spender.userId, spender.currency, window))
    return returns(model, names, exchange).flatMap((before) => {
      const mayLag = circumstances.returning.has(spender.userId) || before !== model
      const taken = [true, ...(mayLag ? [false] : [])]
      return taken.map((takes) => {
        const after = found.reduce((next, { limit }, index) => {
          return putInForce(next, names[index]!, limit!, takes)
        }, before)
        return toWay(after, names, spender)
      })
    })
  })
  const seen = new Set<string>()
  return ways.filter(({ key }) => !seen.has(key) && seen.add(key))
}

function toWay(model: Model, names: readonly string[], { minor }: Spender) {
  const budgets = names.map((name) => budgetOf(model, name))
  const isLacking = budgets.some((budget) => minor > budget.total - usedOf(budget))
  const standing = budgets.map(({ id, total, version, uses }) =>
    [id, total, version, ...uses.keys()].join(),
  )
  return {
    key: [isLacking, ...standing].join(),
    model,
    declines: isLacking ? ['limit_exceeded'] : [],
    use: (after: Model, operationId: string) =>
      names.reduce((next, name) => {
        const budget = budgetOf(next, name)
        const uses = new Map(budget.uses).set(operationId, minor)
        return put(next, 'budgets', { ...budget, uses })
      }, after),
  }
}

const budgetOf = ({ budgets }: Model, id: string): ModelBudget =>
  budgets.get(id) ?? { id, version: 0, total: 0n, uses: new Map() }

export const usedOf = ({ uses }: ModelBudget): bigint =>
  [...uses.values()].reduce((sum, minor) => sum + minor, 0n)

/**
 * Puts a limit into force, unless a newer one is: less takes only what is not in use, and what has come
 * back since is taken before the next use, unless it comes back at that moment.
 */
function putInForce(
  model: Model,
  name: string,
  { amount, version }: { amount: bigint; version: number },
  takes: boolean,
): Model {
  const budget = budgetOf(model, name)
  const used = usedOf(budget)
  const total = used > amount ? used : amount
  if (budget.version < version) return put(model, 'budgets', { ...budget, version, total })
  const isTaken = budget.version === version && budget.total > total && takes
  return isTaken ? put(model, 'budgets', { ...budget, total }) : model
}

/** So many holds that have run out are looked at in every combination. */
const returnsMax = 4

/**
 * What holds that have run out have used comes back a moment later: the models in which it has, and has
 * not, of those that matter to some budgets.
 */
function returns(model: Model, names: readonly string[], { answeredAt }: Exchange): Model[] {
  const uses = new Set(names.flatMap((name) => [...budgetOf(model, name).uses.keys()]))
  const ids = [...uses].filter((id) => isReturning(model, id, answeredAt)).slice(0, returnsMax)
  return Array.from({ length: 1 << ids.length }, (_, chosen) =>
    ids.filter((_id, index) => chosen & (1 << index)).reduce(giveBack, model),
  )
}

/** Whether what a hold has used may be back, or may not. */
export function isReturning({ holds }: Model, id: string, now: number): boolean {
  const hold = holds.get(id)
  if (!hold || hold.captured > 0n) return false
  return hold.state === 'expired' || (hold.state === 'open' && isPerhapsOver(hold.deadline, now))
}

/** The model after an operation has given back what it has used. */
export function giveBack(model: Model, operationId: string): Model {
  let next = model
  for (const budget of model.budgets.values()) {
    if (!budget.uses.has(operationId)) continue
    const uses = new Map(budget.uses)
    uses.delete(operationId)
    next = put(next, 'budgets', { ...budget, uses })
  }
  return next
}

/** What uses no budget. */
export const unlimited = (model: Model): Spending => ({
  model,
  declines: [],
  use: (after) => after,
})

/** A person who pays out of a wallet. */
export function payerOf(model: Model, walletId: string, minor: bigint): Spender {
  const { userId, currency } = walletOf(model, walletId)
  return { userId, kind: 'person', currency, minor }
}

/** An operator sets a limit of somebody, which is in force when it is answered, or of everyone of a kind. */
export const limit: Step<'limit' | 'default limit'> = (model, exchange, circumstances) => {
  const { request, answer } = exchange
  const { currency, window, amount } = request
  const { code, body } = answer
  const minor = readLimit(amount, currency)
  if (typeof minor === 'string' && minor !== 'none' && minor !== 'default') {
    return when(code === minor, model)
  }
  if (code !== undefined) return []
  if (request.kind === 'default limit') {
    const shown = typeof minor === 'bigint' ? showMinor(minor, currency) : null
    return when(body.amount === shown, model)
  }
  const { userId, limited: kind } = request
  const newest = circumstances.settings.limits.at(-1)?.value
  const set = resolve(newest, { userId, kind }, currency, window)
  if (body.limit !== (set ? showMinor(set.amount, currency) : null)) return []
  if (!set) return [model]
  const name = nameOf(userId, currency, window)
  return returns(model, [name], exchange).map((before) => putInForce(before, name, set, true))
}

/** A limit as an operator writes it: nothing at all may be one. Or the code of the refusal. */
export function readLimit(amount: string | null, currency: Currency): bigint | string {
  if (amount === null) return 'none'
  if (amount === 'default') return amount
  return /^0(\.0*)?$/.test(amount) ? 0n : readMinor(amount, currency)
}

/** The limits after one was set. */
export function setLimit(
  limits: Limits,
  whose: string,
  currency: Currency,
  window: Window,
  amount: bigint | 'none' | 'default',
): Limits {
  const version = 1 + Math.max(0, ...[...limits.values()].map((rule) => rule.version))
  return new Map(limits).set(nameOf(whose, currency, window), { amount, version })
}
