/** What paying costs and uses besides the payment itself: further legs in its chain. */
import { type Asset, TransferCode } from '../../accounting/chart.ts'
import type { Fee } from '../../accounting/fees.ts'
import type { Leg } from '../../accounting/legs.ts'
import { chainLegs, type Plan } from '../../accounting/transfers.ts'
import type { FeeSchedule } from '../../db/fee-schedules.ts'
import { owns, type Payer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { provideBudgets } from './budget-legs.ts'
import { chargeFee, provideSchedule } from './fees.ts'

/** What applies to the payments of one person in one currency, as it holds now. */
export interface Charges {
  payer: Payer
  asset: Asset
  /** The legs that use an amount (minor units) of what the payer may spend. */
  toBudgetLegs: (amountMinor: bigint) => Leg[]
  feeSchedule: FeeSchedule | undefined
}

/**
 * Reads what applies now, which is in memory. Sees to the accounts and limits that payments with it need.
 * Rejects with LedgerUnavailable or LedgerOutcomeUnknown: then nothing of a payment has happened.
 */
export async function readCharges(
  deps: Pick<Deps, 'ledger' | 'settings' | 'nowMs'>,
  payer: Payer,
  asset: Asset,
): Promise<Charges> {
  const [toBudgetLegs, feeSchedule] = await Promise.all([
    provideBudgets(deps, payer, asset),
    provideSchedule(deps, { operation: 'payment', asset }),
  ])
  return { payer, asset, toBudgetLegs, feeSchedule }
}

/**
 * The chain that pays or holds by this leg: what it uses of what the payer may spend comes before it, the
 * fee after. Between own wallets nothing is spent. A hold costs nothing, only its captures may.
 */
export function chainPayment(
  { payer, toBudgetLegs, feeSchedule }: Charges,
  leg: Leg,
): Required<Pick<Plan, 'legs' | 'principalLeg'>> & { fee: Fee | undefined } {
  const { debitAccountId, creditAccountId, amountMinor, asset } = leg
  const budgetLegs = owns(payer, creditAccountId) ? [] : toBudgetLegs(amountMinor)
  const { fee, legs } = chargeFee(leg.code === TransferCode.hold ? undefined : feeSchedule, {
    operation: 'payment',
    asset,
    amountMinor,
    senderWalletId: debitAccountId,
    recipientWalletId: creditAccountId,
  })
  return { ...chainLegs(budgetLegs, [leg, ...legs]), fee }
}
