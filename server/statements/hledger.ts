import {
  accountLine,
  commodityLine,
  decimalMarkLine,
  journalAmount,
  journalText,
  postingLine,
  showDay,
} from './hledger-text.ts'
import type { EntryPages, Statement, StatementEntry, StatementFormat } from './statement.ts'

/**
 * The statement as a journal of the wallet's owner: the wallet is an asset, what was received comes from
 * `income:KIND`, what was paid goes to `expenses:KIND`. Each posting of the wallet asserts its balance,
 * and in the end all accounts are declared, as a strict check wants it.
 */
async function* write(statement: Statement, pages: EntryPages): AsyncGenerator<string, void> {
  const { number, asset, from, asOf, openingMinor, closing, checksum } = statement
  yield `; Statement ${number}\n; ${checksum}\n\n${decimalMarkLine}${commodityLine(asset)}\n`
  yield [
    `${showDay(from).day} opening balance\n`,
    walletPosting(statement, openingMinor, openingMinor),
    postingLine(openingAccount, journalAmount(-openingMinor, asset)),
  ].join('')
  const accounts = new Set([nameOf(statement), openingAccount])
  for await (const page of pages) {
    yield page.map((entry) => `\n${showEntry(statement, entry)}`).join('')
    for (const entry of page) accounts.add(counterpartOf(entry))
  }
  // The period's end is not in it: the last moment before is.
  yield `\n${showDay(asOf - 1n).day} closing balance\n`
  yield walletPosting(statement, 0n, closing.postedMinor)
  yield `\n${[...accounts].map(accountLine).join('')}`
}

const openingAccount = 'equity:opening'
const nameOf = ({ wallet }: Statement): string => `assets:kassa:${wallet.number}`
const counterpartOf = ({ kind, changeMinor }: StatementEntry): string =>
  changeMinor < 0n ? `expenses:${kind}` : `income:${kind}`

function walletPosting(statement: Statement, minor: bigint, balanceMinor: bigint): string {
  const { asset } = statement
  const assertion = ` = ${journalAmount(balanceMinor, asset)}`
  return postingLine(nameOf(statement), journalAmount(minor, asset), assertion)
}

function showEntry(statement: Statement, entry: StatementEntry): string {
  const { id, timestamp, kind, changeMinor, balanceMinor } = entry
  const { day, time } = showDay(timestamp)
  const notes = [entry.memo, entry.reference].filter((text) => text !== null).map(journalText)
  const words = [journalText(entry.counterparty ?? kind), ...notes.filter((text) => text !== '')]
  return [
    `${day} (${id}) ${words.join(' | ')}  ; time: ${time}\n`,
    walletPosting(statement, changeMinor, balanceMinor),
    postingLine(counterpartOf(entry), journalAmount(-changeMinor, statement.asset)),
  ].join('')
}

export const hledger = {
  contentType: 'text/plain; charset=utf-8',
  extension: 'journal',
  write,
} as const satisfies StatementFormat
