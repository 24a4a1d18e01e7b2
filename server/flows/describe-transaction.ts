import type { WalletKind } from '../../accounting/chart.ts'
import type { Phase } from '../../accounting/transfers.ts'
import { showAmount } from './amount.ts'
import { showLedgerTime } from './ledger-time.ts'
import type { Counterparty, Transaction } from './wallet-history.ts'

/** Who is on the other side, as people say it. */
export function nameCounterparty(counterparty: Counterparty | null): string {
  if (!counterparty) return 'unknown'
  const { username, name, number } = counterparty
  return username ?? name ?? `wallet ${number}`
}

const moved = { in: 'received {} from', out: 'paid {} to' }

/** What a transfer of each phase means to the wallet that it goes into or out of. */
const verbs = {
  single: moved,
  pending: { in: 'may take {} held by', out: 'held {} for' },
  post: moved,
  void: { in: 'gave back {} held by', out: 'got back {} held for' },
} as const satisfies Record<Phase, Record<Transaction['direction'], string>>

type Verbs = Readonly<Record<Transaction['direction'], string>>

/** Kinds that have words of their own, by phase where that matters. */
const verbsOfKind: Partial<Record<WalletKind, Partial<Record<Phase, Verbs>>>> = {
  refund: { single: { in: 'got back {} from', out: 'refunded {} to' } },
  fee: {
    single: { in: 'got {} from', out: 'paid a fee of {} to' },
    post: { in: 'got {} from', out: 'paid a fee of {} to' },
  },
  fee_refund: { single: { in: 'got back {} of a fee from', out: 'gave back {} to' } },
  chargeback_payment: { single: { in: 'got {} from', out: 'paid back {} to' } },
}

/** A transaction of a wallet as one sentence. */
export function describeTransaction(entry: Transaction): string {
  const amount = `${showAmount(entry.amountMinor, entry.currency)} ${entry.currency}`
  const other = nameCounterparty(entry.counterparty)
  const verb = (verbsOfKind[entry.kind]?.[entry.phase] ?? verbs[entry.phase])[entry.direction]
  const what = verb.replace('{}', amount)
  const memo = entry.memo === null ? '' : `: ${entry.memo}`
  return `${showLedgerTime(entry.timestamp)} ${what} ${other}${memo}`
}
