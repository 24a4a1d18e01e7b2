/** What can be wrong between a bank statement and the clearing account, and how it is told. Pure. */
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { formatAmount } from '../../accounting/money.ts'
import type { Break, BreakKind } from './break.ts'
import type { ClearingEntry } from './clearing-entries.ts'
import { type Statement, showDay, startOfDay } from './statement.ts'
import type { Gap, Overlap, PlacedLine } from './statement-check.ts'

export const statementBreakKinds = {
  bank_only: {
    cause: 'The bank has booked something that Kassa was not told of, or only after the run.',
    remedy: 'Have the payment system tell of it: a deposit, a charge-back; or book the adjustment.',
  },
  ledger_only: {
    cause: 'Kassa was told of something that the bank has not booked, or not yet.',
    remedy: 'Ask the payment system for the payment; look for it on the next statement.',
  },
  amount_differs: {
    cause: 'A charge was taken on the way, or an amount was told wrong.',
    remedy:
      'Book the charge as a payment-system fee with the reference of the payment, or have the payment corrected.',
  },
  date_differs: {
    cause: 'The bank has booked it on another day than Kassa has, by more than is allowed for.',
    remedy: 'Allow for as many days as this bank takes, or ask why it was told so early or late.',
  },
  wrong_currency: {
    cause: 'The bank has booked it in another currency than Kassa has, or than the account has.',
    remedy: 'Find out which it was. Have the payment told again in the currency that it was in.',
  },
  duplicate_line: {
    cause: 'The file has the same line twice.',
    remedy: 'Compare with the closing balance: it tells whether the bank has booked it twice.',
  },
  statement_overlap: {
    cause: 'Two statements tell of the same days, or one was given twice.',
    remedy: 'Leave one out. Lines that both have were counted once.',
  },
  statement_gap: {
    cause: 'A statement does not begin with the balance that the one before it ends with.',
    remedy: 'Get what is between them from the bank, or both again, and compare all of it.',
  },
  statement_does_not_add_up: {
    cause: 'The opening balance and the lines are not the closing balance: the file lacks a line.',
    remedy: 'Get the statement again, whole; nothing that this one says is proven.',
  },
} as const satisfies Record<string, BreakKind>

export type StatementBreakKind = keyof typeof statementBreakKinds
export type StatementBreak = Break<StatementBreakKind>

/** More ids are no help to who reads them. */
const idsMax = 100

const kindNames = new Map<number, string>(
  Object.entries(TransferCode).map(([name, code]) => [code, name.replaceAll('_', ' ')]),
)

const show = ({ amountMinor, currency }: Pick<PlacedLine, 'amountMinor' | 'currency'>): string =>
  `${formatAmount(amountMinor, assetOf(currency))} ${currency}`

const placeOf = (place: { fileName: string }, fileLine: number): string =>
  `${place.fileName}:${fileLine}`

/** Where a line is, for a person with the file before them. */
const tell = (line: PlacedLine): string =>
  `${placeOf(line.statement, line.fileLine)}, ${show(line)} of ${showDay(line.bookingDay)}${
    line.references.length > 0 ? ` (${line.references[0]})` : ''
  }`

const tellEntry = (entry: ClearingEntry): string =>
  `${kindNames.get(entry.code) ?? `transfer of code ${entry.code}`} of ${show(entry)}`

/** As the statement names the line. */
const nameOf = (line: PlacedLine): string => line.bankId ?? `line ${line.fileLine}`

/** Which line of the account it is, in whatever file. */
const subjectOf = (line: PlacedLine): string => {
  const { bankId, bookingDay, amountMinor, currency, references, statement } = line
  const name = bankId ?? [showDay(bookingDay), amountMinor, currency, ...references.slice(0, 1)]
  return [statement.account, name].flat().join('/')
}

const ofLine = (line: PlacedLine) => ({
  subject: subjectOf(line),
  ledgerIds: [],
  recordIds: [],
  statementLines: [nameOf(line)],
  currency: line.currency,
  found: line.amountMinor,
  since: startOfDay(line.bookingDay),
})

const ofEntry = (entry: ClearingEntry) => ({
  subject: entry.transferId,
  ledgerIds: [entry.transferId],
  recordIds: entry.recordIds,
  statementLines: [],
  currency: entry.currency,
  expected: entry.amountMinor,
  since: entry.at,
})

export function bankOnly(line: PlacedLine): StatementBreak {
  const detail = `${tell(line)}: the ledger has nothing of it.`
  return { kind: 'bank_only', ...ofLine(line), detail }
}

export function duplicateLine(line: PlacedLine): StatementBreak {
  const detail = `${tell(line)}: the statement has this line already.`
  return { kind: 'duplicate_line', ...ofLine(line), detail }
}

export function ledgerOnly(entry: ClearingEntry): StatementBreak {
  const detail = `The ${tellEntry(entry)} of ${showDay(entry.day)} is not on the statement.`
  return { kind: 'ledger_only', ...ofEntry(entry), detail }
}

export function amountDiffers(line: PlacedLine, entry: ClearingEntry): StatementBreak {
  const detail = `${tell(line)}: the ledger has a ${tellEntry(entry)}.`
  const statementLines = [nameOf(line)]
  return {
    kind: 'amount_differs',
    ...ofEntry(entry),
    statementLines,
    found: line.amountMinor,
    detail,
  }
}

/** Of a line in a currency that its account does not have, there may be nothing in the ledger. */
export function wrongCurrency(line: PlacedLine, entry?: ClearingEntry): StatementBreak {
  if (!entry) {
    const detail = `${tell(line)}: the account is in ${line.statement.currency}.`
    return { kind: 'wrong_currency', ...ofLine(line), detail }
  }
  const detail = `${tell(line)}: the ledger has a ${tellEntry(entry)}.`
  return { kind: 'wrong_currency', ...ofEntry(entry), statementLines: [nameOf(line)], detail }
}

export function dateDiffers(
  line: PlacedLine,
  entries: readonly [ClearingEntry, ...ClearingEntry[]],
  days: number,
): StatementBreak {
  const [first, ...others] = entries
  const what = others.length > 0 ? `${entries.length} transfers` : `the ${tellEntry(first)}`
  const apart = days === 1 ? '1 day' : `${days} days`
  const detail = `${tell(line)}: the ledger has ${what} of ${showDay(first.day)}, ${apart} apart.`
  const some = entries.slice(0, idsMax)
  return {
    kind: 'date_differs',
    subject: others.length > 0 ? subjectOf(line) : first.transferId,
    ledgerIds: some.map(({ transferId }) => transferId),
    recordIds: some.flatMap(({ recordIds }) => recordIds),
    statementLines: [nameOf(line)],
    currency: line.currency,
    expected: line.amountMinor,
    found: line.amountMinor,
    since: first.at,
    detail,
  }
}

export function statementOverlap({ earlier, later, from, to, repeated }: Overlap): StatementBreak {
  const days = `${showDay(from)} to ${showDay(to)}`
  const [one, other] = [earlier, later].map(placeOfStatement)
  return {
    kind: 'statement_overlap',
    subject: [later.account, earlier.id, later.id].join('/'),
    ledgerIds: [],
    recordIds: [],
    statementLines: repeated.slice(0, idsMax).map(nameOf),
    currency: later.currency,
    since: startOfDay(from),
    detail: `${one} and ${other} both tell of ${days}; they have ${repeated.length} lines in common.`,
  }
}

export function statementGap({ earlier, later }: Gap): StatementBreak {
  const { currency, account } = later
  const [closing, opening] = [earlier.closingMinor, later.openingMinor].map((amountMinor) =>
    show({ amountMinor, currency }),
  )
  const [one, other] = [earlier, later].map(placeOfStatement)
  return {
    kind: 'statement_gap',
    subject: [account, earlier.id, later.id].join('/'),
    ledgerIds: [],
    recordIds: [],
    statementLines: [],
    currency,
    expected: earlier.closingMinor,
    found: later.openingMinor,
    since: startOfDay(earlier.to),
    detail: `${one} ends with ${closing}, ${other} begins with ${opening}.`,
  }
}

export function doesNotAddUp(
  statement: Statement,
  { expectedMinor, closingMinor }: { expectedMinor: bigint; closingMinor: bigint },
): StatementBreak {
  const { currency, account, id, to } = statement
  const [sum, closing] = [expectedMinor, closingMinor].map((amountMinor) =>
    show({ amountMinor, currency }),
  )
  return {
    kind: 'statement_does_not_add_up',
    subject: [account, id].join('/'),
    ledgerIds: [],
    recordIds: [],
    statementLines: [],
    currency,
    expected: expectedMinor,
    found: closingMinor,
    since: startOfDay(to),
    detail: `${placeOfStatement(statement)}: opening balance and lines are ${sum}, the closing balance is ${closing}.`,
  }
}

const placeOfStatement = (statement: Statement): string =>
  `Statement ${statement.id} (${placeOf(statement, statement.fileLine)})`
