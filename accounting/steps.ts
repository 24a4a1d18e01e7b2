/**
 * Steps in the life of something that waits: a hold, a right, a withdrawal. Each resolves a pending
 * transfer, and TigerBeetle resolves one at most once: whichever of two steps is committed first is the one
 * that counts. Its id need not be computed, unless the step can be declined and tried again.
 */
import type { Transfer } from 'tigerbeetle-node'
import type { Ledger } from './client.ts'
import type { Uuid } from './ids.ts'
import { legId, toPost } from './legs.ts'
import {
  attemptId,
  attemptsPerCall,
  type Plan,
  type Submission,
  submitChain,
  submitFinally,
  toTransfers,
} from './transfers.ts'

/**
 * What became of a step: that what it resolves was resolved before, so that it has to be read again;
 * or that this has run out by the ledger's clock, which alone counts.
 */
export type Step = Submission | { kind: 'stale' } | { kind: 'expired' }

const staleStatuses: ReadonlySet<string> = new Set([
  'pending_transfer_already_posted',
  'pending_transfer_already_voided',
])

/**
 * Submits a step as one linked chain; the principal leg is the one that tells a replay.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function submitStep(
  ledger: Ledger,
  chain: readonly Transfer[],
  principalLeg = 0,
): Promise<Step> {
  return toStep(await submitChain(ledger, chain, principalLeg))
}

/**
 * Uses a right of nothing by one chain: the right is posted, then the plan's legs. A decline leaves the right as it was
 * and is final for its attempt, whose ids are computed: a try that is still on its way to the ledger is one
 * of these, and cannot succeed later. `firstAttempt` may skip attempts that are known to be burnt; `leg` of
 * the answer counts the plan's legs.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function useRight(
  ledger: Ledger,
  rightId: Uuid,
  plan: Plan,
  firstAttempt: number,
): Promise<{ step: Step; attempt: number }> {
  const { operationId, inputHash, principalLeg = 0 } = plan
  for (let attempt = firstAttempt; attempt < firstAttempt + attemptsPerCall; attempt += 1) {
    const id = attemptId(operationId, attempt)
    const use = toPost({ id: legId(id, 'right'), pendingId: rightId, inputHash }, 0n)
    const chain = [use, ...toTransfers(plan, id)]
    const step = toStep(await submitFinally(ledger, chain, principalLeg + 1))
    if (step.kind === 'declined' && !step.reason) continue
    return { step: 'leg' in step ? { ...step, leg: step.leg - 1 } : step, attempt }
  }
  throw new Error(`operation ${operationId}: more than ${attemptsPerCall} burnt attempts`)
}

/** What a submission means as a step. */
export function toStep(submission: Submission): Step {
  if (submission.kind !== 'invalid') return submission
  if (submission.status === 'pending_transfer_expired') return { kind: 'expired' }
  return staleStatuses.has(submission.status) ? { kind: 'stale' } : submission
}
