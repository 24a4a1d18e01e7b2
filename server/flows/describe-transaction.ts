import { showAmount } from './amount.ts'
import { showLedgerTime } from './ledger-time.ts'
import type { Counterparty, Transaction } from './wallet-history.ts'

/** Who is on the other side, as people say it. */
export function nameCounterparty(counterparty: Counterparty | null): string {
  if (!counterparty) return 'unknown'
  const { username, name, number } = counterparty
  return username ?? name ?? `wallet ${number}`
}

/** A transaction of a wallet as one sentence. */
export function describeTransaction(entry: Transaction): string {
  const amount = `${showAmount(entry.amountMinor, entry.currency)} ${entry.currency}`
  const other = nameCounterparty(entry.counterparty)
  const what = entry.direction === 'in' ? `received ${amount} from` : `paid ${amount} to`
  const memo = entry.memo === null ? '' : `: ${entry.memo}`
  return `${showLedgerTime(entry.timestamp)} ${what} ${other}${memo}`
}
