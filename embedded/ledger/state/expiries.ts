import { RowStore } from './row-store.ts'
import { read64, write64 } from './words.ts'

/**
 * When pending transfers expire: a binary heap of (time, transfer row), earliest first. Whether
 * the transfer is still pending is the caller's to know; one that is posted or voided stays in
 * here until its time comes or it reaches the top.
 */
export class Expiries {
  /** Low and high word of the time (nanoseconds), then the row. */
  private readonly heap = new RowStore(3, 16_384)

  get count(): number {
    return this.heap.count
  }

  /** The earliest time; there must be one. */
  time(): bigint {
    return read64(this.heap.words(0), 0)
  }

  /** The transfer row with the earliest time; there must be one. */
  row(): number {
    return this.heap.words(0)[2]!
  }

  push(time: bigint, row: number): void {
    let index = this.heap.append()
    const entry = this.heap.words(index)
    const at = this.heap.at(index)
    write64(entry, at, time)
    entry[at + 2] = row
    while (index > 0) {
      const parent = (index - 1) >>> 1
      if (!this.earlier(index, parent)) break
      this.swap(index, parent)
      index = parent
    }
  }

  /** Removes the earliest. */
  pop(): void {
    const last = this.heap.count - 1
    this.swap(0, last)
    this.heap.truncate(last)
    for (let index = 0; ; ) {
      let first = index
      for (let child = index * 2 + 1; child < Math.min(index * 2 + 3, last); child += 1) {
        if (this.earlier(child, first)) first = child
      }
      if (first === index) return
      this.swap(index, first)
      index = first
    }
  }

  private earlier(index: number, other: number): boolean {
    const a = this.heap.words(index)
    const i = this.heap.at(index)
    const b = this.heap.words(other)
    const j = this.heap.at(other)
    if (a[i + 1] !== b[j + 1]) return a[i + 1]! < b[j + 1]!
    if (a[i] !== b[j]) return a[i]! < b[j]!
    return a[i + 2]! < b[j + 2]!
  }

  private swap(index: number, other: number): void {
    const a = this.heap.words(index)
    const i = this.heap.at(index)
    const b = this.heap.words(other)
    const j = this.heap.at(other)
    for (let word = 0; word < 3; word += 1) {
      const kept = a[i + word]!
      a[i + word] = b[j + word]!
      b[j + word] = kept
    }
  }
}
