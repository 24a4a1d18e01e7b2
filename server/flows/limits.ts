import { budgetAccount } from '../../accounting/accounts.ts'
import { type NextReturn, readNextReturn } from '../../accounting/budget-uses.ts'
import { limitMaxMinor, putInForce, readBudgets } from '../../accounting/budgets.ts'
import type { Asset } from '../../accounting/chart.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { OperatorParty } from '../../db/approvals.ts'
import {
  type DefaultLimit,
  findUserLimits,
  insertDefaultLimit,
  insertLimit,
  type LimitKey,
  setUserKind,
  type UserLimits,
} from '../../db/limits.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { readAmount, readCanonicalAmount, readCurrency } from './amount.ts'
import { readSome } from './followed-list.ts'
import {
  budgetOf,
  isRaise,
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
 * Sets a limit of a user, once under the id of the change, and puts it into force: in every process
 * within a second. Of a lower one only what is not in use is taken at once; the answer tells what
 * passes now, and what comes back is taken before it is used again.
 * Refusals: user_not_found, user_without_limits, currency_not_supported, amount_malformed,
 * amount_not_positive, amount_too_precise, amount_too_large, outcome_unknown.
 */
export async function setLimit(
  deps: LimitDeps & Pick<Deps, 'sessions'>,
  { amount, id, ...change }: LimitChange,
): Promise<Limit> {
  const { userId, currency, window } = change
  const asset = await readCurrency(deps, currency)
  const amountMinor = amount === 'default' ? null : readLimitAmount(amount, asset)
  const rule = amount === 'default' ? 'default' : amountMinor === null ? 'none' : 'amount'
  await findLimited(deps, userId)
  await insertLimit(deps.db, { ...change, id, rule, amountMinor })
  deps.sessions.forgetUser(userId)
  return afterMoving(id, apply(deps, userId, { currency, window }))
}

/** Puts what is set of a user into force, and tells how it stands. */
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

/**
 * Sets a limit of everyone of a kind for whom none is set alone, once under the id of the change. It
 * is in force in every process within a second: for each user from the next use on.
 * Refusals: those of amounts, currency_not_supported.
 */
export async function setDefaultLimit(
  deps: Pick<Deps, 'db' | 'settings'>,
  change: Omit<DefaultLimit, 'amountMinor' | 'version'> & {
    id: string
    setBy: string
    amount: string | null
  },
): Promise<Omit<DefaultLimit, 'version'>> {
  const { amount, id, ...rest } = change
  const { kind, currency, window } = rest
  const amountMinor = readLimitAmount(amount, await readCurrency(deps, currency))
  await insertDefaultLimit(deps.db, { ...rest, id, amountMinor })
  deps.settings.forget()
  return { kind, currency, window, amountMinor }
}

/** A cap that an operator asks for: of a payment system, or of all for which none is set alone. */
export type CapBody =
  | (LimitKey & { user_id: Uuid; amount: LimitChange['amount'] })
  | (LimitKey & { kind: 'payment_system'; amount: string | null })

/**
 * Whether what is asked for lets a payment system bring in more than what is set, which is at most a
 * second old: what is not told to be a raise is at most what held a second ago.
 * Refusals: those of setLimit and setDefaultLimit but outcome_unknown.
 */
export async function isRaisedCap(deps: LimitDeps, cap: CapBody): Promise<boolean> {
  const { currency, amount } = cap
  const asset = await readCurrency(deps, currency)
  const wanted = amount === 'default' ? amount : readLimitAmount(amount, asset)
  const settings = await deps.settings.read()
  const byDefault = { kind: 'payment_system', kindVersion: 0n, own: [] } as const
  const user = 'user_id' in cap ? await findLimited(deps, cap.user_id) : byDefault
  if (user.kind !== 'payment_system') return false
  const amountOf = (it: Omit<UserLimits, 'userId'>) => resolveLimit(it, settings, cap).amountMinor
  return isRaise(amountOf(user), wanted === 'default' ? amountOf(byDefault) : wanted)
}

/** Sets a cap that is approved, once, to the amount that was asked for, whatever is set by now. */
export async function setCap(
  deps: LimitDeps & Pick<Deps, 'sessions'>,
  body: CapBody,
  { id, requestedBy }: { id: Uuid; requestedBy: OperatorParty },
): Promise<null> {
  const setBy = requestedBy.id
  if ('kind' in body) {
    await setDefaultLimit(deps, { ...body, id, setBy })
    return null
  }
  const { user_id: userId, ...limit } = body
  await setLimit(deps, { ...limit, id, userId, setBy })
  return null
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
async function findLimited({ db }: Pick<Deps, 'db'>, userId: string): Promise<UserLimits> {
  const user = await findUserLimits(db, userId)
  if (!user) throw new Refusal('user_not_found')
  if (user.role === 'operator') throw new Refusal('user_without_limits')
  return user
}

/** Refusals: those of amounts. Nothing at all may be the limit. */
function readLimitAmount(text: string | null, asset: Asset): bigint | null {
  if (text === null) return null
  if (readCanonicalAmount(text) === '0') return 0n
  const minor = readAmount(text, asset)
  if (minor <= limitMaxMinor) return minor
  throw new Refusal('amount_too_large', {
    errors: [{ pointer: '/amount', message: `must be at most ${limitMaxMinor} minor units` }],
  })
}
