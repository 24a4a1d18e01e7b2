/**
 * Holds: money that a payer has authorised and a payee may take until a deadline.
 *
 * A hold is a pending transfer payer -> payee. All its transfers carry the hold's id in
 * `user_data_128`, so that its state is read from the ledger alone. A capture posts the pending
 * transfer, in full or in part; what is left goes back to the payer, or in the same chain is held
 * again by a new pending transfer until the original deadline.
 */
import { QueryFilterFlags, type Transfer, TransferFlags } from 'tigerbeetle-node'
import { TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import { computeUuid, toLedgerId, toUuid, type Uuid } from './ids.ts'
import { type Submission, submitChain } from './transfers.ts'

export type HoldState =
  /** The payee may capture what is held. */
  | 'open'
  /** The last capture gave the rest back, or there was none. */
  | 'captured'
  | 'voided'
  | 'expired'

export interface Hold {
  id: Uuid
  payerWalletId: Uuid
  payeeWalletId: Uuid
  ledger: number
  /** What was authorised. */
  amountMinor: bigint
  /** What has been captured so far. */
  capturedMinor: bigint
  /** What may still be captured; 0 unless open. */
  heldMinor: bigint
  state: HoldState
  inputHash: number
  /** When it was authorised and when it ends, nanoseconds since 1970. */
  timestamp: bigint
  deadline: bigint
  /** The pending transfer that holds the money now; undefined unless open. */
  pending: { id: bigint; amountMinor: bigint } | undefined
}

/** The least part of a hold that can be captured with the rest held again: 1 in this many. */
export const capturesMax = 100

const nsPerSecond = 1_000_000_000n
/** A first pending transfer, and for each capture a post and a new pending one. */
const transfersMax = 2 * capturesMax + 2

/** A hold as the ledger has it at `now` (ns since 1970); undefined when there is none. */
export async function readHold(ledger: Ledger, id: Uuid, now: bigint): Promise<Hold | undefined> {
  const user_data_128 = toLedgerId(id)
  // To TigerBeetle 0 means whatever hold.
  if (user_data_128 === 0n) return undefined
  const transfers = await ledger.queryTransfers({
    user_data_128,
    user_data_64: 0n,
    user_data_32: 0,
    ledger: 0,
    code: TransferCode.hold,
    timestamp_min: 0n,
    timestamp_max: 0n,
    limit: transfersMax,
    flags: QueryFilterFlags.none,
  })
  return foldHold(transfers, now)
}

/** What a hold's transfers, oldest first, amount to at `now`. Pure. */
function foldHold(transfers: readonly Transfer[], now: bigint): Hold | undefined {
  const [first] = transfers
  if (!first) return undefined
  const deadline = first.timestamp + BigInt(first.timeout) * nsPerSecond
  let pending: Hold['pending']
  let capturedMinor = 0n
  let state: HoldState = 'open'
  for (const transfer of transfers) {
    if (transfer.flags & TransferFlags.pending) {
      pending = { id: transfer.id, amountMinor: transfer.amount }
      state = 'open'
    } else if (transfer.flags & TransferFlags.post_pending_transfer) {
      capturedMinor += transfer.amount
      pending = undefined
      state = 'captured'
    } else {
      pending = undefined
      state = 'voided'
    }
  }
  if (pending && now >= deadline) {
    pending = undefined
    state = 'expired'
  }
  return {
    id: toUuid(first.user_data_128),
    payerWalletId: toUuid(first.debit_account_id),
    payeeWalletId: toUuid(first.credit_account_id),
    ledger: first.ledger,
    amountMinor: first.amount,
    capturedMinor,
    heldMinor: pending?.amountMinor ?? 0n,
    state,
    inputHash: first.user_data_32,
    timestamp: first.timestamp,
    deadline,
    pending,
  }
}

export interface Capture {
  /** Names the capture for ever. */
  id: Uuid
  inputHash: number
  amountMinor: bigint
  /** Whether the rest goes back to the payer; otherwise it is held again. */
  isFinal: boolean
}

/**
 * A step on a hold: what became of it; that the hold has moved on and has to be read again; or that it
 * has run out by the ledger's clock, which alone counts.
 */
export type HoldStep = Submission | { kind: 'stale' } | { kind: 'expired' }

/**
 * Captures from an open hold: debit payer, credit payee. With `isFinal` false one chain posts the part
 * and holds the rest again until the original deadline; less than a second before it the rest goes
 * back. Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function captureHold(
  ledger: Ledger,
  hold: Hold,
  capture: Capture,
  now: bigint,
): Promise<HoldStep> {
  if (!hold.pending) return { kind: 'stale' }
  const rest = hold.pending.amountMinor - capture.amountMinor
  const timeoutSeconds = Number((hold.deadline - now) / nsPerSecond)
  const holdsAgain = !capture.isFinal && rest > 0n && timeoutSeconds > 0
  const post: Transfer = {
    ...resolution(hold.pending.id),
    id: toLedgerId(capture.id),
    amount: capture.amountMinor,
    user_data_32: capture.inputHash,
    flags:
      TransferFlags.post_pending_transfer |
      (holdsAgain ? TransferFlags.linked : TransferFlags.none),
  }
  if (!holdsAgain) return step(ledger, [post])
  const again: Transfer = {
    id: toLedgerId(computeUuid('leg', capture.id, 1)),
    debit_account_id: toLedgerId(hold.payerWalletId),
    credit_account_id: toLedgerId(hold.payeeWalletId),
    amount: rest,
    pending_id: 0n,
    user_data_128: toLedgerId(hold.id),
    user_data_64: 0n,
    user_data_32: capture.inputHash,
    timeout: timeoutSeconds,
    ledger: hold.ledger,
    code: TransferCode.hold,
    flags: TransferFlags.pending,
    timestamp: 0n,
  }
  return step(ledger, [post, again])
}

/**
 * Gives everything that is still held back to the payer. The transfer's id is computed from the pending
 * one, so that repeating it changes nothing.
 */
export async function voidHold(ledger: Ledger, hold: Hold): Promise<HoldStep> {
  if (!hold.pending) return { kind: 'stale' }
  const id = toLedgerId(computeUuid('void', toUuid(hold.pending.id)))
  // An input hash of its own: one that was taken over would not be known again in a repetition.
  const user_data_32 = hold.inputHash
  const flags = TransferFlags.void_pending_transfer
  return step(ledger, [{ ...resolution(hold.pending.id), id, user_data_32, flags }])
}

const staleStatuses: ReadonlySet<string> = new Set([
  'pending_transfer_already_posted',
  'pending_transfer_already_voided',
])

async function step(ledger: Ledger, chain: readonly Transfer[]): Promise<HoldStep> {
  const submission = await submitChain(ledger, chain)
  if (submission.kind !== 'invalid') return submission
  if (submission.status === 'pending_transfer_expired') return { kind: 'expired' }
  return staleStatuses.has(submission.status) ? { kind: 'stale' } : submission
}

/** A transfer that resolves a pending one; what is 0 is taken over from that. */
function resolution(pendingId: bigint): Transfer {
  return {
    id: 0n,
    debit_account_id: 0n,
    credit_account_id: 0n,
    amount: 0n,
    pending_id: pendingId,
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    timeout: 0,
    ledger: 0,
    code: 0,
    flags: TransferFlags.none,
    timestamp: 0n,
  }
}
