/** What a bank statement says about itself: whether it adds up, and what it tells twice. Pure. */
import type { Day, Statement, StatementLine } from './statement.ts'

/** A line, and the statement that it is in. */
export interface PlacedLine extends StatementLine {
  statement: Statement
}

/** A statement that tells of days that one before it told of. */
export interface Overlap {
  earlier: Statement
  later: Statement
  /** The days that both tell of. */
  from: Day
  to: Day
  /** Lines of the later one that the earlier ones have. */
  repeated: PlacedLine[]
}

export interface Sorted {
  /** Every line once. */
  lines: PlacedLine[]
  /** Lines with a bank's id that another line has already, outside of overlaps. */
  duplicates: PlacedLine[]
  overlaps: Overlap[]
}

/**
 * Tells what is told for the first time from what is told again. The bank's own id tells, with the
 * amount and the day. Where there is none, a line of a statement that overlaps another one is told again
 * if that has as many that are the same in everything; within a statement such lines may well be two.
 */
export function sortOut(statements: readonly Statement[]): Sorted {
  const sorted: Sorted = { lines: [], duplicates: [], overlaps: [] }
  const seenIds = new Map<string, Statement>()
  const counts = new Map<Statement, Map<string, number>>()
  for (const statement of statements) {
    const earlier = [...counts.keys()].filter((other) => isOverlapping(other, statement))
    const own = new Map<string, number>()
    const repeated: PlacedLine[] = []
    for (const line of statement.lines) {
      const placed = { ...line, statement }
      const content = contentOf(placed)
      const id = idOf(placed)
      const count = (own.get(content) ?? 0) + 1
      own.set(content, count)
      const first = id === undefined ? undefined : seenIds.get(id)
      if (id !== undefined && !first) seenIds.set(id, statement)
      const isToldAgain =
        id === undefined
          ? earlier.some((other) => (counts.get(other)?.get(content) ?? 0) >= count)
          : first !== undefined && earlier.includes(first)
      if (isToldAgain) repeated.push(placed)
      else if (first) sorted.duplicates.push(placed)
      else sorted.lines.push(placed)
    }
    const other = earlier.find((each) => repeated.length > 0 || !isContinued(each, statement))
    if (other) sorted.overlaps.push(toOverlap(other, statement, repeated))
    counts.set(statement, own)
  }
  return sorted
}

function isOverlapping(one: Statement, other: Statement): boolean {
  const isSame = one.account === other.account && one.currency === other.currency
  return isSame && one.from <= other.to && other.from <= one.to
}

/** Whether two statements share only a day on which one ends and the other goes on with its balance. */
function isContinued(one: Statement, other: Statement): boolean {
  const goesOn = (first: Statement, second: Statement) =>
    first.to === second.from &&
    first.closingMinor !== undefined &&
    first.closingMinor === second.openingMinor
  return goesOn(one, other) || goesOn(other, one)
}

function toOverlap(earlier: Statement, later: Statement, repeated: PlacedLine[]): Overlap {
  const from = Math.max(earlier.from, later.from)
  const to = Math.min(earlier.to, later.to)
  return { earlier, later, from, to, repeated }
}

/** What names a line if the bank has given it an id. */
function idOf({ bankId, statement, ...line }: PlacedLine): string | undefined {
  if (bankId === undefined) return undefined
  const { currency, amountMinor, bookingDay } = line
  return [statement.account, bankId, currency, amountMinor, bookingDay].join('\n')
}

/** Everything that a line says. */
export function contentOf({ statement, ...line }: PlacedLine): string {
  const { bankId = '', references, currency, amountMinor, bookingDay, valueDay, text } = line
  const said = [bankId, currency, amountMinor, bookingDay, valueDay, text, ...references]
  return [statement.account, ...said].join('\n')
}

export type AddedUp =
  /** It adds up, with or without the lines that it has twice. */
  | { kind: 'right' }
  /** A balance is missing, or a line is in another currency and cannot be added. */
  | { kind: 'unknown' }
  | { kind: 'wrong'; expectedMinor: bigint; closingMinor: bigint }

/**
 * Whether the opening balance and the lines are the closing balance. What a file has twice the bank need
 * not have booked twice: with it and without it are both right.
 */
export function addUp(statement: Statement, duplicates: readonly PlacedLine[]): AddedUp {
  const { openingMinor, closingMinor, lines, currency } = statement
  const isForeign = lines.some((line) => line.currency !== currency)
  if (openingMinor === undefined || closingMinor === undefined || isForeign) {
    return { kind: 'unknown' }
  }
  const expectedMinor = openingMinor + sumOf(lines)
  const twice = duplicates.filter((line) => line.statement === statement)
  if (expectedMinor === closingMinor || expectedMinor - sumOf(twice) === closingMinor) {
    return { kind: 'right' }
  }
  return { kind: 'wrong', expectedMinor, closingMinor }
}

export function sumOf(items: readonly { amountMinor: bigint }[]): bigint {
  return items.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
}
