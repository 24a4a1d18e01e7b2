/** The legs by which an operation uses what its user may spend, and the refusal when that is too little. */

import { readNextReturn } from '../../accounting/budget-uses.ts'
import { putInForce, readBudget, toBudgetLeg } from '../../accounting/budgets.ts'
import type { Asset } from '../../accounting/chart.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { Leg } from '../../accounting/legs.ts'
import type { UserLimits } from '../../db/limits.ts'
import { owns, type Payer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { showAmount } from './amount.ts'
import { showLedgerTime } from './ledger-time.ts'
import {
  budgetOf,
  limitWindows,
  resolveLimit,
  toBudgetLimit,
  windowSeconds,
} from './limit-rules.ts'

/**
 * The legs that use an amount (minor units, without fees) of what a user may spend, or a payment system
 * bring in: one for each window with a limit. They come before the principal leg of the same chain. A
 * limit that this process has seen in force costs nothing, and none costs a query to PostgreSQL.
 * Rejects with LedgerUnavailable or LedgerOutcomeUnknown: then nothing of the operation has happened.
 */
export async function toBudgetLegs(
  deps: Pick<Deps, 'ledger' | 'settings'>,
  user: { limits: UserLimits },
  asset: Asset,
  amountMinor: bigint,
): Promise<Leg[]> {
  return (await provideBudgets(deps, user, asset))(amountMinor)
}

/** The same for any number of amounts, each of which then costs nothing at all. */
export async function provideBudgets(
  deps: Pick<Deps, 'ledger' | 'settings'>,
  { limits: user }: { limits: UserLimits },
  asset: Asset,
): Promise<(amountMinor: bigint) => Leg[]> {
  const settings = await deps.settings.read()
  const uses = limitWindows.flatMap((window) => {
    const key = { currency: asset.currency, window }
    const limit = toBudgetLimit(resolveLimit(user, settings, key))
    return limit ? [{ limit, budget: budgetOf(user.userId, key) }] : []
  })
  await Promise.all(uses.map(({ limit, budget }) => putInForce(deps.ledger, budget, limit)))
  const legs = uses.map(({ budget }) => toBudgetLeg(budget, 0n))
  return (amountMinor) => legs.map((leg) => ({ ...leg, amountMinor }))
}

/** The same for what is paid into a wallet: between own wallets nothing is spent. */
export async function toSpendingLegs(
  deps: Pick<Deps, 'ledger' | 'settings'>,
  payer: Payer,
  { toWalletId, asset, amountMinor }: { toWalletId: Uuid; asset: Asset; amountMinor: bigint },
): Promise<Leg[]> {
  return owns(payer, toWalletId) ? [] : toBudgetLegs(deps, payer, asset, amountMinor)
}

/** The refusal of an operation that was declined at a leg of toBudgetLegs. */
export async function explainLimit(
  deps: Pick<Deps, 'ledger'>,
  leg: Pick<Leg, 'debitAccountId' | 'amountMinor' | 'asset' | 'timeoutSeconds'>,
): Promise<Refusal> {
  const { debitAccountId: accountId, asset } = leg
  const window = limitWindows.find((it) => windowSeconds[it] === leg.timeoutSeconds)
  if (!window) throw new Error(`no limit has a window of ${leg.timeoutSeconds} seconds`)
  const state = await Promise.all([
    readBudget(deps.ledger, accountId),
    readNextReturn(deps.ledger, accountId, windowSeconds[window]),
  ]).catch(() => undefined)
  if (!state) return new Refusal('limit_exceeded')
  const [{ totalMinor, usedMinor }, next] = state
  const show = (minor: bigint) => showAmount(minor, asset.currency)
  const [limit, left] = [show(totalMinor), show(totalMinor - usedMinor)]
  const { currency } = asset
  return new Refusal('limit_exceeded', {
    detail: `${limit} ${currency} may be moved within a ${window}, of which ${left} are left now.`,
    extra: {
      window,
      limit,
      left,
      currency,
      next_return: next ? { amount: show(next.amountMinor), at: showLedgerTime(next.at) } : null,
    },
  })
}
