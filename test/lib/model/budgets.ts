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

/** How budgets may stand for what somebody spends. */
export interface Spending {
  /** With the limits in force that were looked at. */
  model: Model
  declines: readonly string[]
  perhaps: readonly string[]
  /** The model after so much was used for an operation. */
  use: (after: Model, operationId: string) => Model
}

/** The ways in which budgets may stand: more than one while a limit is put into force. */
export function spend(
  model: Model,
  exchange: Exchange,
  circumstances: Circumstances,
  spender: Spender,
): Spending[] {
  const { userId, currency } = spender
  const mayLag = circumstances.returning.has(userId)
  const ways = limitsFor(circumstances.settings, exchange).map((limits) => {
    let after = model
    const names: string[] = []
    for (const window of windows) {
      const limit = resolve(limits, spender, currency, window)
      if (!limit) continue
      const name = nameOf(userId, currency, window)
      after = putInForce(after, name, limit, mayLag)
      names.push(name)
    }
    return { model: after, names }
  })
  // Whoever knows of no limit leaves it to the next to put it into force.
  const forced = ways.findLast((way) => way.model !== model)?.model ?? model
  const standing = ways.map(({ model: after, names }) => {
    return { names, model: names.length === 0 ? forced : after }
  })
  const isSure = (name: string) => standing.every(({ names }) => names.includes(name))
  const models = [...new Set(standing.map((way) => way.model))]
  return models.reverse().map((after) => {
    const ofModel = standing.filter((way) => way.model === after)
    const all = [...new Set(ofModel.flatMap(({ names }) => names))]
    return toUnsure(after, all, isSure, exchange, spender)
  })
}

/**
 * Which process was asked, one that has heard of a limit or another, shows only when it declines: or else
 * much later, when the search no longer goes back.
 */
function toUnsure(
  model: Model,
  all: readonly string[],
  isSure: (name: string) => boolean,
  exchange: Exchange,
  spender: Spender,
): Spending {
  const sure = all.filter(isSure)
  const unsure = all.filter((name) => !sure.includes(name))
  const spending = toSpending(model, sure, unsure, exchange, spender)
  const { declines, perhaps } = toSpending(model, unsure, [], exchange, spender)
  return { ...spending, perhaps: [...spending.perhaps, ...declines, ...perhaps] }
}

function toSpending(
  model: Model,
  sure: readonly string[],
  unsure: readonly string[],
  { answeredAt }: Exchange,
  { minor }: Spender,
): Spending {
  const rooms = sure.map((name) => roomOf(model, budgetOf(model, name), answeredAt))
  const isLacking = rooms.some(({ most }) => minor > most)
  const mayLack = rooms.some(({ least }) => minor > least)
  return {
    model,
    declines: isLacking ? [exceeded] : [],
    perhaps: mayLack ? [exceeded] : [],
    use(after, operationId) {
      const add = (isSure: boolean) => (next: Model, name: string) => {
        const budget = budgetOf(next, name)
        const uses = new Map(budget.uses).set(operationId, { minor, isSure })
        return put(next, 'budgets', { ...budget, uses })
      }
      return unsure.reduce(add(false), sure.reduce(add(true), after))
    },
  }
}

const exceeded = 'limit_exceeded'

const budgetOf = ({ budgets }: Model, id: string): ModelBudget =>
  budgets.get(id) ?? { id, version: 0, limit: 0n, total: 0n, uses: new Map() }

/** How much of a budget is in use, at the least and at the most: nobody is told when a hold gives back. */
export function usedOf(
  model: Model,
  { uses }: ModelBudget,
  now: number,
): { least: bigint; most: bigint } {
  let [least, most] = [0n, 0n]
  for (const [id, { minor, isSure }] of uses) {
    most += minor
    if (isSure && !isReturning(model, id, now)) least += minor
  }
  return { least, most }
}

/** How much of a budget may still be used. */
function roomOf(model: Model, budget: ModelBudget, now: number): { least: bigint; most: bigint } {
  const used = usedOf(model, budget, now)
  const least = budget.limit - used.most
  const most = budget.total - used.least
  return { least: least > 0n ? least : 0n, most }
}

/**
 * Puts a limit into force, unless a newer one is: less takes only what is not in use, and what has come
 * back since is taken before the next use, unless (`mayLag`) it comes back at that moment.
 */
function putInForce(
  model: Model,
  name: string,
  { amount, version }: { amount: bigint; version: number },
  mayLag: boolean,
): Model {
  const budget = budgetOf(model, name)
  const { most } = usedOf(model, budget, Number.NEGATIVE_INFINITY)
  const total = most > amount ? most : amount
  if (budget.version < version) {
    return put(model, 'budgets', { ...budget, version, limit: amount, total })
  }
  const isTaken = budget.version === version && budget.total > total && !mayLag
  return isTaken ? put(model, 'budgets', { ...budget, total }) : model
}

/** Whether what a hold has used may be back, or may not. */
function isReturning({ holds }: Model, id: string, now: number): boolean {
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
  perhaps: [],
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
  return [putInForce(model, name, set, circumstances.returning.has(userId))]
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
