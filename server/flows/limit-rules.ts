/** Which limits a user has, by what operators have set. Pure. */
import type { Budget, BudgetLimit } from '../../accounting/budgets.ts'
import { assetOf } from '../../accounting/chart.ts'
import type { DefaultLimit, LimitKey, UserLimit, UserLimits } from '../../db/limits.ts'
import type { LimitWindow } from '../../db/schema.ts'
import type { Settings } from '../settings.ts'

/** How long each window is, in seconds. It moves on with the clock: no day begins at midnight. */
export const windowSeconds = {
  day: 86_400,
  week: 604_800,
  month: 2_592_000,
} as const satisfies Record<LimitWindow, number>

/** The windows, the shortest first. */
export const limitWindows = Object.keys(windowSeconds) as LimitWindow[]

/** A limit as it was set. */
export interface SetLimit extends LimitKey {
  /** Minor units; null for no limit. */
  amountMinor: bigint | null
  version: bigint
  /** Whether it is set for this user alone, or for everyone of the kind. */
  source: 'user' | 'default'
}

type Defaults = Pick<Settings, 'limitDefaults'>

/**
 * The limit of a user within a window. Its version is the sum of those of all that decides about it:
 * each of them only grows, so that whoever has not heard of a change yet has a lower one.
 */
export function resolveLimit(
  { kind, kindVersion, own }: Omit<UserLimits, 'userId'>,
  { limitDefaults }: Defaults,
  { currency, window }: LimitKey,
): SetLimit {
  const forUser = own.find((it) => it.currency === currency && it.window === window)
  const forAll = (limitDefaults.get(currency) ?? []).filter((it) => it.window === window)
  const forKind = forAll.find((it) => it.kind === kind)
  const version = (forUser?.version ?? 0n) + newestVersion(forAll) + kindVersion
  return forUser && forUser.rule !== 'default'
    ? { currency, window, amountMinor: forUser.amountMinor, version, source: 'user' }
    : { currency, window, amountMinor: forKind?.amountMinor ?? null, version, source: 'default' }
}

/** Of whatever kind: one user can become of another kind. */
function newestVersion(limits: readonly DefaultLimit[]): bigint {
  let newest = 0n
  for (const { version } of limits) if (version > newest) newest = version
  return newest
}

/** All that was set about a user, by currency and with the shortest window first. */
export function resolveLimits(user: Omit<UserLimits, 'userId'>, settings: Defaults): SetLimit[] {
  const isSet = ({ rule }: UserLimit) => rule !== 'default'
  const forKind = [...settings.limitDefaults.values()]
    .flat()
    .filter(({ kind }) => kind === user.kind)
  const keys = [...user.own.filter(isSet), ...forKind]
  const currencies = [...new Set(keys.map(({ currency }) => currency))].sort()
  const isAnySet = ({ currency, window }: LimitKey) =>
    keys.some((key) => key.currency === currency && key.window === window)
  return currencies
    .flatMap((currency) => limitWindows.map((window) => ({ currency, window })))
    .filter(isAnySet)
    .map((key) => resolveLimit(user, settings, key))
}

/** The budget that a limit is about. */
export function budgetOf(userId: string, { currency, window }: LimitKey): Budget {
  return { userId, asset: assetOf(currency), window, windowSeconds: windowSeconds[window] }
}

/** A limit as the ledger takes it; undefined when there is none. */
export function toBudgetLimit({ amountMinor, version }: SetLimit): BudgetLimit | undefined {
  return amountMinor === null ? undefined : { amountMinor, version }
}

/** Whether a limit (minor units, null for none) lets more pass than another. */
export function isRaise(before: bigint | null, after: bigint | null): boolean {
  if (before === null) return false
  return after === null || after > before
}
