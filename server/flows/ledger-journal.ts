import { type Asset, assetOf, transferKindOf } from '../../accounting/chart.ts'
import { readLedgerTime } from '../../accounting/clock.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { readPostedAt } from '../../accounting/posted-at.ts'
import { scanTransfers } from '../../accounting/scan.ts'
import { isBooked, phaseOf, type StoredOperation, toStored } from '../../accounting/transfers.ts'
import type { Deps } from '../deps.ts'
import type { Settings } from '../settings.ts'
import {
  accountLine,
  commodityLine,
  decimalMarkLine,
  journalAmount,
  postingLine,
  showDay,
} from '../statements/hledger-text.ts'
import { type AccountNames, createAccountNames } from './account-names.ts'
import { showLedgerTime } from './ledger-time.ts'

export interface JournalDeps extends Pick<Deps, 'db' | 'ledger'> {
  /** Reading them puts own assets into the chart. */
  settings: { read(): Promise<Pick<Settings, 'currencies'>> }
}

/** What an account of the journal has at its end, by the ledger's own balance. */
export interface JournalBalance {
  account: string
  asset: Asset
  /** Debits posted less credits posted, in minor units. */
  debitMinor: bigint
}

export interface LedgerJournal {
  /** The ledger's time up to which it goes, nanoseconds since 1970. */
  asOf: bigint
  /** The text, made while it is read; how many transfers it has is told after each part. */
  write(): AsyncIterable<{ text: string; transfers: number }>
  /** Every account's balance as TigerBeetle has it, read anew; in pages. */
  readBalances(): AsyncIterable<readonly JournalBalance[]>
}

/**
 * All money of the currencies that Kassa has as an hledger journal, as of now, one currency after the
 * other: a transaction for each transfer that moved money, and in the end each account with an assertion of its balance as TigerBeetle has it. What is
 * pending moves nothing and is left out, and so are control ledgers, which hold no money.
 * Rejects with LedgerTooBusy, LedgerUnavailable or LedgerOutcomeUnknown.
 */
export async function openLedgerJournal(deps: JournalDeps): Promise<LedgerJournal> {
  const asOf = await readLedgerTime(deps.ledger)
  // Afterwards: what a transfer up to then is about is there by now.
  const { currencies } = await deps.settings.read()
  const assets = [...currencies.keys()].map(assetOf)
  const names = await createAccountNames(deps)
  const readBalances = () => readJournalBalances(deps, names, assets, asOf)

  async function* write(): AsyncGenerator<{ text: string; transfers: number }, void> {
    yield { text: writeHead(assets, asOf), transfers: 0 }
    for (const asset of assets) {
      const range = { after: 0n, upTo: asOf, ledger: asset.ledger }
      for await (const page of scanTransfers(deps.ledger, range)) {
        const booked = page.filter(({ flags }) => isBooked(phaseOf(flags))).map(toStored)
        const accountIds = booked.flatMap((it) => [it.debitAccountId, it.creditAccountId])
        const nameOf = await names.of(accountIds)
        const text = booked.map((transfer) => writeTransfer(transfer, asset, nameOf)).join('')
        yield { text, transfers: booked.length }
      }
    }
    for await (const page of readBalances()) yield { text: writeBalances(page, asOf), transfers: 0 }
  }

  return { asOf, write, readBalances }
}

async function* readJournalBalances(
  { ledger }: JournalDeps,
  names: AccountNames,
  assets: readonly Asset[],
  asOf: bigint,
): AsyncGenerator<JournalBalance[], void> {
  for (const asset of assets) {
    for await (const accounts of readPostedAt(ledger, asset, asOf)) {
      const nameOf = await names.of(accounts.map(({ id }) => id))
      yield accounts.map(({ id, debitMinor }) => ({ account: nameOf(id), asset, debitMinor }))
    }
  }
}

function writeHead(assets: readonly Asset[], asOf: bigint): string {
  const intro = `; The ledger as of ${showLedgerTime(asOf)}\n\n`
  return intro + decimalMarkLine + assets.map(commodityLine).join('')
}

function writeTransfer(
  transfer: StoredOperation,
  asset: Asset,
  nameOf: (id: Uuid) => string,
): string {
  const { transferId, operationId, debitAccountId, creditAccountId, amountMinor, code } = transfer
  const { day, time } = showDay(transfer.timestamp)
  return [
    `\n${day} (${transferId}) ${transferKindOf(code)}  ; time: ${time}, operation: ${operationId}\n`,
    postingLine(nameOf(debitAccountId), journalAmount(amountMinor, asset)),
    postingLine(nameOf(creditAccountId), journalAmount(-amountMinor, asset)),
  ].join('')
}

/** Declares accounts, and asserts what they have. */
function writeBalances(balances: readonly JournalBalance[], asOf: bigint): string {
  const accounts = [...new Set(balances.map(({ account }) => account))]
  const postings = balances.map(({ account, asset, debitMinor }) =>
    postingLine(account, journalAmount(0n, asset), ` = ${journalAmount(debitMinor, asset)}`),
  )
  return [
    '\n',
    ...accounts.map(accountLine),
    `\n${showDay(asOf).day} balances\n`,
    ...postings,
  ].join('')
}
