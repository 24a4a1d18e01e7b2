import { none } from './hash-table.ts'
import type { RowLists } from './row-lists.ts'

/** Gives row numbers one after the other, rising or falling, then `none`. */
export interface RowCursor {
  next(): number
}

/** All rows from `low` (inclusive) to `high` (exclusive). */
export function rangeCursor(low: number, high: number, reversed: boolean): RowCursor {
  let row = reversed ? high - 1 : low
  return {
    next: () => {
      if (row < low || row >= high) return none
      const current = row
      row += reversed ? -1 : 1
      return current
    },
  }
}

/** The rows of a list from `low` (inclusive) to `high` (exclusive). */
export function listCursor(
  lists: RowLists,
  list: number,
  low: number,
  high: number,
  reversed: boolean,
): RowCursor {
  let block = reversed ? lists.lastBlock(list) : lists.firstBlock(list)
  if (reversed) {
    while (block !== 0 && lists.row(block, 0) >= high) block = lists.previousBlock(block)
  } else {
    while (block !== 0 && lists.row(block, lists.countOf(block) - 1) < low) {
      block = lists.nextBlock(block)
    }
  }
  let index = 0
  if (block !== 0) {
    index = reversed ? firstIndexFrom(lists, block, high) - 1 : firstIndexFrom(lists, block, low)
  }
  return {
    next: () => {
      if (block === 0) return none
      const row = lists.row(block, index)
      if (row < low || row >= high) return none
      index += reversed ? -1 : 1
      if (index < 0) {
        block = lists.previousBlock(block)
        index = block === 0 ? 0 : lists.countOf(block) - 1
      } else if (index === lists.countOf(block)) {
        block = lists.nextBlock(block)
        index = 0
      }
      return row
    },
  }
}

/** The first index in a block whose row is not below `row`; the block's count without one. */
function firstIndexFrom(lists: RowLists, block: number, row: number): number {
  let low = 0
  for (let high = lists.countOf(block); low < high; ) {
    const middle = (low + high) >>> 1
    if (lists.row(block, middle) < row) low = middle + 1
    else high = middle
  }
  return low
}

/** The rows of two cursors of the same direction that have none in common. */
export function unionCursor(a: RowCursor, b: RowCursor, reversed: boolean): RowCursor {
  let nextA = a.next()
  let nextB = b.next()
  return {
    next: () => {
      const takeA = nextB === none || (nextA !== none && nextA < nextB !== reversed)
      const row = takeA ? nextA : nextB
      if (takeA) nextA = a.next()
      else nextB = b.next()
      return row
    },
  }
}
