import { AccountCode, assetOf } from '../../accounting/chart.ts'
import type { Ledger } from '../../accounting/client.ts'
import type { RowLockBooks } from './servers/bare-koa-pg.ts'

/** Proves the books after a load; throws when they do not fit what was answered. */
export interface Books {
  /** `moved`: transfers of one minor unit that were answered with success since the last call. */
  verify(moved: number): Promise<void>
}

/** Accounts of one page: as many as a TigerBeetle with `--development` gives at once. */
const pageSize = 250

interface Totals {
  debitsMinor: bigint
  creditsMinor: bigint
  /** What went out of wallets. */
  paidMinor: bigint
}

/**
 * The ledger's books of a currency: debits equal credits, and wallets have paid what was answered, each
 * time so many minor units.
 */
export async function openLedgerBooks(
  ledger: Ledger,
  currency: string,
  paidPerPaymentMinor = 1n,
): Promise<Books> {
  let last = await readTotals(ledger, currency)
  return {
    async verify(moved) {
      const totals = await readTotals(ledger, currency)
      if (totals.debitsMinor !== totals.creditsMinor) {
        throw new Error(`debits ${totals.debitsMinor}, credits ${totals.creditsMinor}`)
      }
      expectCount(totals.paidMinor - last.paidMinor, BigInt(moved) * paidPerPaymentMinor)
      last = totals
    },
  }
}

/** The books of the row-locking app: the same by its tables. */
export async function openRowLockBooks(read: () => Promise<RowLockBooks>): Promise<Books> {
  let last = await read()
  return {
    async verify(moved) {
      const books = await read()
      if (books.surplus !== 0 || books.wrong !== 0) {
        throw new Error(`surplus ${books.surplus}, ${books.wrong} wrong balances`)
      }
      expectCount(books.transfers - last.transfers, moved)
      last = books
    },
  }
}

function expectCount(booked: number | bigint, answered: number | bigint): void {
  if (BigInt(booked) === BigInt(answered)) return
  throw new Error(`${booked} minor units are in the books, ${answered} were answered with success`)
}

async function readTotals(ledger: Ledger, currency: string): Promise<Totals> {
  const totals: Totals = { debitsMinor: 0n, creditsMinor: 0n, paidMinor: 0n }
  for (let timestamp_min = 0n; ; ) {
    const accounts = await ledger.queryAccounts({
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      ledger: assetOf(currency).ledger,
      code: 0,
      timestamp_min,
      timestamp_max: 0n,
      limit: pageSize,
      flags: 0,
    })
    for (const account of accounts) {
      totals.debitsMinor += account.debits_posted
      totals.creditsMinor += account.credits_posted
      if (account.code === AccountCode.wallet) totals.paidMinor += account.debits_posted
    }
    const lastAccount = accounts.at(-1)
    if (!lastAccount || accounts.length < pageSize) return totals
    timestamp_min = lastAccount.timestamp + 1n
  }
}
