/** Damages tables behind the back of Kassa, and mends them again. */
import { type Query, withConnection } from './database.ts'
import type { World } from './world.ts'

/**
 * Changes tables with no trigger and no foreign key in the way, lets `look` see it, and puts all rows of
 * these tables back. `lock` keeps others from writing into them meanwhile.
 */
export async function withDamage<T>(
  { deps }: World,
  { tables, change, lock }: { tables: readonly string[]; change: string; lock?: boolean },
  look: () => Promise<T>,
): Promise<T> {
  return withConnection(deps.config.databaseUrl, async (query) => {
    // For superusers: as in a replica, triggers and foreign keys do nothing.
    await query('SET session_replication_role = replica')
    for (const table of tables) await query(`CREATE TEMP TABLE kept_${table} AS TABLE ${table}`)
    const { rowCount } = await query(change)
    if (!rowCount) throw new Error(`nothing was damaged: ${change}`)
    try {
      return lock ? await locked(query, tables, look) : await look()
    } finally {
      for (const table of tables) {
        await query(`DELETE FROM ${table}`)
        await query(`INSERT INTO ${table} OVERRIDING SYSTEM VALUE TABLE kept_${table}`)
      }
    }
  })
}

async function locked<T>(
  query: Query,
  tables: readonly string[],
  look: () => Promise<T>,
): Promise<T> {
  await query('BEGIN')
  try {
    await query(`LOCK TABLE ${tables.join(', ')} IN SHARE MODE`)
    return await look()
  } finally {
    await query('ROLLBACK')
  }
}
