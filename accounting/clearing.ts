/** What has happened on the clearing account of a payment system, as it would be on its statement. */
import { AccountFilterFlags, type Transfer } from 'tigerbeetle-node'
import type { AccountPlan } from './accounts.ts'
import { type Ledger, requestEventsMax } from './client.ts'
import { toLedgerId } from './ids.ts'
import { phaseOf, type StoredOperation, toStored } from './transfers.ts'

/** A transfer that has debited or credited a clearing account. */
export interface ClearingMovement extends StoredOperation {
  /**
   * Minor units. A debit (a deposit) is positive: the payment system holds more for the house. A credit
   * (a withdrawal that was paid, a charge-back, a settlement, a fee) is negative.
   */
  signedMinor: bigint
}

/** What is asked for at once; a server that gives less is asked more often. */
const pageLimit = 1_000

/**
 * What was posted on a clearing account between two ledger times (ns, both inclusive), oldest first, in
 * pages of at most 1,000. What is pending, and what resolves it without moving money, is left out.
 * Rejects with LedgerUnavailable or LedgerOutcomeUnknown.
 */
export async function* readClearing(
  ledger: Ledger,
  { id, asset }: AccountPlan,
  { from, upTo }: { from: bigint; upTo: bigint },
): AsyncGenerator<ClearingMovement[], void> {
  const account_id = toLedgerId(id)
  for (let timestamp_min = from; timestamp_min <= upTo; ) {
    const page = await ledger.getAccountTransfers({
      account_id,
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      code: 0,
      timestamp_min,
      timestamp_max: upTo,
      limit: pageLimit,
      flags: AccountFilterFlags.debits | AccountFilterFlags.credits,
    })
    const movements = page.filter(
      (transfer) => hasMoved(transfer) && transfer.ledger === asset.ledger,
    )
    if (movements.length > 0) yield movements.map((transfer) => toMovement(transfer, account_id))
    const last = page.at(-1)
    // Every server gives at least this many, if there are.
    if (!last || page.length < requestEventsMax) return
    timestamp_min = last.timestamp + 1n
  }
}

function hasMoved({ flags, amount }: Transfer): boolean {
  const phase = phaseOf(flags)
  return amount > 0n && (phase === 'single' || phase === 'post')
}

function toMovement(transfer: Transfer, accountId: bigint): ClearingMovement {
  const { amount, debit_account_id } = transfer
  return { ...toStored(transfer), signedMinor: debit_account_id === accountId ? amount : -amount }
}
