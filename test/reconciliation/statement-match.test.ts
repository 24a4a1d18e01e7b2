import fc from 'fast-check'
import type { ClearingEntry } from '../../server/reconciliation/clearing-entries.ts'
import type { Statement, StatementLine } from '../../server/reconciliation/statement.ts'
import type { StatementBreakKind } from '../../server/reconciliation/statement-breaks.ts'
import { sumOf } from '../../server/reconciliation/statement-check.ts'
import { compareStatements } from '../../server/reconciliation/statement-comparison.ts'
import { matchLines } from '../../server/reconciliation/statement-match.ts'
import { firstDay, histories, lastDay, toLine, toStatements } from '../lib/statement-histories.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('matching of bank statements')

const options = { windowDays: 3, toleranceDays: 0 }
const opening = fc.bigInt({ min: -1_000n, max: 1_000_000n })
/** So that equal ones are frequent. */
const fewAmounts = () => fc.bigInt({ min: 1n, max: 3n })
/** So that no sum of some is one of the others, or the sum of some others. */
const powers = (place: number) => fc.constant(1_000n * 2n ** BigInt(place))
const likeness = fc.record({ hasId: fc.boolean(), hasReference: fc.boolean() })

const tell = (breaks: readonly { kind: string; subject: string }[]) =>
  breaks.map(({ kind, subject }) => `${kind} ${subject}`).sort()

test('a statement without a flaw leaves nothing over, with references or without, in any order', () => {
  const input = histories({ amountOf: fewAmounts }).chain((entries) => {
    const lines = fc.tuple(
      ...entries.map((entry, place) => likeness.map((how) => toLine([entry], { place, ...how }))),
    )
    const shuffled = lines.chain((all) =>
      fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
    )
    return fc.record({ entries: fc.constant(entries), lines: shuffled, opening })
  })
  fc.assert(
    fc.property(input, ({ entries, lines, opening }) => {
      const { breaks, totals } = compareStatements(toStatements(lines, opening), entries, options)
      assert.equal(tell(breaks), [])
      for (const { entries: all } of totals) assert.is(all.matched.count, all.count)
    }),
    { numRuns: 300 },
  )
})

/** Runs of entries that follow each other. */
function chunk<Item>(items: readonly Item[], sizes: readonly number[]): Item[][] {
  const chunks: Item[][] = []
  for (let start = 0, turn = 0; start < items.length; turn += 1) {
    const size = sizes[turn % sizes.length]!
    chunks.push(items.slice(start, start + size))
    start += size
  }
  return chunks
}

test('a line that is several entries of a day and kind is matched with all of them', () => {
  const input = fc.record({
    entries: histories({ amountOf: powers, currencies: ['USD'], upTo: firstDay + 1 }),
    sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
    how: fc.array(likeness, { minLength: 1, maxLength: 3 }),
    opening,
  })
  let sums = 0
  fc.assert(
    fc.property(input, ({ entries, sizes, how, opening }) => {
      const ofDay = Map.groupBy(entries, ({ currency, day, code }) => `${currency} ${day} ${code}`)
      const batches = [...ofDay.values()].flatMap((group) => chunk(group, sizes))
      const lines = batches.map((batch, place) =>
        toLine(batch, {
          place,
          ...how[place % how.length]!,
          ...(batch.length > 1 ? { hasReference: false } : {}),
        }),
      )
      const { breaks, totals } = compareStatements(toStatements(lines, opening), entries, options)
      assert.equal(tell(breaks), [])
      for (const { lines } of totals) sums += lines.matched.sum.count
    }),
    { numRuns: 300 },
  )
  assert.ok(sums > 100, `${sums} sums`)
})

/** Does something to a line of a statement, or to a statement; what it has to be called. */
type Damage =
  | 'none'
  | 'reference_lost'
  | 'doubled'
  | 'doubled_and_booked'
  | 'dated_else'
  | 'amount'
  | 'currency'
  | 'missing'
  | 'stray'

const damages: Record<Damage, StatementBreakKind | undefined> = {
  none: undefined,
  reference_lost: undefined,
  doubled: 'duplicate_line',
  doubled_and_booked: 'duplicate_line',
  dated_else: 'date_differs',
  amount: 'amount_differs',
  currency: 'wrong_currency',
  missing: 'ledger_only',
  stray: 'bank_only',
}

/** The lines that a damaged one becomes, and what of them the bank has not added up. */
function damage(line: StatementLine, kind: Damage, place: number) {
  const moved = { ...line, bookingDay: line.bookingDay + (place % 2 === 0 ? -1 : 2) }
  // Of an amount that is no sum of others.
  const stray = { ...line, bankId: line.bankId && `${line.bankId}-stray`, references: ['stray'] }
  const becomes: Record<Damage, StatementLine[]> = {
    none: [line],
    reference_lost: [{ ...line, references: ['of the bank'] }],
    doubled: [line, line],
    doubled_and_booked: [line, line],
    dated_else: [moved],
    amount: [{ ...line, amountMinor: line.amountMinor + 1n }],
    currency: [{ ...line, currency: 'GBP' }],
    missing: [],
    stray: [line, { ...stray, amountMinor: 2n * line.amountMinor + 1n }],
  }
  return { lines: becomes[kind], unbookedMinor: kind === 'doubled' ? line.amountMinor : 0n }
}

const subjectOf = (kind: Damage, entry: ClearingEntry, [, second]: readonly StatementLine[]) => {
  const damaged = damages[kind]
  if (!damaged || !second) return entry.transferId
  const { bankId, amountMinor, currency, references } = second
  const day = new Date(second.bookingDay * 86_400_000).toISOString().slice(0, 10)
  return ['account', bankId ?? `${day}/${amountMinor}/${currency}/${references[0]}`].join('/')
}

test('each damage is called what it is, and nothing else is', () => {
  const kinds = fc.constantFrom(...(Object.keys(damages) as Damage[]))
  const input = fc.record({
    entries: histories({ amountOf: powers }),
    kinds: fc.array(kinds, { minLength: 1, maxLength: 20 }),
    hasId: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
    opening,
    isRepeated: fc.boolean(),
    isClosingWrong: fc.boolean(),
  })
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(input, ({ entries, kinds, hasId, opening, isRepeated, isClosingWrong }) => {
      const expected: { kind: string; subject: string }[] = []
      const done = entries.map((entry, place) => {
        const how = { hasId: hasId[place % hasId.length]!, hasReference: true }
        const line = toLine([entry], { place, ...how })
        const kind = kinds[place % kinds.length]!
        const result = damage(line, kind, place)
        const named = damages[kind]
        if (named) expected.push({ kind: named, subject: subjectOf(kind, entry, result.lines) })
        return { ...result, kind, currency: entry.currency }
      })
      const statements = [...new Set(entries.map(({ currency }) => currency))].map((currency) => {
        const own = done.filter((it) => it.currency === currency)
        const lines = own.flatMap((it) => it.lines)
        const unbooked = own.reduce((sum, { unbookedMinor }) => sum + unbookedMinor, 0n)
        // With some of its doubles booked and others not it adds up neither way: all, or none.
        const isBooked = own.some(({ kind }) => kind === 'doubled_and_booked')
        const closingMinor = opening + sumOf(lines) - (isBooked ? 0n : unbooked)
        return { ...toStatement(currency, lines, opening), closingMinor }
      })
      const [first, ...others] = statements
      const damaged: Statement[] = first ? [first, ...others] : []
      if (first && isClosingWrong) {
        const isForeign = first.lines.some(({ currency }) => currency !== first.currency)
        damaged[0] = { ...first, closingMinor: first.closingMinor + 7n }
        const kind = 'statement_does_not_add_up'
        const subject = `account/${first.id}`
        if (!isForeign) expected.push({ kind, subject })
        if (!isForeign && isRepeated) expected.push({ kind, subject: `${subject}/2` })
      }
      if (isRepeated && damaged[0]) {
        damaged.push(damaged[0])
        const subject = `account/${damaged[0].id}/${damaged[0].id}`
        expected.push({ kind: 'statement_overlap', subject })
      }
      const { breaks } = compareStatements(damaged, entries, options)
      assert.equal(tell(breaks), tell(expected))
      for (const { kind } of breaks) seen.set(kind, (seen.get(kind) ?? 0) + 1)
    }),
    { numRuns: 500 },
  )
  assert.is(seen.size, 8, [...seen].join(', '))
})

function toStatement(currency: string, lines: StatementLine[], opening: bigint): Statement {
  return {
    id: `statement-${currency}`,
    account: 'account',
    currency,
    from: firstDay,
    to: lastDay,
    openingMinor: opening,
    closingMinor: undefined,
    lines,
    skippedCount: 0,
    fileName: 'file',
    fileLine: 1,
  }
}

test('whatever is compared, each line and each entry is used once, and nothing is lost', () => {
  const reference = fc.constantFrom('ref-0', 'ref-1', 'ref-2', 'ref-3', 'else')
  const line = fc.record({
    bankId: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
    references: fc.uniqueArray(reference, { maxLength: 2 }),
    currency: fc.constantFrom('USD', 'EUR'),
    amountMinor: fc.bigInt({ min: -6n, max: 6n }).filter((minor) => minor !== 0n),
    bookingDay: fc.integer({ min: firstDay - 5, max: lastDay + 5 }),
    valueDay: fc.option(fc.integer({ min: firstDay, max: lastDay }), { nil: undefined }),
    text: fc.constant(''),
    fileLine: fc.constant(1),
  })
  // Some of the entries of a day and kind, so that each rule has much to match.
  const known = (entries: readonly ClearingEntry[]) =>
    fc
      .tuple(fc.constantFrom(...entries), fc.integer({ min: 1, max: 4 }), likeness)
      .map(([{ currency, day, code }, count, how]) => {
        const group = entries.filter((it) => it.currency === currency && it.day === day)
        return toLine(group.filter((it) => it.code === code).slice(0, count), { place: 0, ...how })
      })
  const days = fc.tuple(fc.integer({ min: firstDay, max: lastDay }), fc.nat(8))
  const statementWith = (entries: readonly ClearingEntry[]) =>
    fc
      .record({
        lines: fc.array(entries.length > 0 ? fc.oneof(line, known(entries)) : line, {
          maxLength: 10,
        }),
        days,
        currency: fc.constantFrom('USD', 'EUR'),
      })
      .map(({ lines, currency, days: [from, length] }) => ({
        ...toStatement(currency, lines, 0n),
        from,
        to: from + length,
      }))
  const few = { amountOf: fewAmounts, maxLength: 12 }
  const crowded = { ...few, currencies: ['USD'], upTo: firstDay + 1 }
  const input = fc.oneof(histories(few), histories(crowded)).chain((entries) =>
    fc.record({
      statements: fc.array(statementWith(entries), { maxLength: 3 }),
      entries: fc.constant(entries),
      windowDays: fc.nat(4),
      toleranceDays: fc.nat(2),
    }),
  )
  const rules = new Map<string, number>()
  fc.assert(
    fc.property(input, ({ statements, entries, windowDays, toleranceDays }) => {
      // It throws when its totals are not of all lines and entries.
      const days = { windowDays, toleranceDays }
      const first = compareStatements(statements, entries, days)
      assert.equal(compareStatements(statements, entries, days), first)

      const lines = statements.flatMap((each) =>
        each.lines.map((it) => ({ ...it, statement: each })),
      )
      const left = { lines: new Set(lines), entries: new Set(entries) }
      const matches = matchLines(left, { windowDays, isMatchable: () => true })
      const usedLines = matches.map((match) => match.line)
      const usedEntries = matches.flatMap((match) => match.entries)
      assert.is(new Set([...usedLines, ...left.lines]).size, lines.length)
      assert.is(usedLines.length + left.lines.size, lines.length)
      assert.is(new Set([...usedEntries, ...left.entries]).size, entries.length)
      assert.is(usedEntries.length + left.entries.size, entries.length)
      for (const match of matches) {
        assert.is(sumOf(match.entries), match.line.amountMinor)
        assert.ok(match.entries.every(({ currency }) => currency === match.line.currency))
        rules.set(match.rule, (rules.get(match.rule) ?? 0) + 1)
      }
    }),
    { numRuns: 500 },
  )
  assert.is(rules.size, 3, [...rules].join(', '))
})

test.run()
