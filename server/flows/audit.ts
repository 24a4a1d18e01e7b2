import { insertAudit, listAudit, type StoredAuditEntry } from '../../db/audit.ts'
import type { Operator } from '../caller.ts'
import type { Deps } from '../deps.ts'

type AuditDeps = Pick<Deps, 'db'>

export interface Act {
  /** Method and path of the route. */
  action: string
  params: Readonly<Record<string, unknown>>
  query: unknown
  body: unknown
  requestId: string
}

/**
 * Writes down what an operator is about to do or to look at. It comes before the act: an act that is
 * then refused is written down too, and none can be missing.
 */
export async function recordAct({ db }: AuditDeps, operator: Operator, act: Act): Promise<void> {
  const { action, params, query, body, requestId } = act
  // What the path names: by an id mostly, currencies by their codes.
  const subjectId = Object.values(params).join('/') || null
  const details = { query, body }
  await insertAudit(db, { operatorId: operator.userId, action, subjectId, details, requestId })
}

/** What operators did, newest first, from before the entry `before` on. */
export async function readAudit(
  { db }: AuditDeps,
  page: { before: bigint | undefined; limit: number },
): Promise<StoredAuditEntry[]> {
  return listAudit(db, page)
}
