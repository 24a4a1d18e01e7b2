import { createLedger, type Ledger } from '../accounting/client.ts'
import { type DatabaseHandle, openDatabase } from '../db/database.ts'
import { onlyRead } from '../db/snapshot.ts'
import { loadConfig } from '../server/config.ts'
import { dataDirOf, withNotedAddresses } from './data-dir.ts'

/** What a command may wait for the ledger: longer than a request, which somebody waits for. */
const deadlineMs = 60_000

/**
 * Connects to the two servers at the addresses of the environment, or to those of the Kassa that runs on
 * the data folder. Other settings are not asked for, and may be missing. Unless it `writes`, PostgreSQL
 * refuses to write. Throws a ConfigError when an address is missing or wrong, an Error when no Kassa runs there.
 */
export async function connectToBoth(
  env: NodeJS.ProcessEnv,
  { writes = false } = {},
): Promise<{ database: DatabaseHandle; ledger: Ledger }> {
  const found = await withNotedAddresses(env)
  if (!found.DATABASE_URL && !found.TIGERBEETLE_ADDRESSES && env.NODE_ENV !== 'production') {
    throw new Error(
      `No Kassa runs on ${dataDirOf(env)}: start it, or set DATABASE_URL and TIGERBEETLE_ADDRESSES.`,
    )
  }
  const { DATABASE_URL, TIGERBEETLE_ADDRESSES, TIGERBEETLE_CLUSTER_ID } = found
  const config = loadConfig({ DATABASE_URL, TIGERBEETLE_ADDRESSES, TIGERBEETLE_CLUSTER_ID })
  const { databaseUrl, tigerbeetleAddresses: addresses, tigerbeetleClusterId: clusterId } = config
  const onIdleError = (error: Error): void => console.error(error.message)
  return {
    database: openDatabase({
      url: databaseUrl,
      poolSize: 3,
      connectTimeoutMs: 10_000,
      onIdleError,
      ...(!writes && { setUp: onlyRead }),
    }),
    ledger: await createLedger({ addresses, clusterId, deadlineMs, queueLimit: 100 }),
  }
}
