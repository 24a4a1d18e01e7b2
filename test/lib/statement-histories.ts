/** Random histories of a clearing account, and statements of them without a flaw. */
import fc from 'fast-check'
import { TransferCode } from '../../accounting/chart.ts'
import type { ClearingEntry } from '../../server/reconciliation/clearing-entries.ts'
import type { Statement, StatementLine } from '../../server/reconciliation/statement.ts'
import { sumOf } from '../../server/reconciliation/statement-check.ts'

/** The days that histories are of. */
export const firstDay = 20_000
export const lastDay = 20_013

const directions = {
  deposit: 1n,
  suspense: 1n,
  prefunding: 1n,
  withdrawal: -1n,
  chargeback: -1n,
  settlement: -1n,
  payment_system_fee: -1n,
  payment_system_income: 1n,
} as const
const kinds = Object.keys(directions) as (keyof typeof directions)[]

interface HistoryOptions {
  /** What the amounts are, by the place of the entry; without a sign. */
  amountOf: (place: number) => fc.Arbitrary<bigint>
  currencies?: readonly string[]
  maxLength?: number
  /** The last day on which something happens. */
  upTo?: number
}

/** Entries, oldest first. Each has a reference of its own, and charge-backs have that of a deposit as well. */
export function histories(options: HistoryOptions): fc.Arbitrary<ClearingEntry[]> {
  const { amountOf, currencies = ['USD', 'EUR'], maxLength = 20, upTo = lastDay } = options
  const entry = fc.record({
    kind: fc.constantFrom(...kinds),
    currency: fc.constantFrom(...currencies),
    day: fc.integer({ min: firstDay, max: upTo }),
    belongsTo: fc.option(fc.nat(maxLength)),
  })
  return fc
    .array(entry, { maxLength })
    .chain((drawn) => fc.tuple(fc.constant(drawn), fc.tuple(...drawn.map((_, i) => amountOf(i)))))
    .map(([drawn, amounts]) =>
      drawn
        .toSorted((one, other) => one.day - other.day)
        .map(({ kind, currency, day, belongsTo }, place, sorted) => ({
          transferId: `transfer-${place}`,
          recordIds: [],
          code: TransferCode[kind],
          currency,
          amountMinor: directions[kind] * amounts[place]!,
          day,
          days: [day],
          at: new Date(day * 86_400_000),
          references:
            kind === 'chargeback' && belongsTo !== null && sorted[belongsTo]?.kind === 'deposit'
              ? [`ref-${place}`, `ref-${belongsTo}`]
              : [`ref-${place}`],
        })),
    )
}

/** A line that says what these entries are together. */
export function toLine(
  [first, ...others]: readonly ClearingEntry[],
  { place, hasId, hasReference }: { place: number; hasId: boolean; hasReference: boolean },
): StatementLine {
  if (!first) throw new Error('a line is of an entry at least')
  return {
    bankId: hasId ? `bank-${place}` : undefined,
    references: hasReference ? first.references.slice(0, 1) : [],
    currency: first.currency,
    amountMinor: sumOf([first, ...others]),
    bookingDay: first.day,
    valueDay: undefined,
    text: '',
    fileLine: place + 1,
  }
}

/** Statements of all days, one for each currency that there is, with these lines. */
export function toStatements(lines: readonly StatementLine[], openingMinor: bigint): Statement[] {
  const currencies = [...new Set(lines.map(({ currency }) => currency))]
  return currencies.map((currency) => {
    const own = lines.filter((line) => line.currency === currency)
    return {
      id: `statement-${currency}`,
      account: 'account',
      currency,
      from: firstDay,
      to: lastDay,
      openingMinor,
      closingMinor: openingMinor + sumOf(own),
      lines: own,
      skippedCount: 0,
      fileName: 'file',
      fileLine: 1,
    }
  })
}
