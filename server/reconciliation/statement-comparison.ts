/** Compares bank statements with what the clearing accounts did. Pure. */
import type { ClearingEntry } from './clearing-entries.ts'
import type { Day, Statement } from './statement.ts'
import type { StatementBreak } from './statement-breaks.ts'
import * as breakOf from './statement-breaks.ts'
import { addUp, contentOf, findGaps, type PlacedLine, sortOut } from './statement-check.ts'
import {
  daysApart,
  type Left,
  type Match,
  matchLines,
  pairAmounts,
  pairCurrencies,
} from './statement-match.ts'
import { type StatementTotals, totalUp } from './statement-totals.ts'

export interface ComparisonOptions {
  /** How many days a line and what it is in the ledger may be apart where no reference tells. */
  windowDays: number
  /** How many days they may be apart without that being a break. */
  toleranceDays: number
}

export interface Comparison {
  /** In the order of their kinds, then of the file or the ledger. */
  breaks: StatementBreak[]
  /** By currency. */
  totals: StatementTotals[]
}

/**
 * Compares statements with entries of the clearing accounts of all currencies, oldest first. The entries
 * have to reach `windowDays` beyond the days of the statements.
 */
export function compareStatements(
  statements: readonly Statement[],
  entries: readonly ClearingEntry[],
  { windowDays, toleranceDays }: ComparisonOptions,
): Comparison {
  const { lines, duplicates: numbered, overlaps } = sortOut(statements)
  const left: Left = { lines: new Set(lines), entries: new Set(entries) }
  const matches = matchLines(left, { windowDays, isMatchable: isInCurrency })
  const duplicates = [...numbered, ...takeSame(left, lines)]
  const differing = pairAmounts(left, windowDays)
  const inOther = pairCurrencies(left, windowDays)
  const rest = [...left.lines]
  const foreign = rest.filter((line) => !isInCurrency(line))
  const bankOnly = rest.filter(isInCurrency)
  const coverage = createCoverage(statements)
  const unmatched = [...left.entries].filter(coverage.has)
  const ledgerOnly = unmatched.filter((entry) => !coverage.isNearEnd(entry, toleranceDays))
  const sums = statements.map((statement) => ({ statement, sum: addUp(statement, duplicates) }))
  const totals = totalUp({
    statements,
    unproven: sums.flatMap(({ statement, sum }) => (sum.kind === 'unknown' ? statement : [])),
    matches,
    differing: [...differing, ...inOther],
    foreign,
    bankOnly,
    repeated: [...duplicates, ...overlaps.flatMap(({ repeated }) => repeated)],
    entries: entries.filter((entry) => coverage.has(entry) || !left.entries.has(entry)),
    ledgerOnly,
    undecided: unmatched.filter((entry) => coverage.isNearEnd(entry, toleranceDays)),
  })
  const breaks = [
    ...sums.flatMap(({ statement, sum }) =>
      sum.kind === 'wrong' ? breakOf.doesNotAddUp(statement, sum) : [],
    ),
    ...findGaps(statements).map(breakOf.statementGap),
    ...overlaps.map(breakOf.statementOverlap),
    ...duplicates.map(breakOf.duplicateLine),
    ...differing.map(({ line, entry }) => breakOf.amountDiffers(line, entry)),
    ...inOther.map(({ line, entry }) => breakOf.wrongCurrency(line, entry)),
    ...foreign.map((line) => breakOf.wrongCurrency(line)),
    ...matches.flatMap((match) => judgeDate(match, toleranceDays)),
    ...bankOnly.map(breakOf.bankOnly),
    ...ledgerOnly.map(breakOf.ledgerOnly),
  ]
  return { breaks: numberSubjects(breaks), totals }
}

/** Tells breaks of the same kind and subject apart: of lines without an id that say the same. */
function numberSubjects(breaks: readonly StatementBreak[]): StatementBreak[] {
  const counts = new Map<string, number>()
  return breaks.map((it) => {
    const key = `${it.kind} ${it.subject}`
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count === 1 ? it : { ...it, subject: `${it.subject}/${count}` }
  })
}

/** Whether a line is in its account's currency; another one cannot be right, whatever the ledger has. */
const isInCurrency = ({ currency, statement }: PlacedLine): boolean =>
  currency === statement.currency

/**
 * Takes out lines without a bank's id that are the same as another one of their statement, when that one is
 * matched or comes before. Where the ledger has as many, all of them are matched, and none is taken out.
 */
function takeSame(left: Left, lines: readonly PlacedLine[]): PlacedLine[] {
  const kept = new Map<Statement, Set<string>>()
  const keptIn = (statement: Statement): Set<string> => {
    const contents = kept.get(statement) ?? new Set()
    kept.set(statement, contents)
    return contents
  }
  for (const line of lines) {
    if (!left.lines.has(line)) keptIn(line.statement).add(contentOf(line))
  }
  const taken: PlacedLine[] = []
  for (const line of left.lines) {
    const contents = keptIn(line.statement)
    const content = contentOf(line)
    if (contents.has(content)) taken.push(line)
    else contents.add(content)
  }
  for (const line of taken) left.lines.delete(line)
  return taken
}

function judgeDate({ line, entries }: Match, toleranceDays: number): StatementBreak[] {
  const days = Math.max(...entries.map((entry) => daysApart(line, entry)))
  return days > toleranceDays ? [breakOf.dateDiffers(line, entries, days)] : []
}

/** Which days of which currencies the statements tell of. */
function createCoverage(statements: readonly Statement[]) {
  const spans = new Map<string, { from: Day; to: Day }[]>()
  for (const { currency, from, to } of statements.toSorted((one, other) => one.from - other.from)) {
    const known = spans.get(currency) ?? []
    const last = known.at(-1)
    if (last && from <= last.to + 1) last.to = Math.max(last.to, to)
    else known.push({ from, to })
    spans.set(currency, known)
  }
  const spanOf = ({ currency, day }: ClearingEntry) =>
    spans.get(currency)?.find(({ from, to }) => from <= day && day <= to)

  /** Whether an entry should be on one of the statements. */
  const has = (entry: ClearingEntry): boolean => spanOf(entry) !== undefined

  /** Whether it may be on another one, because a day that is near enough is not told of. */
  function isNearEnd(entry: ClearingEntry, toleranceDays: number): boolean {
    const span = spanOf(entry)
    if (!span) return false
    return entry.day - toleranceDays < span.from || entry.day + toleranceDays > span.to
  }

  return { has, isNearEnd }
}
