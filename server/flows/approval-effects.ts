import { readApproval } from '../../accounting/approvals.ts'
import { type Asset, assetOf } from '../../accounting/chart.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { Chain } from '../../accounting/legs.ts'
import {
  type ApprovalDescription,
  findApprovals,
  findDecisions,
  findEffects,
  findUnapplied,
  insertEffect,
  type OperatorParty,
} from '../../db/approvals.ts'
import type { DescriptionKey } from '../../db/descriptions.ts'
import type { Deps } from '../deps.ts'
import type { RefusalCode } from '../refusals.ts'
import { type AdjustmentBody, assetOfAdjustment, planAdjustment } from './adjust.ts'
import { type CapBody, setCap } from './caps.ts'
import { addExchangeRate, checkExchangeRate, type ExchangeRateBody } from './exchange-rates.ts'
import { toLedgerTime } from './ledger-time.ts'
import { addPaymentSystem, checkPaymentSystem, type PaymentSystemBody } from './payment-systems.ts'

/** What can be asked for, by kind: kept as JSON, and shown to whoever decides. */
export interface ApprovalBodies {
  adjustment: AdjustmentBody
  payment_system: PaymentSystemBody
  exchange_rate: ExchangeRateBody
  limit: CapBody
}

export type ApprovalKind = keyof ApprovalBodies

/** A kind with what is asked for. */
export type ApprovalSubject = {
  [Kind in ApprovalKind]: { kind: Kind; body: ApprovalBodies[Kind] }
}[ApprovalKind]

export type EffectDeps = Pick<
  Deps,
  'db' | 'ledger' | 'log' | 'nowMs' | 'passwords' | 'sessions' | 'settings'
>

/** By which approval something is done, and who has asked for it. */
export interface ApprovalParty {
  id: Uuid
  requestedBy: OperatorParty
  /** When who approved it did, by PostgreSQL's clock; what is set since counts more. */
  approvedAt: Date
}

/** What approving something of a kind does. */
interface ApprovalEffect<Body> {
  /** The asset on whose control ledger the right is; left out, the dollar. */
  assetOf?(body: Body): Asset
  /** Refuses what could not be done as things stand; before it is asked for, and before it is approved. */
  check?(deps: EffectDeps, body: Body): Promise<void>
  /** The transfers that happen in the chain that approves, or not at all. */
  plan?(deps: EffectDeps, key: DescriptionKey, body: Body): Promise<Chain>
  /**
   * What is done outside that chain after it was approved, be it by recovery: called again for the same
   * approval it happens once. Answers why it can never be done, or null; what it throws is tried again.
   */
  apply?(deps: EffectDeps, body: Body, approval: ApprovalParty): Promise<RefusalCode | null>
}

/** By kind. To put another one under four eyes, add its body above and its effect here. */
const effects: { readonly [Kind in ApprovalKind]: ApprovalEffect<ApprovalBodies[Kind]> } = {
  adjustment: { assetOf: assetOfAdjustment, plan: planAdjustment },
  payment_system: { check: checkPaymentSystem, apply: addPaymentSystem },
  exchange_rate: { check: checkExchangeRate, apply: addExchangeRate },
  limit: { apply: setCap },
}

export const approvalKinds = Object.keys(effects) as ApprovalKind[]

/** The effect of something, whatever its kind. */
export function effectOf({ kind }: ApprovalSubject): ApprovalEffect<ApprovalSubject['body']> {
  return effects[kind] as ApprovalEffect<ApprovalSubject['body']>
}

/** The asset on whose control ledger the right to approve something is. */
export function assetOfRight(subject: ApprovalSubject): Asset {
  return effectOf(subject).assetOf?.(subject.body) ?? assetOf('USD')
}

/** What was asked for, as it was stored. Throws for a kind that the program has lost. */
export function toSubject({
  kind,
  body,
}: Pick<ApprovalDescription, 'kind' | 'body'>): ApprovalSubject {
  if (!(kind in effects)) throw new Error(`there is no effect of an approval of ${kind}`)
  return { kind, body } as ApprovalSubject
}

/**
 * Does outside the chain what was approved, and notes it, unless that is noted already. Answers whether
 * it is noted: a failure goes no further, because it is approved, and recovery tries again.
 */
export async function applyApproved(
  deps: EffectDeps,
  approval: ApprovalParty & ApprovalSubject,
): Promise<boolean> {
  const { id, body } = approval
  const effect = effectOf(approval)
  if (!effect.apply) return true
  try {
    if ((await findEffects(deps.db, [id])).has(id)) return true
    await insertEffect(deps.db, id, await effect.apply(deps, body, approval))
    return true
  } catch (error) {
    deps.log.warn({ err: error, id }, 'what was approved could not be carried out yet')
    return false
  }
}

/** The kinds of which something is done outside the ledger. */
export const appliedKinds = Object.entries(effects)
  .filter(([, effect]) => 'apply' in effect)
  .map(([kind]) => kind)

const batchMax = 500

/** Carries out what was approved and then cut off; answers how many there were. */
export async function recoverApproved(deps: EffectDeps): Promise<number> {
  let count = 0
  for (const id of await findUnapplied(deps.db, { kinds: appliedKinds, limit: batchMax })) {
    const approval = await readApproval(deps.ledger, id, toLedgerTime(deps.nowMs()))
    if (approval?.state !== 'approved') throw new Error(`${id} is approved in the read model only`)
    const key = { operationId: id, inputHash: approval.inputHash }
    const decisionKey = { operationId: id, inputHash: approval.decisionHash ?? 0 }
    const [described, decision] = await Promise.all([
      findApprovals(deps.db, [key]).then((found) => found.get(id)),
      findDecisions(deps.db, [decisionKey]).then((found) => found.get(id)),
    ])
    if (!described || !decision) throw new Error(`approval ${id} has no description`)
    const party = { id, requestedBy: described.requestedBy, approvedAt: decision.createdAt }
    if (await applyApproved(deps, { ...party, ...toSubject(described) })) count += 1
  }
  return count
}
