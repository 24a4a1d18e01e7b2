/**
 * The ledger, or that of one asset, read from its beginning in pages as large as the server takes. The next page is
 * asked for before the last one is used, so that the server and the reader work at the same time.
 */
import type { Account, QueryFilter, Transfer } from 'tigerbeetle-node'
import { type Ledger, requestEventsMax } from './client.ts'

/** What is read. */
export interface ScanRange {
  /** After and up to which ledger time (ns); `upTo` 0 for no bound. */
  after: bigint
  upTo: bigint
  /** Only of this ledger; 0 or left out for all. */
  ledger?: number
}

/** Pages of all transfers within a range, oldest first. Rejects as the ledger's calls do. */
export function scanTransfers(ledger: Ledger, range: ScanRange): AsyncGenerator<Transfer[]> {
  return scan(ledger, range, (filter) => ledger.queryTransfers(filter))
}

/**
 * Pages of accounts, those of a range or all, in the order of their creation, each page as it is when it is
 * read.
 */
export function scanAccounts(
  ledger: Ledger,
  part: Partial<ScanRange> = {},
): AsyncGenerator<Account[]> {
  const range = { after: 0n, upTo: 0n, ...part }
  return scan(ledger, range, (filter) => ledger.queryAccounts(filter), true)
}

/** `isPaced`: the next page is not asked for before the reader wants it. */
async function* scan<Row extends { timestamp: bigint }>(
  ledger: Ledger,
  { after, upTo, ledger: ofLedger = 0 }: ScanRange,
  query: (filter: QueryFilter) => Promise<Row[]>,
  isPaced = false,
): AsyncGenerator<Row[]> {
  const ask = (from: bigint): Promise<Row[]> => {
    if (upTo > 0n && from >= upTo) return Promise.resolve([])
    const page = query({
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      ledger: ofLedger,
      code: 0,
      timestamp_min: from + 1n,
      timestamp_max: upTo,
      limit: ledger.largestRequest(),
      flags: 0,
    })
    // It may be that nobody waits for it any more.
    page.catch(() => {})
    return page
  }
  let next = ask(after)
  for (;;) {
    const page = await next
    const last = page.at(-1)
    if (!last) return
    // Every server gives at least this many, if there are.
    const isLast = page.length < Math.min(ledger.largestRequest(), requestEventsMax)
    if (!isLast && !isPaced) next = ask(last.timestamp)
    yield page
    if (isLast) return
    if (isPaced) next = ask(last.timestamp)
  }
}
