/**
 * Moving money: an operation is a linked chain of transfers, all or nothing, whose ids are computed,
 * so that it can be submitted again without happening twice.
 */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import type { Asset, TransferCode } from './chart.ts'
import { type Ledger, LedgerOutcomeUnknown, LedgerUnavailable } from './client.ts'
import { computeUuid, toLedgerId, toUuid, type Uuid } from './ids.ts'
import { type PassingReason, readOutcome } from './outcome.ts'

/** One debit and one credit of the same amount. */
export interface Leg {
  debitAccountId: Uuid
  creditAccountId: Uuid
  amountMinor: bigint
  asset: Asset
  code: TransferCode
  /** Makes it a pending transfer, which ends by itself after this time. */
  timeoutSeconds?: number
}

/** An operation as a flow plans it. The first leg is the principal: it stands for the operation. */
export interface Plan {
  /** Names the operation for ever; kept in `user_data_128` of each leg. */
  operationId: Uuid
  /** `hashInput` of what the caller asked for; kept in `user_data_32` of each leg. */
  inputHash: number
  /** When it happened outside (ns since 1970), if that differs; kept in `user_data_64`. */
  occurredAt?: bigint
  legs: readonly [Leg, ...Leg[]]
}

/** The principal leg as the ledger stores it. */
export interface StoredOperation {
  /** Of the principal leg itself; the same as the operation's but for attempts, posts and voids. */
  transferId: Uuid
  operationId: Uuid
  debitAccountId: Uuid
  creditAccountId: Uuid
  amountMinor: bigint
  ledger: number
  code: number
  inputHash: number
  /** Nanoseconds since 1970; 0 when it did not differ from `timestamp`. */
  occurredAt: bigint
  /** When the ledger committed it, nanoseconds since 1970. */
  timestamp: bigint
}

export type Submission =
  /** The operation happened: now, or (`replayed`) at an earlier submission of the same input. */
  | { kind: 'done'; replayed: boolean; operation: StoredOperation }
  /** Another input has used this operation id before; `operation` is what happened then. */
  | { kind: 'conflict'; operation: StoredOperation }
  /**
   * It did not happen and under this id never will, because of this leg. `reason` is missing when an
   * earlier submission was declined.
   */
  | { kind: 'declined'; leg: number; reason?: PassingReason }
  /** The ledger refuses such a transfer at any time, for instance between two ledgers. */
  | { kind: 'invalid'; status: string }

/** Attempts that are tried in one call for an operation on an object before giving up. */
const attemptsPerCall = 1_000

/**
 * Submits an operation that is done at most once under its id (an idempotency key, or a fresh id).
 * A decline is final when this returns: the principal's id is burnt, so that no later or delayed
 * submission of the same operation can succeed.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function submitOnce(ledger: Ledger, plan: Plan): Promise<Submission> {
  const principalId = plan.operationId
  const submission = await submit(ledger, plan, principalId)
  if (submission.kind !== 'declined' || submission.leg === 0) return submission
  const happened = await burn(ledger, plan, principalId)
  return happened ? compare(plan, happened) : submission
}

/**
 * Submits an operation on an object (a deposit by its reference) that may be tried again after a
 * decline, but succeeds at most once: attempt n + 1 is tried only after attempt n is burnt.
 * `firstAttempt` may skip attempts that are known to be burnt. The answer tells the attempt it ended with.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function submitAttempts(
  ledger: Ledger,
  plan: Plan,
  firstAttempt: number,
): Promise<{ submission: Submission; attempt: number }> {
  for (let attempt = firstAttempt; attempt < firstAttempt + attemptsPerCall; attempt += 1) {
    const principalId = attemptId(plan.operationId, attempt)
    const submission = await submit(ledger, plan, principalId)
    if (submission.kind !== 'declined') return { submission, attempt }
    if (submission.leg !== 0) {
      const happened = await burn(ledger, plan, principalId)
      if (happened) return { submission: compare(plan, happened), attempt }
    }
    if (submission.reason) return { submission, attempt }
  }
  throw new Error(`operation ${plan.operationId}: more than ${attemptsPerCall} burnt attempts`)
}

/** The id of the principal leg of an attempt at an operation on an object. */
function attemptId(operationId: Uuid, attempt: number): Uuid {
  return computeUuid('attempt', operationId, attempt)
}

/**
 * What is known of an operation that was submitted once, without submitting it: the stored operation,
 * or undefined. Undefined is no proof that it will not happen: a submission may be under way.
 */
export async function findOperation(
  ledger: Ledger,
  operationId: Uuid,
): Promise<StoredOperation | undefined> {
  const [transfer] = await ledger.lookupTransfers([toLedgerId(operationId)])
  return transfer && toStored(transfer)
}

/** Compares what happened under an operation's id with what is asked for now. */
export function compare(
  plan: Pick<Plan, 'inputHash'>,
  operation: StoredOperation,
): Extract<Submission, { kind: 'done' | 'conflict' }> {
  return operation.inputHash === plan.inputHash
    ? { kind: 'done', replayed: true, operation }
    : { kind: 'conflict', operation }
}

async function submit(ledger: Ledger, plan: Plan, principalId: Uuid): Promise<Submission> {
  return submitChain(ledger, toTransfers(plan, principalId))
}

/**
 * Submits transfers that are one linked chain, once. The first is the principal leg, whose id tells a
 * replay; a decline here is not final when another leg caused it.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function submitChain(
  ledger: Ledger,
  transfers: readonly Transfer[],
): Promise<Submission> {
  const [principal] = transfers
  if (!principal) throw new RangeError('a chain has at least one leg')
  const outcome = readOutcome(await ledger.createTransfers([...transfers]))
  switch (outcome.kind) {
    case 'created':
      return {
        kind: 'done',
        replayed: false,
        operation: toStored({ ...principal, timestamp: outcome.timestamp }),
      }
    case 'exists': {
      const [stored] = await afterSubmission(ledger.lookupTransfers([principal.id]))
      if (!stored) throw new Error(`${toUuid(principal.id)}: a leg exists without its principal`)
      return compare({ inputHash: principal.user_data_32 }, toStored(stored))
    }
    case 'declined':
      return { kind: 'declined', leg: outcome.leg, reason: outcome.reason }
    case 'burnt':
      return { kind: 'declined', leg: outcome.leg }
    case 'invalid':
      return { kind: 'invalid', status: outcome.status }
    default:
      throw outcome satisfies never
  }
}

/**
 * Burns the principal's id, so that the operation can never happen, and returns undefined; or returns
 * the principal when it has happened already. A transfer from an account that never exists does it.
 */
async function burn(
  ledger: Ledger,
  plan: Plan,
  principalId: Uuid,
): Promise<StoredOperation | undefined> {
  const [principal] = toTransfers({ ...plan, legs: [plan.legs[0]] }, principalId)
  const never = {
    ...principal!,
    debit_account_id: nobody,
    timeout: 0,
    flags: TransferFlags.none,
  }
  const outcome = readOutcome(await afterSubmission(ledger.createTransfers([never])))
  if (outcome.kind === 'declined' || outcome.kind === 'burnt') return undefined
  if (outcome.kind === 'exists') {
    const [transfer] = await afterSubmission(ledger.lookupTransfers([toLedgerId(principalId)]))
    if (transfer) return toStored(transfer)
  }
  throw new Error(`operation ${plan.operationId} could not be burnt: ${outcome.kind}`)
}

/** Waits for a step that follows a submission: from then on "nothing was submitted" is not true. */
async function afterSubmission<T>(step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    if (error instanceof LedgerUnavailable) throw new LedgerOutcomeUnknown(error.message)
    throw error
  }
}

/** The id of an account that is never created: a computed id, which no wallet can have. */
const nobody = toLedgerId(computeUuid('nobody'))

function toTransfers(plan: Plan, principalId: Uuid): Transfer[] {
  const last = plan.legs.length - 1
  return plan.legs.map((leg, index) => ({
    id: toLedgerId(index === 0 ? principalId : computeUuid('leg', principalId, index)),
    debit_account_id: toLedgerId(leg.debitAccountId),
    credit_account_id: toLedgerId(leg.creditAccountId),
    amount: leg.amountMinor,
    pending_id: 0n,
    user_data_128: toLedgerId(plan.operationId),
    user_data_64: plan.occurredAt ?? 0n,
    user_data_32: plan.inputHash,
    timeout: leg.timeoutSeconds ?? 0,
    ledger: leg.asset.ledger,
    code: leg.code,
    flags:
      (index < last ? TransferFlags.linked : TransferFlags.none) |
      (leg.timeoutSeconds === undefined ? TransferFlags.none : TransferFlags.pending),
    timestamp: 0n,
  }))
}

/** A transfer of the ledger as the operation it is the principal leg of. */
export function toStored(transfer: Transfer): StoredOperation {
  return {
    transferId: toUuid(transfer.id),
    operationId: toUuid(transfer.user_data_128),
    debitAccountId: toUuid(transfer.debit_account_id),
    creditAccountId: toUuid(transfer.credit_account_id),
    amountMinor: transfer.amount,
    ledger: transfer.ledger,
    code: transfer.code,
    inputHash: transfer.user_data_32,
    occurredAt: transfer.user_data_64,
    timestamp: transfer.timestamp,
  }
}

/** `single` moves money in one step; a `pending` transfer is resolved by a `post` or a `void`. */
export type Phase = 'single' | 'pending' | 'post' | 'void'

/** What a transfer does, by its flags. */
export function phaseOf(flags: number): Phase {
  if (flags & TransferFlags.pending) return 'pending'
  if (flags & TransferFlags.post_pending_transfer) return 'post'
  return flags & TransferFlags.void_pending_transfer ? 'void' : 'single'
}
