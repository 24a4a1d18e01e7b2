import { toCsvLine, toCsvText } from '../csv.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import {
  type EntryPages,
  type Statement,
  type StatementEntry,
  type StatementFormat,
  showMinor,
} from './statement.ts'

const header = [
  'date',
  'id',
  'kind',
  'counterparty',
  'memo',
  'reference',
  'amount',
  'balance',
  'currency',
]

/**
 * The statement as a table: a header, a line with the opening balance, one for each entry, and one with
 * the closing balance. The first has the statement's number as its id, the last the checksum.
 */
async function* write(statement: Statement, pages: EntryPages): AsyncGenerator<string, void> {
  const { number, from, asOf, openingMinor, closing, checksum } = statement
  yield toCsvLine(header)
  yield balanceLine(statement, from, number, 'opening_balance', openingMinor)
  for await (const page of pages) yield page.map((entry) => entryLine(statement, entry)).join('')
  yield balanceLine(statement, asOf, checksum, 'closing_balance', closing.postedMinor)
}

function balanceLine(
  statement: Statement,
  at: bigint,
  id: string,
  kind: string,
  balanceMinor: bigint,
): string {
  const balance = showMinor(statement, balanceMinor)
  return toCsvLine([
    showLedgerTime(at),
    id,
    kind,
    '',
    '',
    '',
    '',
    balance,
    statement.wallet.currency,
  ])
}

function entryLine(statement: Statement, entry: StatementEntry): string {
  const { counterparty, memo, reference } = entry
  return toCsvLine([
    showLedgerTime(entry.timestamp),
    entry.id,
    entry.kind,
    ...[counterparty, memo, reference].map((text) => toCsvText(text ?? '')),
    showMinor(statement, entry.changeMinor),
    showMinor(statement, entry.balanceMinor),
    statement.wallet.currency,
  ])
}

export const csv = {
  contentType: 'text/csv; charset=utf-8',
  extension: 'csv',
  write,
} as const satisfies StatementFormat
