import { RowStore } from './row-store.ts'
import { read64, write64 } from './words.ts'

/** A binary heap of times (nanoseconds), each with a row number, the earliest first. */
export class TimeHeap {
  /** Low and high word of the time, then the row. */
  private readonly entries = new RowStore(3, 16_384)

  get count(): number {
    return this.entries.count
  }

  /** The earliest time; there must be one. */
  time(): bigint {
    return read64(this.entries.words(0), 0)
  }

  /** The row with the earliest time; there must be one. */
  row(): number {
    return this.entries.words(0)[2]!
  }

  push(time: bigint, row: number): void {
    let index = this.entries.append()
    const words = this.entries.words(index)
    const at = this.entries.at(index)
    write64(words, at, time)
    words[at + 2] = row
    while (index > 0) {
      const parent = (index - 1) >>> 1
      if (!this.earlier(index, parent)) break
      this.swap(index, parent)
      index = parent
    }
  }

  /** Removes the earliest. */
  pop(): void {
    const last = this.entries.count - 1
    this.swap(0, last)
    this.entries.truncate(last)
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
    const a = this.entries.words(index)
    const i = this.entries.at(index)
    const b = this.entries.words(other)
    const j = this.entries.at(other)
    if (a[i + 1] !== b[j + 1]) return a[i + 1]! < b[j + 1]!
    if (a[i] !== b[j]) return a[i]! < b[j]!
    return a[i + 2]! < b[j + 2]!
  }

  private swap(index: number, other: number): void {
    const a = this.entries.words(index)
    const i = this.entries.at(index)
    const b = this.entries.words(other)
    const j = this.entries.at(other)
    for (let word = 0; word < 3; word += 1) {
      const kept = a[i + word]!
      a[i + word] = b[j + word]!
      b[j + word] = kept
    }
  }
}
