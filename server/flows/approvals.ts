import {
  type Approval,
  type ApprovalState,
  type Decision,
  hashDecision,
  readApproval,
  requestApproval,
  requestApproved,
} from '../../accounting/approvals.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { Chain } from '../../accounting/legs.ts'
import type { Step } from '../../accounting/steps.ts'
import type { StoredOperation } from '../../accounting/transfers.ts'
import {
  type Effect,
  findApprovals,
  findDecisions,
  findEffects,
  insertApproval,
  insertDecision,
  type OperatorParty,
  ofKinds,
  type ToldDecision,
} from '../../db/approvals.ts'
import type { DescriptionKey } from '../../db/descriptions.ts'
import { mintId } from '../../db/ids.ts'
import type { Operator } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { refuseAdjustment } from './adjust.ts'
import {
  type ApprovalKind,
  type ApprovalSubject,
  applyApproved,
  assetOfRight,
  type EffectDeps,
  effectOf,
  toSubject,
} from './approval-effects.ts'
import { type FollowedQuery, listFollowed, readSome } from './followed-list.ts'
import { toLedgerTime } from './ledger-time.ts'
import { planOrReplay } from './pay.ts'
import { afterMoving, keepDecline, refuseAgain, refuseInvalid, settle } from './settle.ts'

/** An approval with what is asked for, who asks, and what was told about it since. */
export type DescribedApproval = Approval &
  ApprovalSubject & {
    reason: string
    requestedBy: OperatorParty
    /** What was told when it was decided; undefined while it is not. */
    told: ToldDecision | undefined
    /** What became of it in PostgreSQL; null for what is in the ledger alone, and until it is known. */
    effect: Effect | null
  }

export type ApprovalDeps = EffectDeps & Pick<Deps, 'config'>

/** How often something that was resolved in between is looked at again. */
const turnsMax = 10

/**
 * Asks other operators to approve something. Without four eyes it is approved at once, by the same right
 * in one chain: then all of it happens, or nothing. Under the same operation id it happens at most once.
 * Refusals: those of the kind, adjustment_exceeds_balance, recipient_closed, amount_too_large, declined,
 * idempotency_key_reused, busy, outcome_unknown.
 */
export async function ask(
  deps: ApprovalDeps,
  operator: Operator,
  { reason, ...subject }: ApprovalSubject & { reason: string },
  key: DescriptionKey,
): Promise<{ approval: DescribedApproval; replayed: boolean }> {
  const { operationId: id, inputHash } = key
  const request = { id, inputHash, asset: assetOfRight(subject) }
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const planned = await planOrReplay(deps, key, true, async () => ({
      approved: await planApproved(deps, subject, key),
    }))
    const step = 'replay' in planned ? toReplay(planned.replay) : await submit(planned.approved)
    if (step.kind === 'stale') continue
    if (step.kind !== 'done') {
      const approved = 'replay' in planned ? [] : (planned.approved ?? [])
      throw await refuseRequest(deps, key, approved, step)
    }
    return { approval: await finish(deps, id), replayed: step.replayed }
  }
  throw new Refusal('busy', { retryAfterSeconds: 1 })

  async function submit(approved: Chain | undefined): Promise<Step> {
    await insertApproval(deps.db, { ...key, ...subject, reason, requestedBy: operator.userId })
    if (!approved) return settle(id, requestApproval(deps.ledger, request))
    const decisionHash = await keepDecision(deps, operator, id, 'approved', null)
    return settle(id, requestApproved(deps.ledger, request, decisionHash, approved, mintId))
  }
}

const toReplay = (operation: StoredOperation): Step => ({ kind: 'done', replayed: true, operation })

/** What happens with the request itself: without four eyes all that is approved, otherwise undefined. */
async function planApproved(
  deps: ApprovalDeps,
  subject: ApprovalSubject,
  key: DescriptionKey,
): Promise<Chain | undefined> {
  const effect = effectOf(subject)
  await effect.check?.(deps, subject.body)
  return deps.config.fourEyes ? undefined : ((await effect.plan?.(deps, key, subject.body)) ?? [])
}

/** The refusal of what was not asked for; a decline is final, so its reason is kept for replays. */
async function refuseRequest(
  deps: ApprovalDeps,
  key: DescriptionKey,
  approved: Chain,
  step: Exclude<Step, { kind: 'done' | 'stale' }>,
): Promise<Refusal> {
  switch (step.kind) {
    case 'conflict':
      return new Refusal('idempotency_key_reused')
    case 'invalid':
      return refuseInvalid(step.status)
    case 'declined': {
      if (!step.reason) return refuseAgain(deps, key)
      const refusal = await refuseAdjustment(deps, approved, step.reason)
      await keepDecline(deps, { ...key, attempt: 0, code: refusal.code })
      return refusal
    }
    case 'expired':
      return new Refusal('approval_expired')
    default:
      throw step satisfies never
  }
}

/** Carries out what is approved and not in the ledger alone, and answers how the approval stands. */
export async function finish(deps: ApprovalDeps, id: Uuid): Promise<DescribedApproval> {
  const approval = await afterMoving(id, findApproval(deps, id))
  const { state, effect, told } = approval
  if (state !== 'approved' || effect !== null || !effectOf(approval).apply) return approval
  if (!told) throw new Error(`approval ${id} was approved and nothing was told of it`)
  await applyApproved(deps, { ...approval, approvedAt: told.createdAt })
  return afterMoving(id, findApproval(deps, id))
}

/** Whether who has asked has approved it as well, because there are no four eyes. */
export function wasApprovedAtOnce({ state, requestedBy, told }: DescribedApproval): boolean {
  return state === 'approved' && told?.by.id === requestedBy.id
}

/** Refuses what is approved and can never be carried out, by the reason why. */
export function refuseFailed({ effect }: DescribedApproval): void {
  if (effect?.failure) throw new Refusal(effect.failure as RefusalCode)
}

/** Keeps what an operator tells who decides, before the ledger is asked; answers its hash. */
export async function keepDecision(
  { db }: Pick<Deps, 'db'>,
  { userId: operatorId }: Pick<Operator, 'userId'>,
  operationId: Uuid,
  decision: Decision['decision'],
  reason: string | null,
): Promise<number> {
  const inputHash = hashDecision(operationId, { decision, operatorId, reason })
  await insertDecision(db, { operationId, inputHash, operatorId, reason })
  return inputHash
}

/** An approval, by its id. Refusal: approval_not_found. */
export async function findApproval(
  deps: Pick<Deps, 'db' | 'ledger' | 'nowMs'>,
  id: Uuid,
): Promise<DescribedApproval> {
  const [approval] = await describe(deps, [await readApproval(deps.ledger, id, now(deps))])
  if (!approval) throw new Refusal('approval_not_found')
  return approval
}

export interface ApprovalQuery extends FollowedQuery {
  status?: ApprovalState | undefined
  kind?: ApprovalKind | undefined
}

/**
 * A page of what operators have asked for, newest first, each as the ledger has it now. Which there are
 * comes from the read model: `asOf` tells how fresh it is.
 */
export async function listApprovals(
  deps: Pick<Deps, 'db' | 'ledger' | 'nowMs'>,
  { status, kind, ...query }: ApprovalQuery,
): Promise<{ approvals: DescribedApproval[]; asOf: Date }> {
  const { entries, asOf } = await listFollowed(
    deps,
    { kind: 'approval', state: status, expiringState: 'pending', ...query },
    kind && ofKinds([kind]),
  )
  const found = await readSome(entries, ({ id }) => readApproval(deps.ledger, id, now(deps)))
  return { approvals: await describe(deps, found), asOf }
}

const now = (deps: Pick<Deps, 'nowMs'>) => toLedgerTime(deps.nowMs())

async function describe(
  { db }: Pick<Deps, 'db'>,
  found: readonly (Approval | undefined)[],
): Promise<DescribedApproval[]> {
  const approvals = found.filter((approval) => approval !== undefined)
  const [told, decisions, effects] = await Promise.all([
    findApprovals(
      db,
      approvals.map(({ id, inputHash }) => ({ operationId: id, inputHash })),
    ),
    findDecisions(
      db,
      approvals.flatMap(({ id, decisionHash }) =>
        decisionHash === undefined ? [] : { operationId: id, inputHash: decisionHash },
      ),
    ),
    findEffects(
      db,
      approvals.map(({ id }) => id),
    ),
  ])
  return approvals.flatMap((approval) => {
    const described = told.get(approval.id)
    if (!described) return []
    const { reason, requestedBy } = described
    return {
      ...approval,
      ...toSubject(described),
      reason,
      requestedBy,
      told: decisions.get(approval.id),
      effect: effects.get(approval.id) ?? null,
    }
  })
}
