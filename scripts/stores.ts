/** What scripts that read as Kassa does work with, at DATABASE_URL and TIGERBEETLE_ADDRESSES. */
import type { Deps } from '../server/deps.ts'
import { createLogger } from '../server/log.ts'
import { createSettings } from '../server/settings.ts'
import { connectToBoth } from './both-servers.ts'
import { explain } from './explain.ts'

export interface Stores {
  readonly deps: Pick<Deps, 'db' | 'ledger' | 'settings'>
  close(): Promise<void>
}

/** Opens both, and the settings. Other variables are not asked for, and may be missing. */
export async function openStores(): Promise<Stores> {
  const { database, ledger, databaseUrl } = await connectToBoth(process.env).catch(stop)
  const { db } = database
  const log = createLogger({ logLevel: 'silent' })
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

function stop(error: unknown): never {
  console.error(explain(error))
  process.exit(1)
}
