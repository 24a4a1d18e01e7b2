import type { FieldIndex } from './field-index.ts'
import { accountFilter, accountFilterFlag, queryFilter, type Range } from './filters.ts'
import { none } from './hash-table.ts'
import type { CommonKey, Indexes, TransferKey } from './indexes.ts'
import { type RowCursor, rangeCursor, unionCursor } from './row-cursor.ts'

/** One thing that a filter asks for. */
interface Condition {
  /** At most this many rows meet it. */
  readonly count: number
  cursor(range: Range): RowCursor
  has(row: number): boolean
}

/** Walks the rows that a query's filter asks for. */
export function queryRows(
  indexes: Indexes<CommonKey>,
  words: Uint32Array,
  at: number,
  range: Range,
): RowCursor {
  return intersect(fieldConditions(indexes, words, at, queryFilter), range)
}

/** Walks the transfers of an account that a filter asks for. */
export function accountRows(
  indexes: Indexes<TransferKey>,
  words: Uint32Array,
  at: number,
  range: Range,
): RowCursor {
  const flags = words[at + accountFilter.flags]!
  const sides: Condition[] = []
  for (const [flag, key] of [
    [accountFilterFlag.debits, 'debitAccountId'],
    [accountFilterFlag.credits, 'creditAccountId'],
  ] as const) {
    if ((flags & flag) !== 0) sides.push(condition(indexes.by(key), words, at))
  }
  const [first, second] = sides
  const account = second ? either(first!, second) : first!
  return intersect([account, ...fieldConditions(indexes, words, at, accountFilter)], range)
}

/** The fields of a filter that are not zero. */
function fieldConditions(
  indexes: Indexes<CommonKey>,
  words: Uint32Array,
  at: number,
  filter: Partial<Record<CommonKey, number>>,
): Condition[] {
  const widths = { userData128: 4, userData64: 2, userData32: 1, ledger: 1, code: 1 } as const
  const conditions: Condition[] = []
  for (const key of ['userData128', 'userData64', 'userData32', 'ledger', 'code'] as const) {
    const offset = filter[key]
    if (offset === undefined) continue
    const from = at + offset
    if (words.subarray(from, from + widths[key]).every((word) => word === 0)) continue
    conditions.push(condition(indexes.by(key), words, from))
  }
  return conditions
}

function condition(index: FieldIndex, words: Uint32Array, at: number): Condition {
  return {
    count: index.count(words, at),
    cursor: ({ low, high, reversed }) => index.cursor(words, at, low, high, reversed),
    has: (row) => index.has(row, words, at),
  }
}

/** Both sides of an account; no transfer has it on both. */
function either(a: Condition, b: Condition): Condition {
  return {
    count: a.count + b.count,
    cursor: (range) => unionCursor(a.cursor(range), b.cursor(range), range.reversed),
    has: (row) => a.has(row) || b.has(row),
  }
}

/** Walks the rarest condition, or a shorter range, and looks the others up in the records. */
function intersect(conditions: Condition[], range: Range): RowCursor {
  const { low, high, reversed } = range
  const whole: Condition = {
    count: high - low,
    cursor: () => rangeCursor(low, high, reversed),
    has: (row) => row >= low && row < high,
  }
  const [rarest = whole] = [...conditions, whole].sort((a, b) => a.count - b.count)
  const candidates = rarest.cursor(range)
  const others = conditions.filter((one) => one !== rarest)
  if (others.length === 0) return candidates
  return {
    next: () => {
      for (let row = candidates.next(); row !== none; row = candidates.next()) {
        if (others.every((other) => other.has(row))) return row
      }
      return none
    },
  }
}
