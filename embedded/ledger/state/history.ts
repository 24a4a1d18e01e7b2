import { balanceWords } from './record.ts'
import { RowStore } from './row-store.ts'

const creditSide = 0x8000_0000

/**
 * Balances of accounts with the history flag, as they were after each of their transfers. Rows are
 * in the order of the transfers; when both accounts of one keep history, the debit account's is
 * first.
 */
export class History {
  private readonly balances = new RowStore(balanceWords, 8192)
  /** The transfer's row; the top bit is set for the credit account's balance. */
  private readonly transfers = new RowStore(1, 65_536)

  /** Keeps the balances that one side of a transfer left behind. */
  append(transfer: number, credit: boolean, from: Uint32Array, at: number): void {
    const row = this.balances.append()
    this.balances.words(row).set(from.subarray(at, at + balanceWords), this.balances.at(row))
    this.transfers.append()
    this.transfers.words(row)[this.transfers.at(row)] = credit ? transfer | creditSide : transfer
  }

  /** Takes back what the transfers from this row on have left. */
  truncate(transfer: number): void {
    let count = this.balances.count
    while (count > 0 && this.transferOf(count - 1) >= transfer) count -= 1
    this.balances.truncate(count)
    this.transfers.truncate(count)
  }

  private transferOf(row: number): number {
    return this.transfers.words(row)[this.transfers.at(row)]! & ~creditSide
  }

  /** Copies the balances (16 words) that a transfer left on one side; false when none were kept. */
  copy(transfer: number, credit: boolean, to: Uint32Array, at: number): boolean {
    let low = 0
    for (let high = this.balances.count; low < high; ) {
      const middle = (low + high) >>> 1
      if (this.transferOf(middle) < transfer) low = middle + 1
      else high = middle
    }
    for (let row = low; row < this.balances.count && this.transferOf(row) === transfer; row += 1) {
      if (this.transfers.words(row)[this.transfers.at(row)]! >= creditSide !== credit) continue
      const from = this.balances.at(row)
      to.set(this.balances.words(row).subarray(from, from + balanceWords), at)
      return true
    }
    return false
  }
}
