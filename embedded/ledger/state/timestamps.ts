import { field } from './record.ts'
import type { RowStore } from './row-store.ts'
import { compare64, read64 } from './words.ts'

/** The first row whose timestamp is not before the one in `words`: records rise by timestamp. */
export function firstRowFrom(rows: RowStore, words: Uint32Array, at: number): number {
  return firstRow(rows, words, at, 0)
}

/** The first row whose timestamp is after the one in `words`. */
export function firstRowAfter(rows: RowStore, words: Uint32Array, at: number): number {
  return firstRow(rows, words, at, 1)
}

/** The first row whose timestamp compares with the one in `words` as `order` or more. */
function firstRow(rows: RowStore, words: Uint32Array, at: number, order: 0 | 1): number {
  let low = 0
  for (let high = rows.count; low < high; ) {
    const middle = (low + high) >>> 1
    const time = rows.at(middle) + field.timestamp
    if (compare64(rows.words(middle), time, words, at) < order) low = middle + 1
    else high = middle
  }
  return low
}

/** Whether one of these records has exactly this timestamp. */
function timestampTaken(rows: RowStore, words: Uint32Array, at: number): boolean {
  const row = firstRowFrom(rows, words, at)
  return (
    row < rows.count && compare64(rows.words(row), rows.at(row) + field.timestamp, words, at) === 0
  )
}

/**
 * Whether an imported record's timestamp is not later than all `own` records', or that of one of
 * the `others`: accounts and transfers have separate watermarks but never share a timestamp.
 */
export function importRegresses(
  own: RowStore,
  others: RowStore,
  words: Uint32Array,
  at: number,
): boolean {
  const last = own.count - 1
  if (last >= 0 && compare64(words, at, own.words(last), own.at(last) + field.timestamp) <= 0) {
    return true
  }
  return timestampTaken(others, words, at)
}

/** When (nanoseconds) a pending transfer of this timestamp expires after `timeout` seconds. */
export function expiryOf(words: Uint32Array, at: number, timeout: number): bigint {
  return read64(words, at) + BigInt(timeout) * 1_000_000_000n
}
