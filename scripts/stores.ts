/** What scripts that read both stores work with, at DATABASE_URL and TIGERBEETLE_ADDRESSES. */
import { createLedger } from '../accounting/client.ts'
import { openDatabase } from '../db/database.ts'
import { loadConfig } from '../server/config.ts'
import type { Deps } from '../server/deps.ts'
import { createLogger } from '../server/log.ts'
import { createSettings } from '../server/settings.ts'
import { explain } from './explain.ts'

export interface Stores {
  readonly deps: Pick<Deps, 'db' | 'ledger' | 'settings'>
  close(): Promise<void>
}

/** Opens both. Other settings are not asked for, and may be missing. */
export async function openStores(): Promise<Stores> {
  const config = readConfig()
  const onIdleError = (error: Error): void => console.error(error.message)
  const { databaseUrl, tigerbeetleAddresses: addresses, tigerbeetleClusterId: clusterId } = config
  const database = openDatabase({
    url: databaseUrl,
    poolSize: 4,
    connectTimeoutMs: 10_000,
    onIdleError,
  })
  const { db } = database
  const ledger = await createLedger({ addresses, clusterId, deadlineMs: 60_000, queueLimit: 1_000 })
  const log = createLogger(config)
  const settings = await createSettings({ db, databaseUrl, log, nowMs: Date.now })
  return {
    deps: { db, ledger, settings },
    async close() {
      ledger.close()
      await settings.close()
      await database.close()
    },
  }
}

function readConfig() {
  const { DATABASE_URL, TIGERBEETLE_ADDRESSES, TIGERBEETLE_CLUSTER_ID } = process.env
  const variables = { DATABASE_URL, TIGERBEETLE_ADDRESSES, TIGERBEETLE_CLUSTER_ID }
  try {
    return loadConfig({ ...variables, LOG_LEVEL: 'silent' })
  } catch (error) {
    console.error(explain(error))
    process.exit(1)
  }
}
