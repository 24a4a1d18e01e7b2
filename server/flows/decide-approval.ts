import {
  type ApprovalState,
  approvingId,
  endApproval,
  useApproval,
} from '../../accounting/approvals.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { Operator } from '../caller.ts'
import { Refusal } from '../refusals.ts'
import { refuseAdjustment } from './adjust.ts'
import { effectOf } from './approval-effects.ts'
import {
  type ApprovalDeps,
  type DescribedApproval,
  findApproval,
  finish,
  keepDecision,
} from './approvals.ts'
import { afterMoving, keepDecline, nextAttempt, refuseInvalid, settle } from './settle.ts'

/** A turn is lost only when somebody has resolved something that the chain resolves as well. */
const turnsMax = 10

/**
 * Approves what another operator has asked for: it happens in the chain that approves, or right after it.
 * What is approved already answers the same. Whatever is refused leaves it pending, and it can be approved
 * later. Whether it has run out is the ledger's to say, not this process's clock.
 * Refusals: approval_not_found, own_request, approval_rejected, _withdrawn, _expired, those of the kind,
 * adjustment_exceeds_balance, recipient_closed, amount_too_large, busy, outcome_unknown.
 */
export async function approve(
  deps: ApprovalDeps,
  operator: Operator,
  id: Uuid,
): Promise<DescribedApproval> {
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const approval = await findApproval(deps, id)
    if (deps.config.fourEyes && isOwn(operator, approval)) throw new Refusal('own_request')
    const { state, inputHash, body } = approval
    if (isDecided(state)) return answer(deps, approval, 'approved')
    const effect = effectOf(approval)
    await effect.check?.(deps, body)
    const approved = (await effect.plan?.(deps, { operationId: id, inputHash }, body)) ?? []
    const decisionHash = await keepDecision(deps, operator, id, 'approved', null)
    const operationId = approvingId(id)
    const firstAttempt = await nextAttempt(deps.db, operationId)
    const using = useApproval(deps.ledger, approval, decisionHash, approved, firstAttempt)
    const { step, attempt } = await settle(id, using)
    switch (step.kind) {
      case 'done':
        return finish(deps, id)
      // Somebody else has approved it, or has resolved what it would have.
      case 'conflict':
      case 'stale':
        continue
      case 'expired':
        throw new Refusal('approval_expired')
      case 'invalid':
        throw refuseInvalid(step.status)
      case 'declined': {
        const refusal = await refuseAdjustment(deps, approved, step.reason)
        const { code } = refusal
        await keepDecline(deps, { operationId, inputHash: decisionHash, attempt, code })
        throw refusal
      }
      default:
        throw step satisfies never
    }
  }
  throw new Refusal('busy', { retryAfterSeconds: 1 })
}

/**
 * Rejects what another operator has asked for. What is rejected already answers the same.
 * Refusals: approval_not_found, own_request (which can be withdrawn), approval_approved, _withdrawn,
 * _expired, outcome_unknown.
 */
export async function reject(
  deps: ApprovalDeps,
  operator: Operator,
  id: Uuid,
  reason: string,
): Promise<DescribedApproval> {
  const approval = await findApproval(deps, id)
  if (isOwn(operator, approval)) throw new Refusal('own_request', 'It can be withdrawn.')
  return end(deps, operator, approval, 'rejected', reason)
}

/**
 * Takes back what the operator has asked for. What is withdrawn already answers the same.
 * Refusals: approval_not_found, not_the_requester, approval_approved, _rejected, _expired,
 * outcome_unknown.
 */
export async function withdraw(
  deps: ApprovalDeps,
  operator: Operator,
  id: Uuid,
): Promise<DescribedApproval> {
  const approval = await findApproval(deps, id)
  if (!isOwn(operator, approval)) throw new Refusal('not_the_requester')
  return end(deps, operator, approval, 'withdrawn', null)
}

async function end(
  deps: ApprovalDeps,
  operator: Operator,
  approval: DescribedApproval,
  wanted: 'rejected' | 'withdrawn',
  reason: string | null,
): Promise<DescribedApproval> {
  const { id, state } = approval
  if (isDecided(state)) return answer(deps, approval, wanted)
  const decisionHash = await keepDecision(deps, operator, id, wanted, reason)
  const step = await settle(id, endApproval(deps.ledger, approval, wanted, decisionHash))
  if (step.kind === 'expired') throw new Refusal('approval_expired')
  if (step.kind === 'declined' || step.kind === 'invalid') {
    throw new Error(`approval ${id} was answered by ${step.kind}`)
  }
  return answer(deps, await afterMoving(id, findApproval(deps, id)), wanted)
}

const isOwn = ({ userId }: Operator, { requestedBy }: DescribedApproval) =>
  requestedBy.id === userId

type Decided = Exclude<ApprovalState, 'pending' | 'expired'>

/** Whether somebody has decided; that it has run out is not believed of this process's clock. */
const isDecided = (state: ApprovalState): state is Decided =>
  state !== 'pending' && state !== 'expired'

/** Answers what is decided as it was wanted, be it by somebody else, and refuses what is not. */
async function answer(
  deps: ApprovalDeps,
  approval: DescribedApproval,
  wanted: Decided,
): Promise<DescribedApproval> {
  const { id, state } = approval
  if (!isDecided(state)) throw new Error(`approval ${id} was decided and is ${state}`)
  if (state !== wanted) throw new Refusal(`approval_${state}`)
  return state === 'approved' ? finish(deps, id) : approval
}
