import { showLedgerTime } from '../flows/ledger-time.ts'
import {
  type EntryPages,
  type Statement,
  type StatementEntry,
  type StatementFormat,
  showMinor,
} from './statement.ts'

/** The statement as a JSON object whose last member is the list of its entries. */
async function* write(statement: Statement, pages: EntryPages): AsyncGenerator<string, void> {
  const head = JSON.stringify(showHead(statement))
  yield `${head.slice(0, -1)},"entries":[`
  let separator = ''
  for await (const page of pages) {
    if (page.length === 0) continue
    yield separator + page.map((entry) => JSON.stringify(showEntry(statement, entry))).join(',')
    separator = ','
  }
  yield ']}\n'
}

function showHead(statement: Statement) {
  const { number, wallet, holder, from, to, asOf, isFinal, closing } = statement
  const show = (minor: bigint) => showMinor(statement, minor)
  const turnover = ({ count, minor }: Statement['paid']) => ({ count, amount: show(minor) })
  return {
    number,
    wallet_id: wallet.id,
    wallet_number: wallet.number,
    holder,
    currency: wallet.currency,
    from: showLedgerTime(from),
    to: showLedgerTime(to),
    as_of: showLedgerTime(asOf),
    final: isFinal,
    opening_balance: show(statement.openingMinor),
    received: turnover(statement.received),
    paid: turnover(statement.paid),
    closing_balance: show(closing.postedMinor),
    held: show(closing.heldMinor),
    available: show(closing.availableMinor),
    checksum: statement.checksum,
  }
}

function showEntry(statement: Statement, entry: StatementEntry) {
  return {
    date: showLedgerTime(entry.timestamp),
    id: entry.id,
    kind: entry.kind,
    counterparty: entry.counterparty,
    memo: entry.memo,
    reference: entry.reference,
    amount: showMinor(statement, entry.changeMinor),
    balance: showMinor(statement, entry.balanceMinor),
  }
}

export const json = {
  contentType: 'application/json',
  extension: 'json',
  write,
} as const satisfies StatementFormat
