/**
 * Steps in the life of something that waits: a hold, a right, a withdrawal. Each resolves a pending
 * transfer, and TigerBeetle resolves one at most once: so a step needs no id that is computed, and
 * whichever of two steps is committed first is the one that counts.
 */
import type { Transfer } from 'tigerbeetle-node'
import type { Ledger } from './client.ts'
import { type Submission, submitChain } from './transfers.ts'

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

/** What a submission means as a step. */
export function toStep(submission: Submission): Step {
  if (submission.kind !== 'invalid') return submission
  if (submission.status === 'pending_transfer_expired') return { kind: 'expired' }
  return staleStatuses.has(submission.status) ? { kind: 'stale' } : submission
}
