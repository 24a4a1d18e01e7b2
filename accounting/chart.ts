/**
 * The chart of accounts: which assets there are, which kinds of account, and why money moves.
 *
 * Every table here is append-only. A number that has been used in a ledger keeps its meaning for
 * ever, because TigerBeetle keeps accounts and transfers for ever. docs/accounting.md explains each
 * row with a worked example.
 */
import { AccountFlags } from 'tigerbeetle-node'

/** Something that can be held: one TigerBeetle ledger each. */
export interface Asset {
  /** ISO 4217 alphabetic code. */
  readonly currency: string
  /** TigerBeetle ledger: the ISO 4217 numeric code. */
  readonly ledger: number
  /** Number of decimals: one major unit is 10^scale minor units. */
  readonly scale: number
}

/** ISO 4217 currencies that wallets can be opened in, with the standard's codes and exponents. */
const assets: readonly Asset[] = [
  { currency: 'USD', ledger: 840, scale: 2 },
  { currency: 'EUR', ledger: 978, scale: 2 },
  { currency: 'GBP', ledger: 826, scale: 2 },
  { currency: 'CHF', ledger: 756, scale: 2 },
  { currency: 'RUB', ledger: 643, scale: 2 },
  { currency: 'KZT', ledger: 398, scale: 2 },
  { currency: 'INR', ledger: 356, scale: 2 },
  { currency: 'CNY', ledger: 156, scale: 2 },
  { currency: 'JPY', ledger: 392, scale: 0 },
  { currency: 'KWD', ledger: 414, scale: 3 },
]

const assetByCurrency = new Map(assets.map((asset) => [asset.currency, asset]))
const assetByLedger = new Map(assets.map((asset) => [asset.ledger, asset]))

/** Currencies of the chart, in the chart's order. */
export const currencies: readonly string[] = assets.map((asset) => asset.currency)

/** The asset of an ISO 4217 alphabetic code (upper case), or undefined when the chart has none. */
export function findAsset(currency: string): Asset | undefined {
  return assetByCurrency.get(currency)
}

/** The asset of a currency that the program itself stored; throws when the chart has lost it. */
export function assetOf(currency: string): Asset {
  const asset = assetByCurrency.get(currency)
  if (!asset) throw new Error(`currency ${currency} is not in the chart of accounts`)
  return asset
}

/** The asset that a TigerBeetle ledger holds; throws for a ledger the chart does not know. */
export function assetOfLedger(ledger: number): Asset {
  const asset = assetByLedger.get(ledger)
  if (!asset) throw new Error(`ledger ${ledger} is not in the chart of accounts`)
  return asset
}

/** TigerBeetle `code` of an account: what kind of account it is. */
export const AccountCode = {
  /** Where a payment system's deposits come from, one per payment system and currency. Asset. */
  clearing: 10,
  /** A person's wallet. Liability. */
  wallet: 20,
} as const

export type AccountCode = (typeof AccountCode)[keyof typeof AccountCode]

/**
 * TigerBeetle flags of each kind of account; they can never be changed later.
 * All keep `history`, so that a balance can be read as of any moment.
 */
export const accountFlags: Readonly<Record<AccountCode, number>> = {
  [AccountCode.clearing]: AccountFlags.credits_must_not_exceed_debits | AccountFlags.history,
  [AccountCode.wallet]: AccountFlags.debits_must_not_exceed_credits | AccountFlags.history,
}

/** TigerBeetle `code` of a transfer: why the money moved. */
export const TransferCode = {
  /** Debit clearing, credit wallet: a payment system has received money for this person. */
  deposit: 1,
  /** Debit wallet, credit wallet: one person pays another, or moves money between own wallets. */
  payment: 2,
  /** Debit wallet, credit wallet, pending at first: a payment that was authorised and waits. */
  hold: 3,
} as const

export type TransferCode = (typeof TransferCode)[keyof typeof TransferCode]

/** Names under which transfers are shown and filtered by outside. */
export type TransferKind = keyof typeof TransferCode

export const transferKinds = Object.keys(TransferCode) as TransferKind[]

const kindByCode = new Map<number, TransferKind>(
  transferKinds.map((kind) => [TransferCode[kind], kind]),
)

/** The name of a transfer code; throws for a code that no flow of Kassa uses. */
export function transferKindOf(code: number): TransferKind {
  const kind = kindByCode.get(code)
  if (!kind) throw new Error(`transfer code ${code} is not in the chart of accounts`)
  return kind
}
