/**
 * Steps in the life of something that waits: a hold, a right, a withdrawal. Each resolves a pending
 * transfer, and TigerBeetle resolves one at most once: whichever of two steps is committed first is the one
 * that counts. Its id need not be computed, unless the step can be declined and tried again: then it is one
 * of a sequence of attempts.
 */
import type { Transfer } from 'tigerbeetle-node'
import type { Ledger } from './client.ts'
import type { Uuid } from './ids.ts'
import { legId, toPost } from './legs.ts'
import {
  type Plan,
  type Submission,
  submitAttempt,
  submitFinally,
  type ToldSubmission,
  toTransfers,
} from './transfers.ts'

/**
 * What became of a step: that what it resolves was resolved before, so that it has to be read again;
 * or that this has run out by the ledger's clock, which alone counts.
 */
export type Step<S = Submission> = S | { kind: 'stale' } | { kind: 'expired' }

/** What became of an attempt at a step, and which one it was. */
export interface AttemptedStep {
  step: Step<ToldSubmission>
  attempt: number
}

const staleStatuses: ReadonlySet<string> = new Set([
  'pending_transfer_already_posted',
  'pending_transfer_already_voided',
])

/**
 * Submits a step as one linked chain; the principal leg is the one that tells a replay. A decline is final
 * for the principal leg's id.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function submitStep(
  ledger: Ledger,
  chain: readonly Transfer[],
  principalLeg = 0,
): Promise<Step> {
  return toStep(await submitFinally(ledger, chain, principalLeg))
}

/**
 * Uses a right of nothing by one chain: the right is posted, then the plan's legs. A decline leaves the right as it was
 * and is final for its attempt. `leg` of the answer counts the plan's legs. As submitAttempt.
 */
export async function useRight(
  ledger: Ledger,
  rightId: Uuid,
  plan: Plan,
  firstAttempt: number,
): Promise<AttemptedStep> {
  const { operationId, inputHash } = plan
  const toChain = (id: Uuid) => [
    toPost({ id: legId(id, 'right'), pendingId: rightId, inputHash }, 0n),
    ...toTransfers(plan, id),
  ]
  const { step, attempt } = await submitStepAttempt(ledger, operationId, firstAttempt, toChain)
  return { step: 'leg' in step ? { ...step, leg: step.leg - 1 } : step, attempt }
}

/** Submits an attempt at a step. As submitAttempt. */
export async function submitStepAttempt(
  ...args: Parameters<typeof submitAttempt>
): Promise<AttemptedStep> {
  const { submission, attempt } = await submitAttempt(...args)
  return { step: toStep(submission), attempt }
}

/** What a submission means as a step. */
function toStep<S extends Submission>(submission: S): Step<S> {
  if (submission.kind !== 'invalid') return submission
  if (submission.status === 'pending_transfer_expired') return { kind: 'expired' }
  return staleStatuses.has(submission.status) ? { kind: 'stale' } : submission
}
