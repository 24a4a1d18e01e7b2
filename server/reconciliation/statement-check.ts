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
  return isSameAccount(one, other) && one.from <= other.to && other.from <= one.to
}

const isSameAccount = (one: Statement, other: Statement): boolean =>
  one.account === other.account && one.currency === other.currency

/** Statements of one account that follow each other, and the later one begins with another balance. */
export interface Gap {
  earlier: Statement & { closingMinor: bigint }
  later: Statement & { openingMinor: bigint }
}

/**
 * Where something between two statements is missing: a statement begins with a balance that none before it
 * ends with. Before it are those that end last, and others that end on the day on which it begins. A
 * balance that is not told shows nothing; nor does one in the middle of another statement, which is an overlap.
 */
export function findGaps(statements: readonly Statement[]): Gap[] {
  return statements.filter(hasOpening).flatMap((later) => {
    const others = statements.filter((other) => other !== later && isSameAccount(other, later))
    const isInside = others.some(({ from, to }) => from < later.from && later.from < to)
    const ends = others.map(({ to }) => to).filter((to) => to < later.from)
    if (isInside || ends.length === 0) return []
    const lastEnd = Math.max(...ends)
    const before = others.filter(({ to }) => lastEnd <= to && to <= later.from)
    const known = before.filter(hasClosing)
    const isContinued = known.some(({ closingMinor }) => closingMinor === later.openingMinor)
    const [earlier] = known
    return !earlier || isContinued || known.length < before.length ? [] : [{ earlier, later }]
  })
}

const hasOpening = (statement: Statement): statement is Gap['later'] =>
  statement.openingMinor !== undefined
const hasClosing = (statement: Statement): statement is Gap['earlier'] =>
  statement.closingMinor !== undefined

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
