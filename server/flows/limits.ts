import { budgetAccount } from '../../accounting/accounts.ts'
import { type NextReturn, readNextReturn } from '../../accounting/budget-uses.ts'
import { limitMaxMinor, putInForce, readBudgets } from '../../accounting/budgets.ts'
import type { Asset } from '../../accounting/chart.ts'
import {
  type DefaultLimit,
  findDefaultLimit,
  findLimit,
  findUserLimits,
  insertDefaultLimit,
  insertLimit,
  type LimitKey,
  type NewDefaultLimit,
  type NewLimit,
  setUserKind,
  type UserLimits,
} from '../../db/limits.ts'
import type { LimitKind } from '../../db/schema.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { readCanonicalAmount, readCurrency, readPrice } from './amount.ts'
import { readSome } from './followed-list.ts'
import {
  budgetOf,
  resolveLimit,
  resolveLimits,
  type SetLimit,
  toBudgetLimit,
  windowSeconds,
} from './limit-rules.ts'
import { afterMoving } from './settle.ts'

/** A limit and how it stands; amounts in minor units, null where there is no limit. */
export interface Limit extends SetLimit {
  /** What the ledger lets pass: more than the limit while more is in use since it was lowered. */
  inForceMinor: bigint | null
  usedMinor: bigint | null
  leftMinor: bigint | null
  next: NextReturn | undefined
}

type LimitDeps = Pick<Deps, 'db' | 'ledger' | 'settings'>

/** The limits of a user, by currency and with the shortest window first. */
export async function readLimits(
  deps: Pick<Deps, 'ledger' | 'settings'>,
  user: UserLimits,
): Promise<Limit[]> {
  return describe(deps, user.userId, resolveLimits(user, await deps.settings.read()))
}

/** The same of any user, for operators. Refusals: user_not_found, user_without_limits. */
export async function readLimitsOf(
  deps: LimitDeps,
  userId: string,
): Promise<{ kind: UserLimits['kind']; limits: Limit[] }> {
  const user = await findLimited(deps, userId)
  return { kind: user.kind, limits: await readLimits(deps, user) }
}

async function describe(
  { ledger }: Pick<Deps, 'ledger'>,
  userId: string,
  limits: readonly SetLimit[],
): Promise<Limit[]> {
  const budgets = limits.map((limit) => budgetOf(userId, limit))
  const states = await readBudgets(ledger, budgets)
  return readSome([...limits.keys()], async (index) => {
    const [limit, budget, { usedMinor }] = [limits[index]!, budgets[index]!, states[index]!]
    const { amountMinor } = limit
    if (amountMinor === null) {
      return { ...limit, inForceMinor: null, usedMinor: null, leftMinor: null, next: undefined }
    }
    const { id } = budgetAccount(budget, budget.asset)
    const isSpent = usedMinor >= amountMinor
    return {
      ...limit,
      inForceMinor: isSpent ? usedMinor : amountMinor,
      usedMinor,
      leftMinor: isSpent ? 0n : amountMinor - usedMinor,
      next: usedMinor > 0n ? await readNextReturn(ledger, id, budget.windowSeconds) : undefined,
    }
  })
}

export interface LimitChange extends LimitKey {
  /** Names the change, which is made once. */
  id: string
  /** The operator. */
  setBy: string
  userId: string
  /** Decimal text in major units, also "0"; null for no limit, `default` for that of the user's kind. */
  amount: string | null
}

/**
 * Sets a limit of a user, once under the id of the change (`replayed`), and puts it into force: in every
 * process within a second. Of a lower one only what is not in use is taken at once; the answer tells what
 * passes now, and what comes back is taken before it is used again.
 * Refusals: user_not_found, user_without_limits, currency_not_supported, amount_malformed,
 * amount_not_positive, amount_too_precise, amount_too_large, idempotency_key_reused for another change of
 * this id, outcome_unknown.
 */
export async function setLimit(
  deps: LimitDeps & Pick<Deps, 'sessions'>,
  change: LimitChange,
): Promise<{ limit: Limit; replayed: boolean }> {
  const limit = await toNewLimit(deps, change)
  const replayed = await setOnce(limit, {
    find: () => findLimit(deps.db, limit.id),
    insert: () => insertLimit(deps.db, limit),
  })
  return { limit: await putLimitInForce(deps, limit), replayed }
}

/** What is set by a change. Refusals: those of setLimit but idempotency_key_reused and outcome_unknown. */
export async function toNewLimit(
  deps: LimitDeps,
  { amount, ...change }: LimitChange,
): Promise<NewLimit> {
  await findLimited(deps, change.userId)
  const asset = await readCurrency(deps, change.currency)
  if (amount === 'default') return { ...change, rule: 'default', amountMinor: null }
  const amountMinor = readLimitAmount(amount, asset)
  return { ...change, rule: amountMinor === null ? 'none' : 'amount', amountMinor }
}

/** Sets something once under its id; answers whether it was set before. Refusal: idempotency_key_reused. */
async function setOnce<T extends NewLimit | NewDefaultLimit>(
  wanted: T,
  { find, insert }: { find: () => Promise<T | undefined>; insert: () => Promise<void> },
): Promise<boolean> {
  const before = await find()
  if (!before) await insert()
  const stored = before ?? (await find())
  if (!stored || termsOf(stored) !== termsOf(wanted)) throw new Refusal('idempotency_key_reused')
  return before !== undefined
}

function termsOf(limit: NewLimit | NewDefaultLimit): string {
  const whose = 'userId' in limit ? `${limit.userId} ${limit.rule}` : limit.kind
  return `${whose} ${limit.currency} ${limit.window} ${limit.amountMinor}`
}

/** Puts what is set of a user into force, and tells how it stands. Refusal: outcome_unknown. */
export async function putLimitInForce(
  deps: LimitDeps & Pick<Deps, 'sessions'>,
  { id, userId, ...key }: Pick<NewLimit, 'id' | 'userId' | keyof LimitKey>,
): Promise<Limit> {
  deps.sessions.forgetUser(userId)
  return afterMoving(id, apply(deps, userId, key))
}

async function apply(deps: LimitDeps, userId: string, key: LimitKey): Promise<Limit> {
  const settings = await deps.settings.read()
  const limit = resolveLimit(await findLimited(deps, userId), settings, key)
  const wanted = toBudgetLimit(limit)
  if (wanted) await putInForce(deps.ledger, budgetOf(userId, key), wanted)
  const [described] = await describe(deps, userId, [limit])
  return described!
}

/** Limits of everyone of a kind, as they were set. */
export async function readDefaultLimits({
  settings,
}: Pick<Deps, 'settings'>): Promise<DefaultLimit[]> {
  const { limitDefaults } = await settings.read()
  return [...limitDefaults.values()].flat().sort((a, b) => compareText(sortKey(a), sortKey(b)))
}

const sortKey = ({ kind, currency, window }: DefaultLimit) =>
  `${kind} ${currency} ${String(windowSeconds[window]).padStart(8, '0')}`

const compareText = (a: string, b: string) => (a < b ? -1 : 1)

/** A change of what everyone of a kind may spend or bring in. */
export interface DefaultLimitChange extends LimitKey {
  /** Names the change, which is made once. */
  id: string
  /** The operator. */
  setBy: string
  kind: LimitKind
  /** Decimal text in major units, also "0"; null for no limit. */
  amount: string | null
}

/**
 * Sets a limit of everyone of a kind for whom none is set alone, once under the id of the change
 * (`replayed`). It is in force in every process within a second: for each user from the next use on.
 * Refusals: those of amounts, currency_not_supported, idempotency_key_reused for another change of this id.
 */
export async function setDefaultLimit(
  deps: Pick<Deps, 'db' | 'settings'>,
  change: DefaultLimitChange,
): Promise<{ limit: NewDefaultLimit; replayed: boolean }> {
  const limit = await toNewDefaultLimit(deps, change)
  const replayed = await setOnce(limit, {
    find: () => findDefaultLimit(deps.db, limit.id),
    insert: () => insertDefaultLimit(deps.db, limit),
  })
  deps.settings.forget()
  return { limit, replayed }
}

/** What is set by a change. Refusals: those of amounts, currency_not_supported. */
export async function toNewDefaultLimit(
  deps: Pick<Deps, 'settings'>,
  { amount, ...change }: DefaultLimitChange,
): Promise<NewDefaultLimit> {
  const asset = await readCurrency(deps, change.currency)
  return { ...change, amountMinor: readLimitAmount(amount, asset) }
}

/** Says what kind of customer a user is. Refusals: user_not_found, not_a_customer. */
export async function setKind(
  deps: Pick<Deps, 'db' | 'sessions'>,
  userId: string,
  kind: 'person' | 'business',
): Promise<void> {
  if (!(await setUserKind(deps.db, userId, kind))) {
    const isKnown = await findUserLimits(deps.db, userId)
    throw new Refusal(isKnown ? 'not_a_customer' : 'user_not_found')
  }
  deps.sessions.forgetUser(userId)
}

/** Refusals: user_not_found, user_without_limits. */
export async function findLimited({ db }: Pick<Deps, 'db'>, userId: string): Promise<UserLimits> {
  const user = await findUserLimits(db, userId)
  if (!user) throw new Refusal('user_not_found')
  if (user.role === 'operator') throw new Refusal('user_without_limits')
  return user
}

/** Refusals: those of amounts. Nothing at all may be the limit. */
export function readLimitAmount(text: string | null, asset: Asset): bigint | null {
  if (text === null) return null
  if (readCanonicalAmount(text) === '0') return 0n
  const minor = readPrice(text, asset, '/amount')
  if (minor <= limitMaxMinor) return minor
  throw new Refusal('amount_too_large', {
    errors: [{ pointer: '/amount', message: `must be at most ${limitMaxMinor} minor units` }],
  })
}
