/**
 * Holds: money that a payer has authorised and a payee may take until a deadline.
 *
 * A hold is a pending transfer payer -> payee. All its transfers carry the hold's id in
 * `user_data_128`, so that its state is read from the ledger alone. A capture posts the pending
 * transfer, in full or in part; what is left goes back to the payer, or in the same chain is held
 * again by a new pending transfer until the original deadline.
 */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import { givingBack } from './budget-uses.ts'
import { assetOfLedger, TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import { deadlineOf, nsPerSecond } from './clock.ts'
import { computeUuid, toUuid, type Uuid } from './ids.ts'
import { type Leg, legId, toFurtherTransfers, toPost, toTransfer, toVoid } from './legs.ts'
import { type Step, submitStep } from './steps.ts'
import { readTrail } from './trail.ts'

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
  pending: { id: Uuid; amountMinor: bigint } | undefined
}

/** The least part of a hold that can be captured with the rest held again: 1 in this many. */
export const capturesMax = 100

/** A first pending transfer, and for each capture a post and a new pending one. */
const transfersMax = 2 * capturesMax + 2

/** A hold as the ledger has it at `now` (ns since 1970); undefined when there is none. */
export async function readHold(ledger: Ledger, id: Uuid, now: bigint): Promise<Hold | undefined> {
  const transfers = await readTrail(ledger, id, { code: TransferCode.hold, limit: transfersMax })
  return foldHold(transfers, now)
}

/** What a hold's transfers, oldest first, amount to at `now`. Pure. */
function foldHold(transfers: readonly Transfer[], now: bigint): Hold | undefined {
  const [first] = transfers
  if (!first) return undefined
  const deadline = deadlineOf(first)
  let pending: Hold['pending']
  let endsAt = deadline
  let capturedMinor = 0n
  let state: HoldState = 'open'
  for (const transfer of transfers) {
    if (transfer.flags & TransferFlags.pending) {
      pending = { id: toUuid(transfer.id), amountMinor: transfer.amount }
      endsAt = deadlineOf(transfer)
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
  // What is held again after a capture is held for whole seconds: it may end a little before the deadline.
  if (pending && now >= endsAt) {
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
  /** What the payee pays for it, out of what is captured. */
  feeLegs: readonly Leg[]
}

/**
 * Captures from an open hold: debit payer, credit payee. With `isFinal` false one chain posts the part
 * and holds the rest again until the original deadline; less than a second before it the rest goes
 * back. A fee's transfer carries the capture's id, not the hold's.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function captureHold(
  ledger: Ledger,
  hold: Hold,
  capture: Capture,
  now: bigint,
): Promise<Step> {
  if (!hold.pending) return { kind: 'stale' }
  const rest = hold.pending.amountMinor - capture.amountMinor
  const timeoutSeconds = Number((hold.deadline - now) / nsPerSecond)
  const { id, inputHash } = capture
  const post = toPost({ id, pendingId: hold.pending.id, inputHash }, capture.amountMinor)
  const taken = [post, ...toFurtherTransfers(capture.feeLegs, { id, operationId: id, inputHash })]
  if (capture.isFinal || rest <= 0n || timeoutSeconds <= 0) return submitStep(ledger, taken)
  const again = toTransfer(
    {
      debitAccountId: hold.payerWalletId,
      creditAccountId: hold.payeeWalletId,
      amountMinor: rest,
      asset: assetOfLedger(hold.ledger),
      code: TransferCode.hold,
      timeoutSeconds,
    },
    { id: legId(id, 1), operationId: hold.id, inputHash },
  )
  return submitStep(ledger, [...taken, again])
}

/**
 * Gives everything that is still held back to the payer, and to the payer's budgets what the hold has
 * used of them, unless a part was captured. The transfer's id is computed from the pending one, so that
 * repeating it changes nothing.
 */
export async function voidHold(ledger: Ledger, hold: Hold): Promise<Step> {
  if (!hold.pending) return { kind: 'stale' }
  const pendingId = hold.pending.id
  const id = computeUuid('void', pendingId)
  const money = toVoid({ id, pendingId, inputHash: hold.inputHash })
  if (hold.capturedMinor > 0n) return submitStep(ledger, [money])
  return givingBack(ledger, hold.id, (voids) => submitStep(ledger, [money, ...voids]))
}
