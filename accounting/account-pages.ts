/** All accounts of all ledgers, however many. */
import type { Account } from 'tigerbeetle-node'
import type { LedgerRange } from './chains.ts'
import { type Ledger, requestEventsMax } from './client.ts'

/**
 * The accounts that were created in a stretch of time, in the order of their creation and page by
 * page, each with its balance of now. Rejects with LedgerUnavailable or LedgerOutcomeUnknown.
 */
export async function* readAccountPages(
  ledger: Ledger,
  { after: start, upTo }: LedgerRange,
): AsyncGenerator<Account[]> {
  for (let after = start; ; ) {
    const page = await ledger.queryAccounts({
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      ledger: 0,
      code: 0,
      timestamp_min: after + 1n,
      timestamp_max: upTo,
      limit: ledger.largestRequest(),
      flags: 0,
    })
    const last = page.at(-1)
    if (!last) return
    yield page
    // Every server gives at least this many, if there are.
    if (page.length < requestEventsMax || last.timestamp >= upTo) return
    after = last.timestamp
  }
}
