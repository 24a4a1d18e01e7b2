import { HashTable, none } from './hash-table.ts'
import { listCursor, type RowCursor, rangeCursor } from './row-cursor.ts'
import { RowLists } from './row-lists.ts'
import type { RowStore } from './row-store.ts'
import { hashWords } from './words.ts'

/** Which words of a record are a key: `width` of them from `at`, 1, 2 or 4, under a mask. */
export interface KeyField {
  readonly at: number
  readonly width: 1 | 2 | 4
  readonly mask?: number
}

/**
 * From the value of one field to the rows that have it, in rising order. Zero is no value. Most
 * values of most fields belong to a single row: it stands in the table itself, without a list.
 */
export class FieldIndex {
  private readonly rows: RowStore
  private readonly field: KeyField
  private readonly mask: number
  private readonly lists = new RowLists()
  /** References are a row doubled, or a list doubled plus one. */
  private readonly table = new HashTable()
  private readonly key = new Uint32Array(4)

  constructor(rows: RowStore, field: KeyField) {
    this.rows = rows
    this.field = field
    this.mask = field.mask ?? 0xffff_ffff
  }

  /** Adds a row that is greater than all rows added before. */
  add(row: number): void {
    const { width } = this.field
    const words = this.rows.words(row)
    const at = this.rows.at(row) + this.field.at
    let anyBits = 0
    for (let word = 0; word < width; word += 1) {
      const bits = words[at + word]! & this.mask
      this.key[word] = bits
      anyBits |= bits
    }
    if (anyBits === 0) return
    const hash = hashWords(this.key, 0, width)
    const ref = this.find(this.key, 0, hash)
    if (ref === none) this.table.insert(hash, row * 2)
    else if ((ref & 1) === 1) this.lists.append(ref >>> 1, row)
    else this.table.replace(this.lists.create(ref >>> 1, row) * 2 + 1)
  }

  /** How many rows have the value in these words. */
  count(words: Uint32Array, at: number): number {
    const ref = this.find(words, at, hashWords(words, at, this.field.width))
    if (ref === none) return 0
    return (ref & 1) === 1 ? this.lists.length(ref >>> 1) : 1
  }

  /** Walks the rows with this value from `low` (inclusive) to `high` (exclusive). */
  cursor(words: Uint32Array, at: number, low: number, high: number, reversed: boolean): RowCursor {
    const ref = this.find(words, at, hashWords(words, at, this.field.width))
    if (ref === none) return rangeCursor(0, 0, reversed)
    const number = ref >>> 1
    if ((ref & 1) === 1) return listCursor(this.lists, number, low, high, reversed)
    return number >= low && number < high
      ? rangeCursor(number, number + 1, reversed)
      : rangeCursor(0, 0, reversed)
  }

  /** Whether a row has the value in these words. */
  has(row: number, words: Uint32Array, at: number): boolean {
    const record = this.rows.words(row)
    const from = this.rows.at(row) + this.field.at
    for (let word = 0; word < this.field.width; word += 1) {
      // A masked difference of zero: equal as far as the key goes.
      if (((record[from + word]! ^ words[at + word]!) & this.mask) !== 0) return false
    }
    return true
  }

  private find(words: Uint32Array, at: number, hash: number): number {
    for (let ref = this.table.first(hash); ref !== none; ref = this.table.next(hash)) {
      const number = ref >>> 1
      const row = (ref & 1) === 1 ? this.lists.row(this.lists.firstBlock(number), 0) : number
      if (this.has(row, words, at)) return ref
    }
    return none
  }
}
