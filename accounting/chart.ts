/**
 * The chart of accounts: which assets there are, which kinds of account, and why money moves.
 *
 * Every table here is append-only. A number that has been used in a ledger keeps its meaning for
 * ever, because TigerBeetle keeps accounts and transfers for ever. docs/accounting.md explains each
 * row with a worked example.
 */
import { AccountFlags } from 'tigerbeetle-node'
import { iso4217 } from './iso-4217.ts'

/** Something that can be held: one TigerBeetle ledger each. */
export interface Asset {
  /** ISO 4217 alphabetic code, or the code of an asset of the house's own. */
  readonly currency: string
  /** TigerBeetle ledger: the ISO 4217 numeric code, or a number from `ownLedgerMin`. */
  readonly ledger: number
  /** Number of decimals: one major unit is 10^scale minor units. */
  readonly scale: number
}

/** Ledgers of assets of the house's own (loyalty points, a stablecoin) have numbers from here on. */
export const ownLedgerMin = 1_000_000
/** Each asset's control ledger is at this distance; so no asset's own ledger may reach it. */
const controlLedgerOffset = 1_000_000_000
/** The most decimals that an asset may have. */
export const scaleMax = 18

const assetByCurrency = new Map<string, Asset>()
const assetByLedger = new Map<number, Asset>()
const controlAssets = new Map<number, Asset>()

function add(asset: Asset): void {
  assetByCurrency.set(asset.currency, asset)
  assetByLedger.set(asset.ledger, asset)
  controlAssets.set(asset.ledger, { ...asset, ledger: asset.ledger + controlLedgerOffset })
}

for (const [currency, ledger, scale] of iso4217) add({ currency, ledger, scale })

/**
 * Adds an asset of the house's own to the chart of this process. One that is there already with the
 * same numbers is left as it is; throws when the numbers differ, because the ledger keeps the old ones
 * for ever, and for numbers that no own asset can have.
 */
export function addOwnAsset({ currency, ledger, scale }: Asset): void {
  const known = assetByCurrency.get(currency) ?? assetByLedger.get(ledger)
  if (known) {
    if (known.currency === currency && known.ledger === ledger && known.scale === scale) return
    throw new Error(`asset ${currency} (${ledger}) is not the one that the chart knows`)
  }
  if (ledger < ownLedgerMin || ledger >= controlLedgerOffset || scale < 0 || scale > scaleMax) {
    throw new RangeError(`asset ${currency}: ledger ${ledger}, scale ${scale}`)
  }
  add({ currency, ledger, scale })
}

/** A currency of ISO 4217 with its English name; undefined for a code that the standard does not have. */
export function findIsoCurrency(code: string): (Asset & { name: string }) | undefined {
  const found = iso4217.find(([currency]) => currency === code)
  if (!found) return undefined
  const [currency, ledger, scale, name] = found
  return { currency, ledger, scale, name }
}

/** The asset of a code (upper case), or undefined when the chart has none. */
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
 * The control ledger of an asset, for what counts and permits but is no money: rights, budgets, what may
 * still be refunded, how many requests may be open. Counted in the asset's minor units, or in pieces.
 */
export function controlOf(asset: Asset): Asset {
  const control = controlAssets.get(asset.ledger)
  if (!control) throw new Error(`ledger ${asset.ledger} has no control ledger`)
  return control
}

/** The asset that a control ledger belongs to; throws for a ledger that is none. */
export function assetOfControl(ledger: number): Asset {
  return assetOfLedger(ledger - controlLedgerOffset)
}

/** What a TigerBeetle ledger is of: undefined for a number that is in nobody's chart. */
export function findLedger(number: number): { asset: Asset; isControl: boolean } | undefined {
  const asset = assetByLedger.get(number)
  if (asset) return { asset, isControl: false }
  const controlled = assetByLedger.get(number - controlLedgerOffset)
  return controlled && { asset: controlled, isControl: true }
}

/** TigerBeetle `code` of an account: what kind of account it is. */
export const AccountCode = {
  /** Where a payment system's deposits come from, one per payment system and currency. Asset. */
  clearing: 10,
  /** The house's own bank account, where payment systems settle to, one per currency. Asset. */
  bank: 11,
  /** What a customer owes after a charge-back of money already spent, one per user and currency. Asset. */
  receivable: 12,
  /** A person's wallet. Liability. */
  wallet: 20,
  /** What fees brought in, one per currency. Income. */
  feeIncome: 30,
  /** What the spread of exchange rates brought in, one per currency. Income. */
  spreadIncome: 31,
  /** What payment systems pay the house: interest, rebates, charges given back; one per currency. Income. */
  paymentSystemIncome: 32,
  /** What the house has set aside for exchange, one per currency. Liability side, credit balance. */
  liquidity: 40,
  /** What the house gave away to customers, one per currency. Expense. */
  rewards: 50,
  /** What payment systems charge the house, one per currency. Expense. */
  paymentSystemFees: 51,
  /** What customers owed and will not pay, one per currency. Expense. */
  writeOffs: 52,
  /** Money that cannot be matched with a wallet yet, one per payment system and currency. Liability. */
  suspense: 60,
  /** What the house put in, one per currency; also the other side of transfers that close a wallet. */
  equity: 65,
  /** Control ledger: what may still be given back of one payment or deposit. */
  returnable: 70,
  /** Control ledger: one side of rights, one per control ledger. */
  rights: 75,
  /** Control ledger: what one user may spend, or a payment system bring in, within one window of time. */
  budget: 80,
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
  [AccountCode.bank]: AccountFlags.credits_must_not_exceed_debits | AccountFlags.history,
  [AccountCode.receivable]: AccountFlags.credits_must_not_exceed_debits | AccountFlags.history,
  [AccountCode.wallet]: AccountFlags.debits_must_not_exceed_credits | AccountFlags.history,
  [AccountCode.feeIncome]: AccountFlags.history,
  [AccountCode.spreadIncome]: AccountFlags.history,
  [AccountCode.paymentSystemIncome]: AccountFlags.history,
  [AccountCode.liquidity]: AccountFlags.debits_must_not_exceed_credits | AccountFlags.history,
  [AccountCode.rewards]: AccountFlags.history,
  [AccountCode.paymentSystemFees]: AccountFlags.history,
  [AccountCode.writeOffs]: AccountFlags.history,
  [AccountCode.suspense]: AccountFlags.debits_must_not_exceed_credits | AccountFlags.history,
  [AccountCode.equity]: AccountFlags.history,
  [AccountCode.returnable]: AccountFlags.debits_must_not_exceed_credits | AccountFlags.history,
  [AccountCode.rights]: AccountFlags.history,
  [AccountCode.budget]: AccountFlags.debits_must_not_exceed_credits | AccountFlags.history,
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
  /** Debit wallet, credit fee income: what an operation costs the person who bears its fee. */
  fee: 14,
  /** Debit fee income, credit wallet: a part of a fee is given back with a refund. */
  fee_refund: 15,
  /** Debit wallet, credit liquidity: the currency that is given in an exchange. */
  exchange_sale: 16,
  /** Debit liquidity, credit wallet: the currency that is got in an exchange. */
  exchange_purchase: 17,
  /** Debit liquidity, credit spread income: what the house keeps of an exchange. */
  exchange_spread: 18,
  /** Debit bank, credit liquidity: the house sets money aside for exchange. */
  liquidity_funding: 19,
  /** Debit liquidity, credit bank: it takes it back. */
  liquidity_draining: 20,
  /** Debit bank, credit clearing: a payment system has sent the house what it collected. */
  settlement: 21,
  /** Debit clearing, credit bank: the house gives a payment system money to pay out. */
  prefunding: 22,
  /** Debit payment-system fees, credit clearing: a payment system has kept its price. */
  payment_system_fee: 23,
  /** Debit bank, credit equity: the owners put money in. */
  equity_contribution: 24,
  /** Debit equity, credit bank: the owners take money out. */
  equity_withdrawal: 25,
  /** Debit write-offs, credit receivable: what a customer owes will not be paid. */
  write_off: 26,
  /** Debit suspense, credit bank: the house itself sends money back that nobody could be matched with. */
  suspense_payout: 27,
  /** Debit rewards, credit wallet: the house gives a customer money. */
  reward: 28,
  /** Debit clearing, credit payment-system income: a payment system has paid the house something of its own. */
  payment_system_income: 29,
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
  /** Debit rights, credit control, nothing, pending: the right to exchange at the rate of a quote. */
  quote: 106,
  /** Debit budget, credit control, pending until the window of time has passed: this much was used. */
  budget_use: 107,
  /** Debit control, credit budget: so much more may be used within a window of time. */
  budget_grant: 108,
  /** Debit budget, credit control: so much less, as far as it is unused. */
  budget_take: 109,
  /** Debit rights, credit control, nothing, pending: the right to approve what an operator asked for. */
  approval: 110,
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
  'fee',
  'fee_refund',
  'exchange_sale',
  'exchange_purchase',
  'reward',
] as const satisfies readonly TransferKind[]

export type WalletKind = (typeof walletKinds)[number]

/** Whether a transfer's kind is one that moves money of wallets. */
export function isWalletKind(kind: TransferKind): kind is WalletKind {
  return (walletKinds as readonly TransferKind[]).includes(kind)
}

/** Whether a kind is a further leg of an operation, by which its fee is taken or goes back. */
export function isFeeKind(kind: TransferKind): kind is 'fee' | 'fee_refund' {
  return kind === 'fee' || kind === 'fee_refund'
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
