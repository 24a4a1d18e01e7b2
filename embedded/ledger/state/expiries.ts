import { none } from './hash-table.ts'
import { field, flagsOf, transferField, transferFlag } from './record.ts'
import { TimeHeap } from './time-heap.ts'
import { expiryOf } from './timestamps.ts'
import { pendingStatus, type Transfers } from './transfers.ts'

/** Which pending transfers expire when. It follows the transfers after each request is done. */
export class Expiries {
  private readonly transfers: Transfers
  private readonly heap = new TimeHeap()
  private scheduled = 0

  constructor(transfers: Transfers) {
    this.transfers = transfers
  }

  /** When (nanoseconds) the next pending transfer expires; 0n when none does. */
  get next(): bigint {
    return this.heap.count === 0 ? 0n : this.heap.time()
  }

  /** Takes in new transfers, and lets go those first in line that are pending no more. */
  catchUp(): void {
    const { rows } = this.transfers
    for (let row = this.scheduled; row < rows.count; row += 1) {
      const words = rows.words(row)
      const at = rows.at(row)
      const timeout = words[at + transferField.timeout]!
      if (timeout === 0 || (flagsOf(words, at) & transferFlag.pending) === 0) continue
      this.heap.push(expiryOf(words, at + field.timestamp, timeout), row)
    }
    this.scheduled = rows.count
    this.prune()
  }

  /** Removes and gives the next pending transfer that is due, or `none`. */
  takeDue(timestamp: bigint): number {
    if (this.heap.count === 0 || this.heap.time() > timestamp) return none
    const row = this.heap.row()
    this.heap.pop()
    this.prune()
    return row
  }

  /** Keeps the first in line pending. */
  private prune(): void {
    while (
      this.heap.count > 0 &&
      this.transfers.status(this.heap.row()) !== pendingStatus.pending
    ) {
      this.heap.pop()
    }
  }
}
