/**
 * What operators ask each other to approve, what was told when it was decided, and what came of it
 * outside the ledger. Whether it is approved is in the ledger; all rows are insert-only.
 */
import type { Database } from './database.ts'
import { type DescriptionKey, isAmong } from './descriptions.ts'
import type { LifecycleQuery } from './lifecycles.ts'

/** An operator as other operators know them. */
export interface OperatorParty {
  id: string
  email: string
  name: string | null
}

export interface NewApproval extends DescriptionKey {
  kind: string
  /** JSON values: what was asked for, with everything that it names found. */
  body: object
  reason: string
  requestedBy: string
}

export interface ApprovalDescription extends DescriptionKey {
  kind: string
  body: unknown
  reason: string
  requestedBy: OperatorParty
}

/** Keeps what is asked for; the same key again changes nothing. It comes before the right. */
export async function insertApproval(db: Database, approval: NewApproval): Promise<void> {
  await db
    .insertInto('approvals')
    .values({
      id: approval.operationId,
      input_hash: BigInt(approval.inputHash),
      kind: approval.kind,
      body: JSON.stringify(approval.body),
      reason: approval.reason,
      requested_by: approval.requestedBy,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Whether something was asked for under an id, whatever has become of it. */
export async function isAskedFor(db: Database, id: string): Promise<boolean> {
  const row = await db.selectFrom('approvals').select('id').where('id', '=', id).executeTakeFirst()
  return row !== undefined
}

/** What was asked for, by id, without who has asked for it and why. */
export async function findApprovalBodies(
  db: Database,
  keys: readonly DescriptionKey[],
): Promise<Map<string, Pick<ApprovalDescription, 'kind' | 'body'>>> {
  if (keys.length === 0) return new Map()
  const ids = keys.map(({ operationId }) => operationId)
  const rows = await db
    .selectFrom('approvals')
    .select(['id as operationId', 'input_hash', 'kind', 'body'])
    .where('id', 'in', ids)
    .execute()
  const approvals = rows.map((row) => ({ ...row, inputHash: Number(row.input_hash) }))
  const matching = approvals.filter(isAmong(keys))
  return new Map(matching.map(({ operationId, kind, body }) => [operationId, { kind, body }]))
}

/** What was asked for, by id. */
export async function findApprovals(
  db: Database,
  keys: readonly DescriptionKey[],
): Promise<Map<string, ApprovalDescription>> {
  if (keys.length === 0) return new Map()
  const ids = keys.map(({ operationId }) => operationId)
  const rows = await db
    .selectFrom('approvals')
    .innerJoin('users', 'users.id', 'approvals.requested_by')
    .selectAll('approvals')
    .select(['users.email', 'users.name'])
    .where('approvals.id', 'in', ids)
    .execute()
  const approvals = rows.map((row) => ({
    operationId: row.id,
    inputHash: Number(row.input_hash),
    kind: row.kind,
    body: row.body,
    reason: row.reason,
    requestedBy: { id: row.requested_by, email: row.email, name: row.name },
  }))
  const matching = approvals.filter(isAmong(keys))
  return new Map(matching.map((approval) => [approval.operationId, approval]))
}

/** What an operator tells who decides; by (approval, hash of it), which the ledger keeps. */
export interface NewDecision extends DescriptionKey {
  operatorId: string
  reason: string | null
}

export interface ToldDecision extends DescriptionKey {
  by: OperatorParty
  reason: string | null
  /** Before the ledger was asked to decide. */
  createdAt: Date
}

/** Keeps what is told about a decision; the same again changes nothing. It comes before the decision. */
export async function insertDecision(db: Database, decision: NewDecision): Promise<void> {
  await db
    .insertInto('approval_decisions')
    .values({
      approval_id: decision.operationId,
      input_hash: BigInt(decision.inputHash),
      operator_id: decision.operatorId,
      reason: decision.reason,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** What was told about decisions, by the id of the approval. */
export async function findDecisions(
  db: Database,
  keys: readonly DescriptionKey[],
): Promise<Map<string, ToldDecision>> {
  if (keys.length === 0) return new Map()
  const ids = keys.map(({ operationId }) => operationId)
  const rows = await db
    .selectFrom('approval_decisions as decision')
    .innerJoin('users', 'users.id', 'decision.operator_id')
    .selectAll('decision')
    .select(['users.email', 'users.name'])
    .where('decision.approval_id', 'in', ids)
    .execute()
  const decisions = rows.map((row) => ({
    operationId: row.approval_id,
    inputHash: Number(row.input_hash),
    by: { id: row.operator_id, email: row.email, name: row.name },
    reason: row.reason,
    createdAt: row.created_at,
  }))
  const matching = decisions.filter(isAmong(keys))
  return new Map(matching.map((decision) => [decision.operationId, decision]))
}

/** What became of an approved thing outside the ledger. */
export interface Effect {
  /** Why it could not be done; null when it is done. */
  failure: string | null
  createdAt: Date
}

/** Notes that what was approved is done, or cannot be; the first note stays. */
export async function insertEffect(
  db: Database,
  approvalId: string,
  failure: string | null,
): Promise<void> {
  await db
    .insertInto('approval_effects')
    .values({ approval_id: approvalId, failure })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** What became of approved things, by the id of the approval. */
export async function findEffects(
  db: Database,
  approvalIds: readonly string[],
): Promise<Map<string, Effect>> {
  if (approvalIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('approval_effects')
    .selectAll()
    .where('approval_id', 'in', approvalIds)
    .execute()
  return new Map(
    rows.map((row) => [row.approval_id, { failure: row.failure, createdAt: row.created_at }]),
  )
}

/** Approvals of some kinds that the read model has as approved, and of which nothing is noted. */
export async function findUnapplied(
  db: Database,
  { kinds, limit }: { kinds: readonly string[]; limit: number },
): Promise<string[]> {
  const rows = await ofKinds(kinds)(
    db.selectFrom('lifecycles').selectAll('lifecycles').where('lifecycles.kind', '=', 'approval'),
  )
    .where('lifecycles.state', '=', 'approved')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('approval_effects as effect')
            .select('effect.approval_id')
            .whereRef('effect.approval_id', '=', 'lifecycles.id'),
        ),
      ),
    )
    .orderBy('lifecycles.opened_at')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** Those that are about one of some kinds of things. */
export function ofKinds(kinds: readonly string[]) {
  return (query: LifecycleQuery): LifecycleQuery =>
    query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('approvals as approval')
          .select('approval.id')
          .whereRef('approval.id', '=', 'lifecycles.id')
          .whereRef('approval.input_hash', '=', 'lifecycles.input_hash')
          .where('approval.kind', 'in', kinds),
      ),
    )
}
