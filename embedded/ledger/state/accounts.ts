import { HashTable, none } from './hash-table.ts'
import {
  accountField,
  accountFlag,
  accountFlagsKnown,
  balanceWords,
  field,
  flagsOf,
  recordWords,
} from './record.ts'
import { RowStore, type SavedRows } from './row-store.ts'
import { equal128, hashWords } from './words.ts'

/**
 * All accounts, in the order of their timestamps. What an account was created with never changes;
 * its balances and whether it is closed live beside that, because they can be computed again from
 * the transfers.
 */
export class Accounts {
  /** Records as created, with zero balances. */
  readonly rows = new RowStore(recordWords, 4096)
  /** The four balances of each account. */
  readonly balances = new RowStore(balanceWords, 4096)
  /** 1 for a closed account, else 0. */
  private readonly closed = new RowStore(1, 65_536)
  private readonly byId = new HashTable()

  /** The row of the account whose id these words are, or `none`. */
  find(words: Uint32Array, at: number): number {
    const hash = hashWords(words, at, 4)
    for (let row = this.byId.first(hash); row !== none; row = this.byId.next(hash)) {
      if (equal128(this.rows.words(row), this.rows.at(row), words, at)) return row
    }
    return none
  }

  /** Appends an account from its event, created at `times[timeAt]`. */
  append(event: Uint32Array, at: number, times: Uint32Array, timeAt: number): void {
    const row = this.rows.append()
    const words = this.rows.words(row)
    const to = this.rows.at(row)
    for (let word = 0; word < recordWords; word += 1) words[to + word] = event[at + word]!
    words[to + field.timestamp] = times[timeAt]!
    words[to + field.timestamp + 1] = times[timeAt + 1]!
    this.openRow(row)
  }

  /** Balances, state and index of a row whose record is already there. */
  private openRow(row: number): void {
    this.balances.append()
    const from = this.balances.at(row)
    this.balances.words(row).fill(0, from, from + balanceWords)
    this.closed.append()
    this.setClosed(row, (this.createdFlags(row) & accountFlag.closed) !== 0)
    this.byId.insert(hashWords(this.rows.words(row), this.rows.at(row), 4), row)
  }

  /** Takes back the accounts from `count` on. */
  truncate(count: number): void {
    for (let row = this.rows.count - 1; row >= count; row -= 1) {
      this.byId.remove(hashWords(this.rows.words(row), this.rows.at(row), 4), row)
    }
    this.rows.truncate(count)
    this.balances.truncate(count)
    this.closed.truncate(count)
  }

  /** Appends the records of a snapshot. */
  load(saved: SavedRows): void {
    this.rows.load(saved)
    for (let row = 0; row < this.rows.count; row += 1) this.openRow(row)
  }

  createdFlags(row: number): number {
    return flagsOf(this.rows.words(row), this.rows.at(row))
  }

  isClosed(row: number): boolean {
    return this.closed.words(row)[this.closed.at(row)] === 1
  }

  setClosed(row: number, closed: boolean): void {
    this.closed.words(row)[this.closed.at(row)] = closed ? 1 : 0
  }

  /** The flags as a client sees them: `closed` says how it is now. */
  flags(row: number): number {
    const created = this.createdFlags(row) & accountFlagsKnown & ~accountFlag.closed
    return this.isClosed(row) ? created | accountFlag.closed : created
  }

  /** Writes the account as it is now, 32 words. */
  write(row: number, to: Uint32Array, at: number): void {
    const words = this.rows.words(row)
    const from = this.rows.at(row)
    to.set(words.subarray(from, from + recordWords), at)
    const balances = this.balances.words(row)
    const balancesAt = this.balances.at(row)
    for (let word = 0; word < balanceWords; word += 1) {
      to[at + accountField.debitsPending + word] = balances[balancesAt + word]!
    }
    const code = words[from + field.codeAndFlags]! & 0xffff
    to[at + field.codeAndFlags] = code | (this.flags(row) << 16)
  }
}
