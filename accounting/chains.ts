/** What the ledger has committed, as the chains in which it was submitted: what belongs together. */
import { QueryFilterFlags, type Transfer, TransferFlags } from 'tigerbeetle-node'
import { type Ledger, requestEventsMax } from './client.ts'
import type { Chain } from './legs.ts'
import { type ScanRange, scanTransfers } from './scan.ts'

/**
 * Pages of the chains within a range, in their order; one that the end of a page would cut apart is in the
 * next. Rejects with LedgerUnavailable or LedgerOutcomeUnknown.
 */
export async function* scanChains(ledger: Ledger, range: ScanRange): AsyncGenerator<Chain[]> {
  let open: Transfer[] = []
  for await (const page of scanTransfers(ledger, range)) {
    const chains: Chain[] = []
    for (const transfer of page) {
      // Most are alone, and a list that is made with its element is much smaller than one that grows.
      if (open.length > 0) open.push(transfer)
      else open = [transfer]
      if (transfer.flags & TransferFlags.linked) continue
      chains.push(open)
      open = []
    }
    yield chains
  }
  if (open.length > 0) yield [open]
}

/**
 * When the last chain ended that had ended by a ledger time (ns), 0 when none had: what is read after that
 * begins with a whole chain. Rejects with LedgerUnavailable or LedgerOutcomeUnknown.
 */
export async function findChainEnd(ledger: Ledger, by: bigint): Promise<bigint> {
  for (let upTo = by; upTo > 0n; ) {
    const newestFirst = await ledger.queryTransfers({
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      ledger: 0,
      code: 0,
      timestamp_min: 0n,
      timestamp_max: upTo,
      limit: requestEventsMax,
      flags: QueryFilterFlags.reversed,
    })
    const last = newestFirst.find(({ flags }) => !(flags & TransferFlags.linked))
    if (last) return last.timestamp
    upTo = (newestFirst.at(-1)?.timestamp ?? 1n) - 1n
  }
  return 0n
}
