/**
 * Statements of wallets. What a statement tells is read twice: first all of it from the ledger alone, to
 * prove that it ties before anything of it is sent, and then again, page by page, with names and memos.
 * Nothing in between can change it: the period ends at a moment that the ledger has left behind.
 */
import { Readable } from 'node:stream'
import { readBalanceAt } from '../../accounting/balance-at.ts'
import { assetOf } from '../../accounting/chart.ts'
import { readLedgerTime } from '../../accounting/clock.ts'
import type { Period } from '../../accounting/history.ts'
import { findWalletOwners, type Wallet } from '../../db/wallets.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { type CheckedEntry, createChecksum, statementNumber } from '../statements/checksum.ts'
import { type StatementFormatName, statementFormats } from '../statements/formats.ts'
import { type Statement, type StatementEntry, toStatementKind } from '../statements/statement.ts'
import { nameCounterparty } from './describe-transaction.ts'
import {
  describeMoves,
  type Move,
  postedChangeMinor,
  transactionIdOf,
  walkBookings,
} from './wallet-history.ts'

type StatementDeps = Pick<Deps, 'db' | 'ledger'>

/** What a person asks for: a moment that is not over yet is refused. */
function refuseFuture(pointer: string): Refusal {
  const errors = [{ in: 'query' as const, pointer, message: 'must not be in the future' }]
  return new Refusal('invalid_request', { errors })
}

/**
 * A wallet's balance right before a moment (ledger time, ns), or as of now.
 * Refusals: invalid_request for a moment in the future, ledger_unavailable.
 */
export async function readWalletBalanceAt(
  { ledger }: Pick<Deps, 'ledger'>,
  wallet: Pick<Wallet, 'id'>,
  at: bigint | undefined,
) {
  const now = await readLedgerTime(ledger)
  if (at !== undefined && at > now) throw refuseFuture('at')
  const moment = at ?? now
  return { at: moment, balance: await readBalanceAt(ledger, wallet.id, moment) }
}

/** A statement as a file that is made while it is read. */
export interface StatementFile {
  statement: Statement
  contentType: string
  /** `statement-NUMBER.EXTENSION` */
  name: string
  content: Readable
}

/**
 * Writes a wallet's statement of a period, which may go on into the future: then it is preliminary and
 * goes up to now. Resolves when it is proven that it ties.
 * Refusals: invalid_request for a period that has not begun, format_not_possible, ledger_unavailable.
 */
export async function writeStatement(
  deps: StatementDeps,
  wallet: Wallet,
  period: Period,
  formatName: StatementFormatName,
): Promise<StatementFile> {
  const statement = await prepareStatement(deps, wallet, period)
  const format = statementFormats[formatName]
  const fault = 'fault' in format ? format.fault(statement) : undefined
  if (fault !== undefined) throw new Refusal('format_not_possible', fault)
  return {
    statement,
    contentType: format.contentType,
    name: `statement-${statement.number}.${format.extension}`,
    content: Readable.from(format.write(statement, readEntries(deps, statement))),
  }
}

/** Reads what a statement says but for its entries, and proves that it ties. */
async function prepareStatement(
  { db, ledger }: StatementDeps,
  wallet: Wallet,
  { from, to }: Period,
): Promise<Statement> {
  const now = await readLedgerTime(ledger)
  if (from >= now) throw refuseFuture('from')
  const isFinal = to <= now
  const asOf = isFinal ? to : now
  const [opening, closing, owners] = await Promise.all([
    readBalanceAt(ledger, wallet.id, from),
    readBalanceAt(ledger, wallet.id, asOf),
    findWalletOwners(db, [wallet.id]),
  ])
  const { id, number, currency } = wallet
  const owner = owners.get(id)
  const head = {
    from,
    to,
    asOf,
    isFinal,
    wallet: { id, number, currency },
    holder: owner?.name ?? owner?.username ?? null,
    asset: assetOf(currency),
    openingMinor: opening.postedMinor,
    closing,
  }
  const named = { ...head, number: statementNumber(head) }
  return { ...named, ...(await addUp(ledger, named)) }
}

/** Adds up a statement's entries; throws when they do not lead from its opening to its closing balance. */
async function addUp(
  ledger: Deps['ledger'],
  statement: Omit<Statement, 'received' | 'paid' | 'checksum'>,
): Promise<Pick<Statement, 'received' | 'paid' | 'checksum'>> {
  const { wallet, from, asOf, openingMinor, closing } = statement
  const received = { count: 0, minor: 0n }
  const paid = { count: 0, minor: 0n }
  const checksum = createChecksum(statement)
  let balanceMinor = openingMinor
  for await (const moves of walkBookings({ ledger }, wallet.id, { from, to: asOf })) {
    const entries = moves.map(toCheckedEntry)
    for (const entry of entries) {
      const turnover = entry.changeMinor < 0n ? paid : received
      turnover.count += 1
      turnover.minor += entry.changeMinor < 0n ? -entry.changeMinor : entry.changeMinor
      balanceMinor += entry.changeMinor
      if (balanceMinor !== entry.balanceMinor) throw doesNotTie(statement.number, entry.id)
    }
    checksum.add(entries)
  }
  if (balanceMinor !== closing.postedMinor)
    throw doesNotTie(statement.number, 'the closing balance')
  return { received, paid, checksum: checksum.close(balanceMinor) }
}

function doesNotTie(number: string, where: string): Error {
  return new Error(`statement ${number} does not tie at ${where}`)
}

function toCheckedEntry(move: Move): CheckedEntry {
  return {
    id: transactionIdOf(move),
    timestamp: move.timestamp,
    kind: toStatementKind(move.kind),
    changeMinor: postedChangeMinor(move),
    balanceMinor: move.balanceAfterMinor,
  }
}

/** A statement's entries with what is known of them besides. */
async function* readEntries(
  deps: StatementDeps,
  { wallet, from, asOf }: Statement,
): AsyncGenerator<StatementEntry[], void> {
  for await (const moves of walkBookings(deps, wallet.id, { from, to: asOf })) {
    const transactions = await describeMoves(deps, wallet, moves)
    yield transactions.map((transaction) => ({
      ...toCheckedEntry(transaction),
      counterparty: transaction.counterparty && nameCounterparty(transaction.counterparty),
      memo: transaction.memo,
      reference: transaction.reference,
    }))
  }
}
