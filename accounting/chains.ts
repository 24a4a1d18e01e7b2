/** What the ledger has committed, as the chains in which it was submitted: what belongs together. */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import type { Ledger } from './client.ts'
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
