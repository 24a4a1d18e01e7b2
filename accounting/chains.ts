/**
 * Everything that the ledger has committed, from the first transfer on, as the chains in which it was
 * submitted: what belongs together is seen together.
 */
import { QueryFilterFlags, type Transfer, TransferFlags } from 'tigerbeetle-node'
import { type Ledger, requestEventsMax } from './client.ts'
import type { Chain } from './legs.ts'

/** What was committed after one ledger time and up to another; nanoseconds since 1970. */
export interface LedgerRange {
  after: bigint
  upTo: bigint
}

/**
 * The chains after and up to ledger times (ns), in their order, page by page. The next page is asked for while the
 * last one is worked on, so that memory holds two of them, however many transfers there are.
 * Rejects with LedgerUnavailable or LedgerOutcomeUnknown.
 */
export async function* readChains(ledger: Ledger, range: LedgerRange): AsyncGenerator<Chain[]> {
  let open: Transfer[] = []
  for await (const page of readPages(ledger, range)) {
    const chains: Chain[] = []
    for (const transfer of page) {
      open.push(transfer)
      if (transfer.flags & TransferFlags.linked) continue
      chains.push(open)
      open = []
    }
    yield chains
  }
  if (open.length > 0) yield [open]
}

async function* readPages(
  ledger: Ledger,
  { after, upTo }: LedgerRange,
): AsyncGenerator<Transfer[]> {
  let asked = queryAfter(ledger, after, upTo)
  for (;;) {
    const page = await asked
    const last = page.at(-1)
    if (!last) return
    // Every server gives at least this many, if there are.
    if (page.length < requestEventsMax || last.timestamp >= upTo) return yield page
    asked = queryAfter(ledger, last.timestamp, upTo)
    // It is awaited after the page was worked on: a failure until then is not unhandled.
    asked.catch(() => {})
    yield page
  }
}

function queryAfter(ledger: Ledger, after: bigint, upTo: bigint): Promise<Transfer[]> {
  return ledger.queryTransfers({
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    ledger: 0,
    code: 0,
    timestamp_min: after + 1n,
    timestamp_max: upTo,
    limit: ledger.largestRequest(),
    flags: QueryFilterFlags.none,
  })
}
