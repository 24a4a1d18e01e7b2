import { runMigrations } from 'graphile-worker'
import { Migrator } from 'kysely'
import type { DatabaseHandle } from './database.ts'
import { migrations } from './migrations/index.ts'

/**
 * Brings the schema up to date, and that of the queue of jobs; returns the names of the migrations that were carried out. Several
 * processes may call it at once: Kysely takes an advisory lock.
 */
export async function migrate({ db, pool }: DatabaseHandle): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error, results = [] } = await migrator.migrateToLatest()
  if (error) throw error
  await runMigrations({ pgPool: pool })
  return results.map((result) => result.migrationName)
}
