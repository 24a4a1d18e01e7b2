/**
 * Moving money: an operation is a linked chain of transfers, all or nothing, whose ids are computed,
 * so that it can be submitted again without happening twice.
 */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import { assetOf, TransferCode } from './chart.ts'
import { type Ledger, LedgerOutcomeUnknown, LedgerUnavailable } from './client.ts'
import { computeUuid, toLedgerId, toUuid, type Uuid } from './ids.ts'
import { type Leg, legId, link, toTransfer } from './legs.ts'
import { type Outcome, type PassingReason, readOutcome } from './outcome.ts'

/** An operation as a flow plans it. One leg is the principal: it stands for the operation. */
export interface Plan {
  /** Names the operation for ever; kept in `user_data_128` of each leg. */
  operationId: Uuid
  /** `hashInput` of what the caller asked for; kept in `user_data_32` of each leg. */
  inputHash: number
  /** When it happened outside (ns since 1970), if that differs; kept in `user_data_64`. */
  occurredAt?: bigint
  legs: readonly [Leg, ...Leg[]]
  /** The index of the principal leg: the first, unless another is named. */
  principalLeg?: number
}

/** The leg of a plan that stands for the operation. */
export function principalOf({ legs, principalLeg = 0 }: Pick<Plan, 'legs' | 'principalLeg'>): Leg {
  const leg = legs[principalLeg]
  if (!leg) throw new RangeError(`a plan of ${legs.length} legs has no leg ${principalLeg}`)
  return leg
}

/** A chain's legs, some of which come before the principal one, which is the first of the others. */
export function chainLegs(
  before: readonly Leg[],
  [principal, ...after]: readonly [Leg, ...Leg[]],
): Required<Pick<Plan, 'legs' | 'principalLeg'>> {
  const legs = [...before, principal, ...after] as readonly Leg[] as readonly [Leg, ...Leg[]]
  return { legs, principalLeg: before.length }
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
  /**
   * The ledger refuses such a leg, for instance between two ledgers, or one that resolves a pending
   * transfer which is resolved already.
   */
  | { kind: 'invalid'; leg: number; status: string }

/** A plan that may be tried when the one before was declined. */
export interface WayOut extends Plan {
  /** Whether it is one for a decline at this leg; for any when it is left out. */
  isFor?: (declined: Leg) => boolean
}

/** A submission of an attempt that nobody had burnt before: of a decline the reason is known. */
export type ToldSubmission =
  | Exclude<Submission, { kind: 'declined' }>
  | { kind: 'declined'; leg: number; reason: PassingReason }

/** What has become of attempts at an operation. */
export interface Attempted {
  submission: ToldSubmission
  attempt: number
  /** The leg of another plan whose decline led to the plan of the attempt, and why it was declined. */
  because?: { leg: Leg; reason: PassingReason }
}

/** Burnt attempts that are passed over in one call before giving up. */
const attemptsPerCall = 1_000

/**
 * Submits an operation that is done at most once under its id (an idempotency key, or a fresh id).
 * A decline is final when this returns.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function submitOnce(ledger: Ledger, plan: Plan): Promise<Submission> {
  return submitFinally(ledger, toTransfers(plan, plan.operationId), plan.principalLeg)
}

/**
 * Submits an operation on an object (a deposit by its reference) that may be tried again after a
 * decline, but succeeds at most once: attempt n + 1 is tried only after attempt n is burnt.
 *
 * There can be several plans of the same operation, the one that is wanted most first: an attempt at
 * the next one follows the decline of the one before, when it is a way out for the leg that was
 * declined. Whichever plan it is for, attempt n has the same id: so only one of them happens, also when
 * others try with other plans at the same time.
 *
 * `firstAttempt` may skip attempts that are known to be burnt. The answer tells the attempt it ended
 * with, and the decline that led to the plan of it.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function submitAttempts(
  ledger: Ledger,
  plans: readonly [Plan, ...WayOut[]],
  firstAttempt: number,
): Promise<Attempted> {
  let [plan, ...others] = plans
  let next = firstAttempt
  let told: Pick<Attempted, 'because'> = {}
  for (;;) {
    const toChain = (id: Uuid) => toTransfers(plan, id)
    const attempted = await submitAttempt(ledger, plan.operationId, next, toChain)
    const { submission, attempt } = attempted
    if (submission.kind !== 'declined') return { ...attempted, ...told }
    const [other, ...rest] = others
    const leg = plan.legs[submission.leg]
    if (!other || !leg || !(other.isFor?.(leg) ?? true)) return { ...attempted, ...told }
    plan = other
    others = rest
    next = attempt + 1
    told = { because: { leg, reason: submission.reason } }
  }
}

/**
 * Submits an attempt at an operation on an object: the first from `firstAttempt` on that nobody has burnt. The
 * principal leg of its chain is the one with the id that is given. A decline is final for it, so that a copy
 * of it which is still on its way to the ledger cannot succeed later.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function submitAttempt(
  ledger: Ledger,
  operationId: Uuid,
  firstAttempt: number,
  toChain: (principalId: Uuid) => readonly Transfer[],
): Promise<Omit<Attempted, 'because'>> {
  for (let attempt = firstAttempt; attempt < firstAttempt + attemptsPerCall; attempt += 1) {
    const principalId = attemptId(operationId, attempt)
    const chain = toChain(principalId)
    const principalLeg = chain.findIndex(({ id }) => id === toLedgerId(principalId))
    const submission = await submitFinally(ledger, chain, principalLeg)
    if (submission.kind !== 'declined') return { submission, attempt }
    const { leg, reason } = submission
    if (reason) return { submission: { kind: 'declined', leg, reason }, attempt }
  }
  throw new Error(`operation ${operationId}: more than ${attemptsPerCall} burnt attempts`)
}

/** The id of the principal leg of an attempt at an operation on an object. */
export function attemptId(operationId: Uuid, attempt: number): Uuid {
  return computeUuid('attempt', operationId, attempt)
}

/**
 * Submits a chain, once. A decline is final when this returns: the principal's id is burnt, so that
 * no later or delayed submission of the same operation can succeed, whatever its other legs are.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function submitFinally(
  ledger: Ledger,
  chain: readonly Transfer[],
  principalLeg = 0,
): Promise<Submission> {
  const submission = await submitChain(ledger, chain, principalLeg)
  const principal = chain[principalLeg]
  if (!principal || submission.kind !== 'declined' || submission.leg === principalLeg) {
    return submission
  }
  const burning = await burn(ledger, toUuid(principal.id))
  if (burning.kind === 'happened') {
    return compare({ inputHash: principal.user_data_32 }, burning.operation)
  }
  return burning.wasBurnt ? { kind: 'declined', leg: principalLeg } : submission
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

/** Several operations that were submitted once, at most `requestEventsMax`; in the order of the ids. */
export async function findOperations(
  ledger: Ledger,
  operationIds: readonly Uuid[],
): Promise<StoredOperation[]> {
  if (operationIds.length === 0) return []
  return (await ledger.lookupTransfers(operationIds.map(toLedgerId))).map(toStored)
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

/**
 * Submits transfers as one linked chain, once. The principal leg is the one whose id tells a replay:
 * the first, unless another is named. A decline here is not final when another leg caused it.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function submitChain(
  ledger: Ledger,
  transfers: readonly Transfer[],
  principalLeg = 0,
): Promise<Submission> {
  const principal = transfers[principalLeg]
  if (!principal) throw new RangeError('a chain has at least its principal leg')
  const outcome = readOutcome(await ledger.createTransfers(link(transfers)), principalLeg)
  if (outcome.kind !== 'exists') return toSubmission(principal, outcome)
  const [stored] = await afterSubmission(ledger.lookupTransfers([principal.id]))
  return toReplay(principal, stored)
}

/** What the outcome of a chain means for its operation, unless something exists already. */
export function toSubmission(
  principal: Transfer,
  outcome: Exclude<Outcome, { kind: 'exists' }>,
): Submission {
  switch (outcome.kind) {
    case 'created':
      return {
        kind: 'done',
        replayed: false,
        operation: toStored({ ...principal, timestamp: outcome.timestamp }),
      }
    case 'declined':
      return { kind: 'declined', leg: outcome.leg, reason: outcome.reason }
    case 'burnt':
      return { kind: 'declined', leg: outcome.leg }
    case 'invalid':
      return { kind: 'invalid', leg: outcome.leg, status: outcome.status }
    default:
      throw outcome satisfies never
  }
}

/** What a chain of which something exists means: its principal leg as the ledger has it tells. */
export function toReplay(
  principal: Transfer,
  stored: Transfer | undefined,
): Extract<Submission, { kind: 'done' | 'conflict' }> {
  if (!stored) throw new Error(`${toUuid(principal.id)}: a leg exists without its principal`)
  return compare({ inputHash: principal.user_data_32 }, toStored(stored))
}

/** What burning an id has come to; one that was burnt is one of an operation that was declined before. */
export type Burning =
  | { kind: 'burnt'; wasBurnt: boolean }
  | { kind: 'happened'; operation: StoredOperation }

/**
 * Burns the id of a transfer, so that it can never happen, or tells what has happened under it already. A
 * transfer between accounts that never exist does it.
 * Rejects with LedgerOutcomeUnknown: burning may follow a submission.
 */
export async function burn(ledger: Ledger, id: Uuid): Promise<Burning> {
  const never = toTransfers(planNever({ operationId: id, inputHash: 1 }), id)
  const outcome = readOutcome(await afterSubmission(ledger.createTransfers(never)))
  if (outcome.kind === 'declined') return { kind: 'burnt', wasBurnt: false }
  if (outcome.kind === 'burnt') return { kind: 'burnt', wasBurnt: true }
  if (outcome.kind === 'exists') {
    const [transfer] = await afterSubmission(ledger.lookupTransfers([toLedgerId(id)]))
    if (transfer) return { kind: 'happened', operation: toStored(transfer) }
  }
  throw new Error(`transfer ${id} could not be burnt: ${outcome.kind}`)
}

/** Burns the id of a transfer; answers what has happened under it, undefined when nothing ever will. */
export async function burnId(ledger: Ledger, id: Uuid): Promise<StoredOperation | undefined> {
  const burning = await burn(ledger, id)
  return burning.kind === 'happened' ? burning.operation : undefined
}

/** A plan that never happens: submitting it burns the operation's id, or tells what has happened under it. */
export function planNever(key: Pick<Plan, 'operationId' | 'inputHash'>): Plan {
  const leg = {
    debitAccountId: computeUuid('nobody'),
    creditAccountId: computeUuid('nobody else'),
    amountMinor: 0n,
    asset: assetOf('USD'),
    code: TransferCode.payment,
  }
  return { ...key, legs: [leg] }
}

/** Waits for a step that follows a submission: from then on "nothing was submitted" is not true. */
export async function afterSubmission<T>(step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    if (error instanceof LedgerUnavailable) throw new LedgerOutcomeUnknown(error.message)
    throw error
  }
}

/** The legs of a plan as transfers that are not linked yet; the others' ids are computed from the principal's. */
export function toTransfers(plan: Plan, principalId: Uuid): Transfer[] {
  const { operationId, inputHash, occurredAt, principalLeg = 0 } = plan
  return plan.legs.map((leg, index) => {
    const id = index === principalLeg ? principalId : legId(principalId, leg.name ?? index)
    return toTransfer(leg, { id, operationId, inputHash, occurredAt })
  })
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

/** The principal leg of a plan as the ledger stores it under the operation's own id when it creates it. */
export function toCreated(plan: Plan, timestamp: bigint): StoredOperation {
  const { operationId, inputHash, occurredAt = 0n } = plan
  const { debitAccountId, creditAccountId, amountMinor, asset, code, ruleNumber } =
    principalOf(plan)
  return {
    transferId: operationId,
    operationId,
    debitAccountId,
    creditAccountId,
    amountMinor,
    ledger: asset.ledger,
    code,
    inputHash,
    occurredAt: ruleNumber ?? occurredAt,
    timestamp,
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

/** Whether a transfer of this phase moves posted money; a pending one and a void do not. */
export function isBooked(phase: Phase): boolean {
  return phase === 'single' || phase === 'post'
}
