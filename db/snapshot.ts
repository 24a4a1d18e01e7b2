/** Reading PostgreSQL and nothing but reading, and as it was at one moment. */
import { sql } from 'kysely'
import type { Database } from './database.ts'

/** To take a role is a right of its own from PostgreSQL 16 on; before, each member may. */
const isAuditor = `rolname = 'kassa_auditor' AND pg_has_role(oid,
  CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)`

/**
 * Works with one snapshot of all tables, in a transaction that PostgreSQL refuses to write in, and as the
 * role `kassa_auditor` when this server has it and the user may take it.
 */
export async function readSnapshot<T>(
  db: Database,
  work: (trx: Database) => Promise<T>,
): Promise<T> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      if (await mayBeAuditor(trx)) await sql`SET LOCAL ROLE kassa_auditor`.execute(trx)
      return work(trx)
    })
}

/**
 * SQL after which PostgreSQL refuses to write, until the connection ends: as the role `kassa_auditor` when this server
 * has it and the user may take it, and in transactions that are read-only either way.
 */
export const onlyRead = `
  SET default_transaction_read_only = on;
  SELECT set_config('role', rolname, false) FROM pg_roles WHERE ${isAuditor}`

async function mayBeAuditor(trx: Database): Promise<boolean> {
  const { rows } = await sql`SELECT FROM pg_roles WHERE ${sql.raw(isAuditor)}`.execute(trx)
  return rows.length > 0
}
