/** What scripts that read as Kassa does work with, at DATABASE_URL and TIGERBEETLE_ADDRESSES. */
import type { JournalDeps } from '../server/flows/ledger-journal.ts'
import { learnCurrencies } from '../server/reconciliation/currencies.ts'
import { connectToBoth } from './both-servers.ts'
import { explain } from './explain.ts'

export interface Stores {
  readonly deps: JournalDeps
  close(): Promise<void>
}

/**
 * Opens both, for reading only. Other variables are not asked for, and may be missing. Ends the command
 * with `failureCode` when they cannot be opened.
 */
export async function openStores(failureCode: number): Promise<Stores> {
  const { database, ledger } = await connectToBoth(process.env).catch((error) => {
    console.error(explain(error))
    process.exit(failureCode)
  })
  const { db } = database
  const settings = {
    async read() {
      const rows = await learnCurrencies(db)
      return { currencies: new Map(rows.map((row) => [row.currency, row])) }
    },
  }
  return {
    deps: { db, ledger, settings },
    async close() {
      ledger.close()
      await database.close()
    },
  }
}
