import { sql } from 'kysely'
import type { Database } from './database.ts'

/** What was approved, and may be set only later. */
export interface ApprovedSetting {
  id: string
  /** By PostgreSQL's clock, which dates what is set as well. */
  approvedAt: Date
}

/**
 * Sets what was approved, once under its id, unless something else was set in its place since: nobody sets
 * anything while that is looked at. Answers whether it is set, now or before.
 */
export async function insertUnlessSuperseded(
  db: Database,
  { id, approvedAt }: ApprovedSetting,
  place: {
    table: 'limits' | 'limit_defaults' | 'exchange_rates'
    /** Columns whose values all rows of this place share. */
    key: Record<string, string>
  },
  insert: (trx: Database) => Promise<void>,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const table = sql.table(place.table)
    await sql`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`.execute(trx)
    const isInPlace = Object.entries(place.key).map(
      ([name, value]) => sql`${sql.ref(name)} = ${value}`,
    )
    const { rows } = await sql<{ id: string }>`
      SELECT id FROM ${table}
      WHERE ${sql.join(isInPlace, sql` AND `)} AND (id = ${id} OR created_at > ${approvedAt})
      ORDER BY id = ${id} DESC LIMIT 1`.execute(trx)
    const [latest] = rows
    if (latest) return latest.id === id
    await insert(trx)
    return true
  })
}
