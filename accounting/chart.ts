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

/**
 * Each asset's ledger has a control ledger at this distance, for what counts and permits but is no
 * money: rights, what may still be refunded, how many requests may be open.
 */
const controlLedgerOffset = 1_000_000_000

const controlAssets = new Map(
  assets.map((asset) => [
    asset.ledger,
    { ...asset, ledger: asset.ledger + controlLedgerOffset } satisfies Asset,
  ]),
)

/** The control ledger of an asset, in which amounts are counted in the asset's minor units or in pieces. */
export function controlOf(asset: Asset): Asset {
  const control = controlAssets.get(asset.ledger)
  if (!control) throw new Error(`ledger ${asset.ledger} has no control ledger`)
  return control
}

/** The asset that a control ledger belongs to; throws for a ledger that is none. */
export function assetOfControl(ledger: number): Asset {
  return assetOfLedger(ledger - controlLedgerOffset)
}

/** TigerBeetle `code` of an account: what kind of account it is. */
export const AccountCode = {
  /** Where a payment system's deposits come from, one per payment system and currency. Asset. */
  clearing: 10,
  /** What a customer owes after a charge-back of money already spent, one per user and currency. Asset. */
  receivable: 12,
  /** A person's wallet. Liability. */
  wallet: 20,
  /** Money that cannot be matched with a wallet yet, one per payment system and currency. Liability. */
  suspense: 60,
  /** What the house put in, one per currency; also the other side of transfers that close a wallet. */
  equity: 65,
  /** Control ledger: what may still be given back of one payment or deposit. */
  returnable: 70,
  /** Control ledger: one side of rights, one per control ledger. */
  rights: 75,
  /** Control ledger: how many requests for money may be open between two people. */
  requestAllowance: 81,
  /** Control ledger: the other side of all others, one per control ledger. */
  control: 90,
} as const

export type AccountCode = (typeof AccountCode)[keyof typeof AccountCode]

/**
 * TigerBeetle flags of each kind of account; they can never be changed later.
 * All but 90 keep `history`, so that a balance can be read as of any moment.
 */
export const accountFlags: Readonly<Record<AccountCode, number>> = {
  [AccountCode.clearing]: AccountFlags.credits_must_not_exceed_debits | AccountFlags.history,
  [AccountCode.receivable]: AccountFlags.credits_must_not_exceed_debits | AccountFlags.history,
  [AccountCode.wallet]: AccountFlags.debits_must_not_exceed_credits | AccountFlags.history,
  [AccountCode.suspense]: AccountFlags.debits_must_not_exceed_credits | AccountFlags.history,
  [AccountCode.equity]: AccountFlags.history,
  [AccountCode.returnable]: AccountFlags.debits_must_not_exceed_credits | AccountFlags.history,
  [AccountCode.rights]: AccountFlags.history,
  [AccountCode.requestAllowance]:
    AccountFlags.debits_must_not_exceed_credits | AccountFlags.history,
  [AccountCode.control]: AccountFlags.none,
}

/** TigerBeetle `code` of a transfer of money: why it moved. */
export const TransferCode = {
  /** Debit clearing, credit wallet: a payment system has received money for this person. */
  deposit: 1,
  /** Debit wallet, credit wallet: one person pays another, or moves money between own wallets. */
  payment: 2,
  /** Debit wallet, credit wallet, pending at first: a payment that was authorised and waits. */
  hold: 3,
  /** Debit wallet, credit clearing, pending at first: a payment system pays the person outside. */
  withdrawal: 4,
  /** Debit the wallet that was paid, credit the one that paid: a payment or capture is given back. */
  refund: 5,
  /** Debit receivable, credit clearing: a payment system takes a deposit back. */
  chargeback: 6,
  /** Debit wallet, credit receivable: the person pays what a charge-back left owing. */
  chargeback_payment: 7,
  /** Debit clearing, credit suspense: received for a wallet that cannot be credited. */
  suspense: 8,
  /** Debit suspense, credit wallet: an operator has found out whose it is. */
  suspense_assignment: 9,
  /** Debit suspense, credit clearing: it goes back to where it came from. */
  suspense_return: 10,
  /** Debit equity, credit wallet, nothing, pending: the wallet is frozen until this is voided. */
  freeze: 11,
  /** The same while it is looked at whether a wallet that its owner wants to close is empty. */
  closing: 12,
  /** The same for ever: the owner has closed the wallet. */
  closure: 13,
} as const

export type TransferCode = (typeof TransferCode)[keyof typeof TransferCode]

/** TigerBeetle `code` of a transfer on a control ledger. */
export const ControlCode = {
  /** Debit allowance, credit control, one piece, pending: the right to accept a request for money. */
  request: 100,
  /** Debit rights, credit control, nothing, pending: the right to take a withdrawal, or to cancel it. */
  withdrawal_take: 101,
  /** Debit control, credit returnable: all of a payment or deposit may be given back at first. */
  returnable_grant: 102,
  /** Debit returnable, credit control: a part of it was given back. */
  returnable_use: 103,
  /** Debit control, credit allowance: as many requests may be open. */
  request_allowance_grant: 104,
  /** Debit rights, credit control, nothing, pending: the right to assign money in suspense, or to return it. */
  suspense_release: 105,
} as const

export type ControlCode = (typeof ControlCode)[keyof typeof ControlCode]

/** Names under which transfers are shown and filtered by outside. */
export type TransferKind = keyof typeof TransferCode

const transferKinds = Object.keys(TransferCode) as TransferKind[]

/** Those that debit or credit wallets with money: a wallet's history has no others. */
export const walletKinds = [
  'deposit',
  'payment',
  'hold',
  'withdrawal',
  'refund',
  'chargeback_payment',
  'suspense_assignment',
] as const satisfies readonly TransferKind[]

export type WalletKind = (typeof walletKinds)[number]

/** Whether a transfer's kind is one that moves money of wallets. */
export function isWalletKind(kind: TransferKind): kind is WalletKind {
  return (walletKinds as readonly TransferKind[]).includes(kind)
}

const kindByCode = new Map<number, TransferKind>(
  transferKinds.map((kind) => [TransferCode[kind], kind]),
)

/** The name of a transfer code; throws for a code that no flow of Kassa uses. */
export function transferKindOf(code: number): TransferKind {
  const kind = kindByCode.get(code)
  if (!kind) throw new Error(`transfer code ${code} is not in the chart of accounts`)
  return kind
}
