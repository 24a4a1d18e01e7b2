import { Accounts } from './accounts.ts'
import { History } from './history.ts'
import { RowStore } from './row-store.ts'
import { Transfers } from './transfers.ts'

/** Words 0 and 1 of the times: the event's own timestamp (nanoseconds). */
export const eventTime = 0
/** Words 2 and 3: the timestamp of the result, which the rules may change. */
export const resultTime = 2
/** Words 4 and 5: the timestamp of the last event of the batch. */
export const batchTime = 4

/** Words 0 to 3 of the scratch: the amount that a transfer is going to move. */
export const scratchAmount = 0
/** Words 4 to 7 of the scratch: a sum on the way. */
export const scratchSum = 4

/** Everything that one transfer can change, plus room for the arithmetic of one event. */
export class Ledger {
  readonly accounts = new Accounts()
  readonly transfers = new Transfers()
  readonly history = new History()
  /** What expired: the pending transfer's row, and how many transfers there were at that time. */
  readonly expired = new RowStore(2, 16_384)
  /** The three timestamps of the event at hand; see `eventTime` and its neighbours. */
  readonly times = new Uint32Array(6)
  /** Two 128-bit numbers; see `scratchAmount` and `scratchSum`. */
  readonly scratch = new Uint32Array(8)
}
