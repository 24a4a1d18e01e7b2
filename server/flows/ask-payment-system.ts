import { hashInput } from '../../accounting/ids.ts'
import { mintId } from '../../db/ids.ts'
import type { Operator } from '../caller.ts'
import { Refusal } from '../refusals.ts'
import {
  type ApprovalDeps,
  ask,
  type DescribedApproval,
  refuseFailed,
  wasApprovedAtOnce,
} from './approvals.ts'
import { rotateCredential, type WithCredential } from './payment-systems.ts'
import { afterMoving, refuseDoubt } from './settle.ts'

/**
 * Asks for a payment system with a credential of its own. Without four eyes it is made at once, and its
 * password is told; otherwise nobody has one until somebody draws it (rotateCredential) after the
 * approval.
 * Refusals: email_taken, name_taken, busy, outcome_unknown.
 */
export async function askPaymentSystem(
  deps: ApprovalDeps,
  operator: Operator,
  { name, email }: { name: string; email: string },
): Promise<{ approval: DescribedApproval } | WithCredential> {
  const id = mintId()
  const body = { name, email, payment_system_id: mintId() }
  const reason = `New payment system ${name}`
  const subject = { kind: 'payment_system', body, reason } as const
  const key = { operationId: id, inputHash: hashInput('payment system', name, email) }
  const { approval } = await ask(deps, operator, subject, key)
  if (!wasApprovedAtOnce(approval)) return { approval }
  refuseFailed(approval)
  return afterMoving(id, rotateCredential(deps, body.payment_system_id)).catch((error: unknown) => {
    // It is approved all the same: recovery makes what is missing, and its credential can be rotated.
    throw error instanceof Refusal
      ? refuseDoubt(id, 'It is not made yet, or has no password.')
      : error
  })
}
