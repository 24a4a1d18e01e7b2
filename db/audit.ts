import type { Database } from './database.ts'

/** What an operator did, tried to do or looked at. */
export interface AuditEntry {
  operatorId: string
  /** Method and path of the route, such as `GET /v1/wallets/{id}`. */
  action: string
  /** The id in the path, if it has one. */
  subjectId: string | null
  /** What else was asked; JSON values, never a secret. */
  details: Record<string, unknown>
  requestId: string
}

export interface StoredAuditEntry extends AuditEntry {
  id: bigint
  createdAt: Date
}

/** Adds an entry; none is ever changed. */
export async function insertAudit(db: Database, entry: AuditEntry): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      operator_id: entry.operatorId,
      action: entry.action,
      subject_id: entry.subjectId,
      details: JSON.stringify(entry.details),
      request_id: entry.requestId,
    })
    .execute()
}

/** Entries from the newest on, or from those older than the id `before`. */
export async function listAudit(
  db: Database,
  { before, limit }: { before: bigint | undefined; limit: number },
): Promise<StoredAuditEntry[]> {
  const rows = await db
    .selectFrom('audit')
    .selectAll()
    .$if(before !== undefined, (query) => query.where('id', '<', before ?? 0n))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    operatorId: row.operator_id,
    action: row.action,
    subjectId: row.subject_id,
    details: row.details,
    requestId: row.request_id,
    createdAt: row.created_at,
  }))
}
