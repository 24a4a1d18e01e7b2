/**
 * Approvals: what one operator asks for and another one has to agree to.
 *
 * There is a right to approve, a pending transfer of nothing on a control ledger, under the approval's
 * own id. Approving posts it, in one chain with the money that it moves, if any; rejecting and
 * withdrawing void it. So of all who want to decide one succeeds, and what is approved happens with the
 * approval or not at all. All of them carry the approval's id in `user_data_128`.
 */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import { type Asset, ControlCode } from './chart.ts'
import type { Ledger } from './client.ts'
import { deadlineOf } from './clock.ts'
import { computeUuid, hashInput, toUuid, type Uuid } from './ids.ts'
import { type Chain, toPost, toTransfer, toVoid } from './legs.ts'
import { provideRights, toRightLeg } from './rights.ts'
import { type AttemptedStep, type Step, submitStep, submitStepAttempt } from './steps.ts'
import { readTrail } from './trail.ts'

export type ApprovalState =
  /** It waits for somebody to decide. */
  | 'pending'
  | 'approved'
  /** By another operator. */
  | 'rejected'
  /** By the operator who has asked. */
  | 'withdrawn'
  | 'expired'

/** An approval as the ledger has it; what it is about is told elsewhere. */
export interface Approval {
  id: Uuid
  state: ApprovalState
  /** Of what was asked for. */
  inputHash: number
  /** Of what the one who has decided has told; undefined while nobody has. */
  decisionHash: number | undefined
  /** When it was asked for, decided, and when it ends by itself; nanoseconds since 1970. */
  timestamp: bigint
  decidedAt: bigint | undefined
  deadline: bigint
}

/** What an operator tells who decides. */
export interface Decision {
  decision: 'approved' | 'rejected' | 'withdrawn'
  operatorId: Uuid
  reason: string | null
}

/** Stands for what was told when an approval was decided. */
export function hashDecision(approvalId: Uuid, { decision, operatorId, reason }: Decision): number {
  return hashInput('decision', approvalId, decision, operatorId, reason)
}

/** What is asked for, as far as the ledger has to know. */
export interface ApprovalRequest {
  /** Of the approval, and of its right. */
  id: Uuid
  inputHash: number
  /** On whose control ledger the right is. */
  asset: Asset
  /** After which time the right ends by itself: a week, unless told otherwise. */
  timeoutSeconds?: number
}

const timeoutSecondsDefault = 7 * 86_400
/** The right, and what has resolved it. */
const transfersMax = 2

const rejectionId = (approvalId: Uuid): Uuid => computeUuid('reject', approvalId)

/** The operation of approving; its transfer is an attempt at it. */
export const approvingId = (approvalId: Uuid): Uuid => computeUuid('approve', approvalId)

/** The id of the transfer by which an approval is withdrawn; another void is a rejection. */
export const withdrawnId = (approvalId: Uuid): Uuid => computeUuid('withdraw', approvalId)

/**
 * Makes the right to approve; it happens at most once under its id.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function requestApproval(ledger: Ledger, request: ApprovalRequest): Promise<Step> {
  await provideRights(ledger, request.asset)
  return submitStep(ledger, [toRight(request)])
}

/**
 * Makes the right and uses it at once, with what is approved: all of it happens, or nothing, and under
 * its id at most once. A decline is final; `stale` says that something which the chain resolves was
 * resolved before, and is not.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function requestApproved(
  ledger: Ledger,
  request: ApprovalRequest,
  decisionHash: number,
  approved: Chain,
  freshId: () => Uuid,
): Promise<Step> {
  await provideRights(ledger, request.asset)
  const use = toPost({ id: freshId(), pendingId: request.id, inputHash: decisionHash }, 0n)
  return submitStep(ledger, [toRight(request), use, ...approved])
}

/**
 * Uses the right, in one chain with what is approved. A decline leaves it as it was, and is final for its
 * attempt, whoever else approves. `conflict` and `stale` say that the right, or something else that the
 * chain resolves, was resolved before. As submitAttempt.
 */
export function useApproval(
  ledger: Ledger,
  { id: pendingId }: Approval,
  decisionHash: number,
  approved: Chain,
  firstAttempt: number,
): Promise<AttemptedStep> {
  const toChain = (id: Uuid) => [
    toPost({ id, pendingId, inputHash: decisionHash }, 0n),
    ...approved,
  ]
  return submitStepAttempt(ledger, approvingId(pendingId), firstAttempt, toChain)
}

/**
 * Ends an approval that is not given. `conflict` and `stale` say that somebody else has decided before.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function endApproval(
  ledger: Ledger,
  { id: pendingId }: Approval,
  end: 'rejected' | 'withdrawn',
  decisionHash: number,
): Promise<Step> {
  const id = end === 'rejected' ? rejectionId(pendingId) : withdrawnId(pendingId)
  return submitStep(ledger, [toVoid({ id, pendingId, inputHash: decisionHash })])
}

/** An approval as the ledger has it at `now` (ns since 1970); undefined when there is none. */
export async function readApproval(
  ledger: Ledger,
  id: Uuid,
  now: bigint,
): Promise<Approval | undefined> {
  const code = ControlCode.approval
  return foldApproval(await readTrail(ledger, id, { code, limit: transfersMax }), now)
}

/** What an approval's transfers, oldest first, amount to at `now`. Pure. */
function foldApproval([right, end]: readonly Transfer[], now: bigint): Approval | undefined {
  if (!right) return undefined
  const id = toUuid(right.id)
  const { timestamp, user_data_32: inputHash } = right
  const deadline = deadlineOf(right)
  const state = end ? stateAfter(id, end) : now < deadline ? 'pending' : 'expired'
  const decisionHash = end?.user_data_32
  return { id, state, inputHash, decisionHash, timestamp, decidedAt: end?.timestamp, deadline }
}

function stateAfter(id: Uuid, end: Transfer): ApprovalState {
  if (end.flags & TransferFlags.post_pending_transfer) return 'approved'
  return toUuid(end.id) === withdrawnId(id) ? 'withdrawn' : 'rejected'
}

function toRight({ id, inputHash, asset, timeoutSeconds }: ApprovalRequest): Transfer {
  const leg = toRightLeg(asset, ControlCode.approval, timeoutSeconds ?? timeoutSecondsDefault)
  return toTransfer(leg, { id, operationId: id, inputHash })
}
