/** What a comparison of bank statements comes to, by currency. Pure. */
import type { ClearingEntry } from './clearing-entries.ts'
import type { Statement } from './statement.ts'
import { type PlacedLine, sumOf } from './statement-check.ts'
import type { Match, MatchRule, Pair } from './statement-match.ts'

/** How many, and the sum of their amounts in minor units: money in less money out. */
export interface Counted {
  count: number
  sumMinor: bigint
}

/** What was compared in one currency. */
export interface StatementTotals {
  currency: string
  statements: {
    count: number
    /** Those that could not be added up: a balance is missing, or a line is in another currency. */
    unproven: number
  }
  /** All of the bank's lines, each of which is in one of the others. */
  lines: Counted & {
    matched: Record<MatchRule, Counted>
    /** In another amount or currency than the ledger has it. */
    differing: Counted
    bankOnly: Counted
    /** Told twice, and counted once. */
    repeated: Counted
    /** The bank's entries that are no lines: not booked yet, or of nothing. */
    skipped: number
  }
  /** The ledger's entries of the statements' days and what was matched besides, each in one of the others. */
  entries: Counted & {
    matched: Counted
    differing: Counted
    ledgerOnly: Counted
    /** So near the first or the last day that they may be on another statement. */
    undecided: Counted
  }
}

/** What has become of every line and entry. */
export interface Outcome {
  statements: readonly Statement[]
  unproven: readonly Statement[]
  matches: readonly Match[]
  differing: readonly Pair[]
  /** Lines in another currency than their account's of which the ledger has nothing. */
  foreign: readonly PlacedLine[]
  bankOnly: readonly PlacedLine[]
  repeated: readonly PlacedLine[]
  entries: readonly ClearingEntry[]
  ledgerOnly: readonly ClearingEntry[]
  undecided: readonly ClearingEntry[]
}

/** Adds an outcome up. Throws when a line or an entry is in none of its parts, or in two. */
export function totalUp(outcome: Outcome): StatementTotals[] {
  const { statements, entries } = outcome
  const lines = statements.flatMap((statement) => statement.lines)
  const currencies = [...statements, ...lines, ...entries].map(({ currency }) => currency)
  return [...new Set(currencies)].sort().map((currency) => {
    const totals = totalOf(currency, outcome, lines)
    const { matched, differing, bankOnly, repeated } = totals.lines
    requireAll(totals.lines, [...Object.values(matched), differing, bankOnly, repeated])
    const { matched: found, differing: other, ledgerOnly, undecided } = totals.entries
    requireAll(totals.entries, [found, other, ledgerOnly, undecided])
    return totals
  })
}

function totalOf(
  currency: string,
  outcome: Outcome,
  lines: readonly { currency: string; amountMinor: bigint }[],
): StatementTotals {
  const isOwn = (item: { currency: string }) => item.currency === currency
  const count = (items: readonly { currency: string; amountMinor: bigint }[]): Counted => {
    const own = items.filter(isOwn)
    return { count: own.length, sumMinor: sumOf(own) }
  }
  const { matches, differing } = outcome
  const linesBy = (rule: MatchRule) =>
    count(matches.filter((match) => match.rule === rule).map(({ line }) => line))
  const statements = outcome.statements.filter(isOwn)
  return {
    currency,
    statements: { count: statements.length, unproven: outcome.unproven.filter(isOwn).length },
    lines: {
      ...count(lines),
      matched: {
        reference: linesBy('reference'),
        amount_and_date: linesBy('amount_and_date'),
        sum: linesBy('sum'),
      },
      differing: count([...differing.map(({ line }) => line), ...outcome.foreign]),
      bankOnly: count(outcome.bankOnly),
      repeated: count(outcome.repeated),
      skipped: statements.reduce((sum, { skippedCount }) => sum + skippedCount, 0),
    },
    entries: {
      ...count(outcome.entries),
      matched: count(matches.flatMap((match) => match.entries)),
      differing: count(differing.map(({ entry }) => entry)),
      ledgerOnly: count(outcome.ledgerOnly),
      undecided: count(outcome.undecided),
    },
  }
}

function requireAll(all: Counted, parts: readonly Counted[]): void {
  const counted = parts.reduce((sum, { count }) => sum + count, 0)
  const sumMinor = parts.reduce((sum, part) => sum + part.sumMinor, 0n)
  if (counted !== all.count || sumMinor !== all.sumMinor) {
    throw new Error(`of ${all.count} lines or entries ${counted} were told of`)
  }
}
