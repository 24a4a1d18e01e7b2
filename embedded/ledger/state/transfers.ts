import { HashTable, none } from './hash-table.ts'
import { recordWords } from './record.ts'
import { RowStore, type SavedRows } from './row-store.ts'
import { copy128, equal128, hashWords } from './words.ts'

/** What became of a pending transfer. */
export const pendingStatus = { none: 0, pending: 1, posted: 2, voided: 3, expired: 4 } as const

/** What `find` answers for an id that has failed before and cannot be used any more. */
export const failedId = -2

/**
 * All transfers, in the order of their timestamps, and the ids of those that failed for a reason
 * that could have passed: one id is either or neither.
 */
export class Transfers {
  readonly rows = new RowStore(recordWords, 8192)
  readonly failedIds = new RowStore(4, 16_384)
  private readonly statuses = new RowStore(1, 65_536)
  /** References are a row doubled; plus one in `failedIds`. */
  private readonly byId = new HashTable()

  /** The row of the transfer whose id these words are, or `none`, or `failedId`. */
  find(words: Uint32Array, at: number): number {
    const hash = hashWords(words, at, 4)
    for (let ref = this.byId.first(hash); ref !== none; ref = this.byId.next(hash)) {
      const row = ref >>> 1
      const store = (ref & 1) === 0 ? this.rows : this.failedIds
      if (equal128(store.words(row), store.at(row), words, at)) {
        return (ref & 1) === 0 ? row : failedId
      }
    }
    return none
  }

  /** Writes the record, 32 words. */
  write(row: number, to: Uint32Array, at: number): void {
    const from = this.rows.at(row)
    to.set(this.rows.words(row).subarray(from, from + recordWords), at)
  }

  /** Makes a row; the caller fills its words, then calls `index`. */
  append(): number {
    const row = this.rows.append()
    this.statuses.append()
    this.setStatus(row, pendingStatus.none)
    return row
  }

  /** Makes a filled row known by its id. */
  index(row: number): void {
    this.byId.insert(hashWords(this.rows.words(row), this.rows.at(row), 4), row * 2)
  }

  /** Takes back the last transfer. */
  pop(): void {
    const row = this.rows.count - 1
    this.byId.remove(hashWords(this.rows.words(row), this.rows.at(row), 4), row * 2)
    this.rows.truncate(row)
    this.statuses.truncate(row)
  }

  /** Burns an id that no transfer has. */
  failId(words: Uint32Array, at: number): void {
    const row = this.failedIds.append()
    copy128(this.failedIds.words(row), this.failedIds.at(row), words, at)
    this.indexFailedId(row)
  }

  private indexFailedId(row: number): void {
    const hash = hashWords(this.failedIds.words(row), this.failedIds.at(row), 4)
    this.byId.insert(hash, row * 2 + 1)
  }

  /** The `pendingStatus` of a transfer. */
  status(row: number): number {
    return this.statuses.words(row)[this.statuses.at(row)]!
  }

  setStatus(row: number, status: number): void {
    this.statuses.words(row)[this.statuses.at(row)] = status
  }

  /** Appends the records of a snapshot; their effects are left to the caller. */
  load(records: SavedRows, failedIds: SavedRows): void {
    this.rows.load(records)
    for (let row = 0; row < this.rows.count; row += 1) {
      this.statuses.append()
      this.setStatus(row, pendingStatus.none)
      this.index(row)
    }
    this.failedIds.load(failedIds)
    for (let row = 0; row < this.failedIds.count; row += 1) this.indexFailedId(row)
  }
}
