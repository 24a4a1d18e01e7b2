/**
 * Payment requests: somebody asks somebody for money, who may pay it until a deadline.
 *
 * No money moves at first: there is a right to accept, a pending transfer of one piece on the control
 * ledger, under the request's own id. What ends the request resolves it: accepting posts it in the chain
 * that pays, declining and cancelling void it. So of all who want to end a request one succeeds. The
 * piece comes from an allowance, which limits how many requests are open between two people, and goes
 * back to it when the request ends.
 */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import {
  controlAccount,
  createAccounts,
  provideAccounts,
  requestAllowanceAccount,
} from './accounts.ts'
import { type Asset, ControlCode, controlOf } from './chart.ts'
import type { Ledger } from './client.ts'
import { deadlineOf } from './clock.ts'
import { computeUuid, hashInput, toLedgerId, toUuid, type Uuid } from './ids.ts'
import { type Leg, toTransfer, toVoid } from './legs.ts'
import { type AttemptedStep, type Step, submitStep, useRight } from './steps.ts'
import { readTrail } from './trail.ts'
import { type Plan, submitChain } from './transfers.ts'

export type RequestState =
  /** The payer may accept it. */
  | 'open'
  /** It is paid. */
  | 'accepted'
  /** By the payer. */
  | 'declined'
  /** By the requester. */
  | 'cancelled'
  | 'expired'

/** A request as the ledger has it; who asks whom for how much is told elsewhere. */
export interface PaymentRequest {
  id: Uuid
  state: RequestState
  inputHash: number
  /** The payment by which it was accepted. */
  paymentId: Uuid | null
  /** When it was made and when it ends, nanoseconds since 1970. */
  timestamp: bigint
  deadline: bigint
}

/** Users between whom requests are counted. */
export interface RequestParties {
  requesterId: Uuid
  payerId: Uuid
}

/** How many requests of one currency may be open from one user to another. */
export const openRequestsMax = 20n

/** The right, and what has resolved it. */
const transfersMax = 2

/** The id of the payment that accepts a request; its transfer has another. */
export const acceptanceId = (requestId: Uuid): Uuid => computeUuid('accept', requestId)

/** The id of the transfer by which the payer declines a request; another void is the requester's. */
export const declineId = (requestId: Uuid): Uuid => computeUuid('decline', requestId)

const cancellationId = (requestId: Uuid): Uuid => computeUuid('cancel', requestId)

/**
 * Makes the allowance of a requester towards a payer, unless it is there. It comes before the first
 * request, and apart from it. Rejects with LedgerUnavailable or LedgerOutcomeUnknown, which does not
 * matter: it can be repeated.
 */
export async function provideAllowance(
  ledger: Ledger,
  parties: RequestParties,
  asset: Asset,
): Promise<void> {
  const account = requestAllowanceAccount(parties, asset)
  const [found] = await ledger.lookupAccounts([toLedgerId(account.id)])
  if (found && found.credits_posted > 0n) return
  await provideAccounts(ledger, [controlAccount(asset)])
  await createAccounts(ledger, [account])
  const grant = {
    debitAccountId: controlAccount(asset).id,
    creditAccountId: account.id,
    amountMinor: openRequestsMax,
    asset: controlOf(asset),
    code: ControlCode.request_allowance_grant,
  }
  const id = computeUuid('request allowance', account.id)
  const inputHash = hashInput('request allowance', account.id)
  const granted = await submitChain(ledger, [toTransfer(grant, { id, operationId: id, inputHash })])
  if (granted.kind !== 'done') throw new Error(`${account.id}: not granted: ${granted.kind}`)
}

/** How many requests are open from the one to the other. */
export async function readOpenRequests(
  ledger: Ledger,
  parties: RequestParties,
  asset: Asset,
): Promise<bigint> {
  const { id } = requestAllowanceAccount(parties, asset)
  const [account] = await ledger.lookupAccounts([toLedgerId(id)])
  return account?.debits_pending ?? 0n
}

/** The right to accept; declined with `exceeds_credits` when as many requests are open as may be. */
export function toRequestLeg(parties: RequestParties, asset: Asset, timeoutSeconds: number): Leg {
  return {
    debitAccountId: requestAllowanceAccount(parties, asset).id,
    creditAccountId: controlAccount(asset).id,
    amountMinor: 1n,
    asset: controlOf(asset),
    code: ControlCode.request,
    timeoutSeconds,
  }
}

/** A request as the ledger has it at `now` (ns since 1970); undefined when there is none. */
export async function readRequest(
  ledger: Ledger,
  id: Uuid,
  now: bigint,
): Promise<PaymentRequest | undefined> {
  const code = ControlCode.request
  return foldRequest(await readTrail(ledger, id, { code, limit: transfersMax }), now)
}

/** What a request's transfers, oldest first, amount to at `now`. Pure. */
function foldRequest([right, end]: readonly Transfer[], now: bigint): PaymentRequest | undefined {
  if (!right) return undefined
  const id = toUuid(right.id)
  const deadline = deadlineOf(right)
  const { timestamp, user_data_32: inputHash } = right
  let state: RequestState = now < deadline ? 'open' : 'expired'
  if (end && end.flags & TransferFlags.post_pending_transfer) state = 'accepted'
  else if (end) state = toUuid(end.id) === declineId(id) ? 'declined' : 'cancelled'
  const paymentId = state === 'accepted' ? acceptanceId(id) : null
  return { id, state, inputHash, paymentId, timestamp, deadline }
}

/**
 * Accepts a request by one chain: the right is used, which gives its piece back to the allowance, and
 * what the payment consists of: debit payer, credit requester, and what that costs. As useRight.
 */
export function acceptRequest(
  ledger: Ledger,
  { id, inputHash }: PaymentRequest,
  plan: Pick<Plan, 'legs' | 'principalLeg'>,
  firstAttempt: number,
): Promise<AttemptedStep> {
  return useRight(ledger, id, { operationId: acceptanceId(id), inputHash, ...plan }, firstAttempt)
}

/**
 * Ends a request without paying it. Repeating it changes nothing, because the transfer's id is computed.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function endRequest(
  ledger: Ledger,
  { id: pendingId, inputHash }: PaymentRequest,
  end: 'declined' | 'cancelled',
): Promise<Step> {
  const id = end === 'declined' ? declineId(pendingId) : cancellationId(pendingId)
  return submitStep(ledger, [toVoid({ id, pendingId, inputHash })])
}
