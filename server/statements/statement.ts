/** What every format of a wallet's statement is made of. */
import type { Balance } from '../../accounting/accounts.ts'
import { type Asset, type WalletKind, walletKinds } from '../../accounting/chart.ts'
import type { Period } from '../../accounting/history.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { formatAmount } from '../../accounting/money.ts'

/** How many entries of one direction, and their sum in minor units. */
export interface Turnover {
  count: number
  minor: bigint
}

/** A statement without its entries; it ties: opening + received - paid = closing. */
export interface Statement extends Period {
  /** Computed from the wallet and the period; while that is not over, also from `asOf`. */
  number: string
  wallet: { id: Uuid; number: string; currency: string }
  /** The owner's name. */
  holder: string | null
  asset: Asset
  /** The end of the period; the ledger's time while that is not over (ns since 1970, not included). */
  asOf: bigint
  isFinal: boolean
  openingMinor: bigint
  closing: Balance
  received: Turnover
  paid: Turnover
  /** Of the entries and both balances (docs/api.md): `sha256:` and 64 hexadecimal digits. */
  checksum: string
}

/** Kinds of transactions; of a hold all that is booked is a capture. */
export type StatementKind = Exclude<WalletKind, 'hold'> | 'capture'

export const toStatementKind = (kind: WalletKind): StatementKind =>
  kind === 'hold' ? 'capture' : kind

export const statementKinds = walletKinds.map(toStatementKind)

/** What was booked. Amounts in minor units. */
export interface StatementEntry {
  id: Uuid
  /** Nanoseconds since 1970. */
  timestamp: bigint
  kind: StatementKind
  /** By how much it changed the balance: less than nothing for what was paid. */
  changeMinor: bigint
  balanceMinor: bigint
  /** As the history shows the other side. */
  counterparty: string | null
  memo: string | null
  reference: string | null
}

/** A statement's entries, oldest first, some at a time. */
export type EntryPages = AsyncIterable<readonly StatementEntry[]>

/** A way to write statements. */
export interface StatementFormat {
  contentType: string
  /** Of a file's name. */
  extension: string
  /** Why a statement cannot be written in this format, as a sentence; undefined when it can. */
  fault?(statement: Statement): string | undefined
  /** The file, made while it is read: its first part is asked for before the second is made. */
  write(statement: Statement, pages: EntryPages): AsyncIterable<string | Uint8Array>
}

/** Minor units as decimal text in the statement's currency. */
export function showMinor({ asset }: Pick<Statement, 'asset'>, minor: bigint): string {
  return formatAmount(minor, asset)
}

/** Texts that can hold at most so many characters, cut between two of them. */
export function clip(text: string, lengthMax: number): string {
  const characters = Array.from(text)
  return characters.length <= lengthMax ? text : characters.slice(0, lengthMax).join('')
}
