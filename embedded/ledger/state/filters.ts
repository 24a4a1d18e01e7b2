import type { RowStore } from './row-store.ts'
import { firstRowAfter, firstRowFrom } from './timestamps.ts'
import { compare64, isMax128, isTimestamp, isZero64, isZero128 } from './words.ts'

/** First words of the fields of a filter by account (128 bytes). */
export const accountFilter = {
  accountId: 0,
  userData128: 4,
  userData64: 8,
  userData32: 10,
  /** The low half of the word; from its high half on all is reserved. */
  code: 11,
  reserved: 12,
  timestampMin: 26,
  timestampMax: 28,
  limit: 30,
  flags: 31,
} as const

/** First words of the fields of a filter for queries (64 bytes). */
export const queryFilter = {
  userData128: 0,
  userData64: 4,
  userData32: 6,
  ledger: 7,
  /** The low half of the word; the high half and the next word are reserved. */
  code: 8,
  reserved: 9,
  timestampMin: 10,
  timestampMax: 12,
  limit: 14,
  flags: 15,
} as const

export const accountFilterFlag = { debits: 1, credits: 2, reversed: 4 } as const
const queryFilterFlag = { reversed: 1 } as const

/** What a valid filter says about order and amount: rows from `low` to below `high`. */
export interface Range {
  readonly low: number
  readonly high: number
  readonly reversed: boolean
  readonly limit: number
}

/** The range of a filter by account over these records, or null when the filter is not valid. */
export function accountRange(rows: RowStore, words: Uint32Array, at: number): Range | null {
  const flags = words[at + accountFilter.flags]!
  const { debits, credits, reversed } = accountFilterFlag
  if (isZero128(words, at) || isMax128(words, at)) return null
  if ((flags & (debits | credits)) === 0 || flags > (debits | credits | reversed)) return null
  if (words[at + accountFilter.code]! > 0xffff) return null
  for (let word: number = accountFilter.reserved; word < accountFilter.timestampMin; word += 1) {
    if (words[at + word] !== 0) return null
  }
  const limit = words[at + accountFilter.limit]!
  const isReversed = (flags & reversed) !== 0
  return timeRange(rows, words, at + accountFilter.timestampMin, limit, isReversed)
}

/** The range of a query's filter over these records, or null when the filter is not valid. */
export function queryRange(rows: RowStore, words: Uint32Array, at: number): Range | null {
  const flags = words[at + queryFilter.flags]!
  if (flags > queryFilterFlag.reversed) return null
  if (words[at + queryFilter.code]! > 0xffff || words[at + queryFilter.reserved] !== 0) return null
  const limit = words[at + queryFilter.limit]!
  return timeRange(rows, words, at + queryFilter.timestampMin, limit, flags !== 0)
}

/** Both timestamps are inclusive, the maximum follows the minimum, and 0 is no bound. */
function timeRange(
  rows: RowStore,
  words: Uint32Array,
  min: number,
  limit: number,
  reversed: boolean,
): Range | null {
  const max = min + 2
  const noMin = isZero64(words, min)
  const noMax = isZero64(words, max)
  if (limit === 0) return null
  if (!noMin && !isTimestamp(words, min)) return null
  if (!noMax && !isTimestamp(words, max)) return null
  if (!noMax && compare64(words, min, words, max) > 0) return null
  const low = noMin ? 0 : firstRowFrom(rows, words, min)
  const high = noMax ? rows.count : firstRowAfter(rows, words, max)
  return { low, high, reversed, limit }
}
