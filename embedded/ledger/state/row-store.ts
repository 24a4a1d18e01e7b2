/** A row's number and one bit more fit in 31 bits, as the hash table wants them. */
const rowsMax = 2 ** 30 - 1

/**
 * Rows of a fixed number of 32-bit words, appended at the end, in chunks of typed memory: growing
 * never moves what is there. Chunks are left at their size when rows are taken back.
 */
export class RowStore {
  readonly rowWords: number
  count = 0
  private readonly chunks: Uint32Array[] = []
  private readonly chunkShift: number
  private readonly rowMask: number

  /** `rowWords`: words a row; `chunkRows`: rows a chunk, a power of two. */
  constructor(rowWords: number, chunkRows: number) {
    this.rowWords = rowWords
    this.chunkShift = Math.log2(chunkRows)
    this.rowMask = chunkRows - 1
  }

  /** The chunk that holds a row. */
  words(row: number): Uint32Array {
    return this.chunks[row >>> this.chunkShift]!
  }

  /** Where in its chunk a row begins, in words. */
  at(row: number): number {
    return (row & this.rowMask) * this.rowWords
  }

  /** Makes room for one more row, with left-overs in it, and returns its number. */
  append(): number {
    const row = this.count
    if (row === rowsMax) throw new Error(`there are ${rowsMax} rows, and no more can be`)
    if ((row & this.rowMask) === 0 && row >>> this.chunkShift === this.chunks.length) {
      this.chunks.push(new Uint32Array((this.rowMask + 1) * this.rowWords))
    }
    this.count = row + 1
    return row
  }

  /** Takes back the rows from `count` on. */
  truncate(count: number): void {
    this.count = count
  }

  get rowBytes(): number {
    return this.rowWords * 4
  }

  /** Views on the bytes from `start` to `end`, at most one a chunk. */
  *slices(start: number, end: number): Generator<Uint8Array> {
    const chunkBytes = (this.rowMask + 1) * this.rowBytes
    for (let from = start; from < end; ) {
      const chunk = this.chunks[Math.floor(from / chunkBytes)]!
      const offset = from % chunkBytes
      const length = Math.min(chunkBytes - offset, end - from)
      yield new Uint8Array(chunk.buffer, offset, length)
      from += length
    }
  }

  /**
   * Fills an empty store with `count` rows from their bytes in pieces of any size; what comes after
   * them is not read. Throws when there are fewer.
   */
  load({ pieces, count }: SavedRows): void {
    const chunkBytes = (this.rowMask + 1) * this.rowBytes
    const wanted = count * this.rowBytes
    let length = 0
    for (const piece of pieces) {
      for (let taken = 0; taken < piece.length && length < wanted; ) {
        const offset = length % chunkBytes
        const size = Math.min(chunkBytes - offset, piece.length - taken, wanted - length)
        const index = Math.floor(length / chunkBytes)
        this.chunks[index] ??= new Uint32Array(chunkBytes / 4)
        new Uint8Array(this.chunks[index].buffer).set(piece.subarray(taken, taken + size), offset)
        taken += size
        length += size
      }
      if (length === wanted) break
    }
    if (length < wanted) throw new Error(`${wanted} bytes were saved, there are ${length}`)
    this.count = count
  }
}

/** Rows as they were saved. */
export interface SavedRows {
  readonly pieces: Iterable<Uint8Array>
  readonly count: number
}
