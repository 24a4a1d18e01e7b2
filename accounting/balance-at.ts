/**
 * A wallet's balance as of any moment, from TigerBeetle's own balance history.
 *
 * What was posted is in the account's last balance before the moment. What was held is not: a balance
 * is written with each transfer, and a pending transfer that has run out leaves none; nor does the ledger
 * take it out of the balance at its deadline, but at a moment of its own soon after. So held is derived:
 * it is the sum of all pending debits from before the moment that were neither posted nor voided before it
 * and whose deadline is not before it. The last balance says when all of them are found.
 */
import { AccountFilterFlags, type Transfer } from 'tigerbeetle-node'
import type { Balance } from './accounts.ts'
import { TransferCode } from './chart.ts'
import { type Ledger, requestEventsMax } from './client.ts'
import { deadlineOf } from './clock.ts'
import { toLedgerId, type Uuid } from './ids.ts'
import { newestBalance } from './posted-at.ts'
import { phaseOf } from './transfers.ts'

/** Whatever reserves money of a wallet: no other code has pending debits of it. */
const holdingCodes = [TransferCode.hold, TransferCode.withdrawal, TransferCode.fee] as const

/** What is asked for at once; a server that gives less is asked more often. */
const pageLimit = 1_000

/**
 * What a wallet's account had right before a moment (ledger time, ns) that is over: everything that
 * happened earlier counts. An account that does not exist has nothing.
 * Rejects with LedgerUnavailable or LedgerOutcomeUnknown.
 */
export async function readBalanceAt(ledger: Ledger, walletId: Uuid, at: bigint): Promise<Balance> {
  const accountId = toLedgerId(walletId)
  const newest = await newestBalance(ledger, accountId, at)
  if (!newest) return { postedMinor: 0n, heldMinor: 0n, availableMinor: 0n }
  const postedMinor = newest.credits_posted - newest.debits_posted
  const pending = { minor: newest.debits_pending, asOf: newest.timestamp }
  const heldMinor = pending.minor === 0n ? 0n : await readHeld(ledger, accountId, pending, at)
  return { postedMinor, heldMinor, availableMinor: postedMinor - heldMinor }
}

/**
 * What of an account's pending debits at the time of its last balance has not run out at a later moment.
 * Walks back from there until all of them are found.
 */
async function readHeld(
  ledger: Ledger,
  accountId: bigint,
  pending: { minor: bigint; asOf: bigint },
  at: bigint,
): Promise<bigint> {
  const found = createHeld(pending.asOf, at)
  let walks = holdingCodes.map((code) => ({ code: code as number, before: pending.asOf }))
  while (walks.length > 0) {
    const pages = await Promise.all(
      walks.map((walk) => queryDebits(ledger, accountId, walk.code, walk.before)),
    )
    for (const transfer of pages.flat()) found.add(transfer)
    if (found.countedMinor === pending.minor) return found.heldMinor
    walks = pages.flatMap((page) => {
      const last = page.at(-1)
      const isLast = !last || page.length < requestEventsMax || last.timestamp <= 1n
      return isLast ? [] : [{ code: last.code, before: last.timestamp - 1n }]
    })
  }
  const isExplained =
    found.countedMinor < pending.minor && pending.minor <= found.countedMinor + found.lateMinor
  if (!isExplained) throw new Error(`account ${accountId}: unknown pending debits at ${at}`)
  return found.heldMinor
}

/** Adds up an account's pending debits, whose transfers are given newest first by code. */
function createHeld(asOf: bigint, at: bigint) {
  const resolved = new Set<bigint>()
  return {
    /** Held at the moment. */
    heldMinor: 0n,
    /** Those that the last balance counts for certain. */
    countedMinor: 0n,
    /** Those that had run out by then: it counts the ones that the ledger had not taken out yet. */
    lateMinor: 0n,
    add(transfer: Transfer): void {
      const { id, pending_id, flags, amount, timeout } = transfer
      if (phaseOf(flags) !== 'pending') resolved.add(pending_id)
      else if (!resolved.has(id)) {
        const deadline = timeout === 0 ? undefined : deadlineOf(transfer)
        if (deadline === undefined || deadline > asOf) this.countedMinor += amount
        else this.lateMinor += amount
        if (deadline === undefined || deadline >= at) this.heldMinor += amount
      }
    },
  }
}

/** A page of an account's debits of one code, newest first, up to a moment. */
function queryDebits(
  ledger: Ledger,
  accountId: bigint,
  code: number,
  timestampMax: bigint,
): Promise<Transfer[]> {
  return ledger.getAccountTransfers({
    account_id: accountId,
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    code,
    timestamp_min: 0n,
    timestamp_max: timestampMax,
    limit: pageLimit,
    flags: AccountFilterFlags.debits | AccountFilterFlags.reversed,
  })
}
