/**
 * What the model knows: people, wallets, and everything that lives longer than one request. Plain
 * values that are never changed: each step makes a new model.
 */
import type { Currency } from './amounts.ts'

/** A movement of money as a wallet's history shows it. */
export interface Entry {
  readonly kind: string
  readonly direction: 'in' | 'out'
  readonly minor: bigint
}

export interface ModelWallet {
  readonly id: string
  readonly number: string
  readonly userId: string
  readonly currency: Currency
  readonly state: 'active' | 'frozen' | 'closed'
  /** What is posted. */
  readonly minor: bigint
  readonly entries: readonly Entry[]
}

/** What happened under a key or a reference: an id, or a decline that is final. */
export interface Remembered {
  readonly input: string
  readonly id?: string
  readonly declined?: string
  /** Nobody was told what became of it: it may have been declined, and then for ever. */
  readonly isDoubtful?: true
}

/** A time after which something has run out, milliseconds since 1970. */
export interface Deadline {
  readonly at: number
  /** Money is held in whole seconds: what is held again runs out up to a second earlier. */
  readonly isSplit: boolean
  /** Somebody was told that it has run out. */
  readonly isTold: boolean
}

/** What an operation has cost, or is going to. */
export interface ModelFee {
  readonly minor: bigint
  readonly bearer: 'sender' | 'recipient'
  /** Whether a refund gives a part of it back; unknown while it can be of either of two schedules. */
  readonly refund: 'none' | 'proportional' | 'unknown'
}

export interface ModelHold {
  readonly id: string
  readonly payerId: string
  readonly payeeId: string
  readonly minor: bigint
  readonly captured: bigint
  readonly held: bigint
  readonly state: 'open' | 'captured' | 'voided' | 'expired'
  readonly deadline: Deadline
}

/** What was paid and can be given back: a payment, a capture, or the payment of a request. */
export interface ModelPaid {
  readonly id: string
  readonly payerId: string
  readonly payeeId: string
  readonly minor: bigint
  readonly refunded: bigint
  readonly fee: ModelFee | undefined
}

export interface ModelRefund {
  readonly id: string
  readonly paidId: string
  readonly minor: bigint
}

export interface ModelPaymentRequest {
  readonly id: string
  readonly requesterId: string
  readonly payerId: string
  readonly toWalletId: string
  readonly minor: bigint
  readonly state: 'open' | 'accepted' | 'declined' | 'cancelled' | 'expired'
  readonly paymentId?: string
  readonly deadline: Deadline
}

export interface ModelWithdrawal {
  readonly id: string
  readonly walletId: string
  readonly system: string
  readonly minor: bigint
  readonly fee: ModelFee | undefined
  readonly state: 'requested' | 'taken' | 'confirmed' | 'failed' | 'cancelled'
  readonly takeKey?: string
  /** What was told with the last step. */
  readonly told?: string
}

/** The right to exchange once at these terms; minor units. */
export interface ModelQuote {
  readonly id: string
  readonly userId: string
  readonly from: Currency
  readonly to: Currency
  readonly fromMinor: bigint
  readonly toMinor: bigint
  /** What the house keeps. */
  readonly spreadMinor: bigint
  readonly state: 'open' | 'executed' | 'expired'
  readonly deadline: Deadline
  /** What it was used for, and how that was asked for. */
  readonly exchangeId?: string
  readonly input?: string
  readonly fee?: ModelFee | undefined
}

export interface ModelDeposit {
  readonly id: string
  readonly system: string
  readonly currency: Currency
  readonly minor: bigint
  readonly fee: ModelFee | undefined
  readonly reversed: bigint
  /** Undefined while it is in suspense, and after its return. */
  readonly walletId?: string | undefined
  readonly suspense?: 'open' | 'assigned' | 'returned' | 'paid_out'
}

/** What somebody may use of a currency within a window of time, as it is in force; minor units. */
export interface ModelBudget {
  /** `user currency window` */
  readonly id: string
  /** The limit that is in force. */
  readonly limit: bigint
  readonly version: number
  /** What is granted at the most: more than the limit while more is in use. */
  readonly total: bigint
  /** By operation; those are not sure which one process may have counted and another not. */
  readonly uses: ReadonlyMap<string, { readonly minor: bigint; readonly isSure: boolean }>
}

/** Things by their ids. */
export interface Kinds {
  holds: ModelHold
  paid: ModelPaid
  refunds: ModelRefund
  requests: ModelPaymentRequest
  withdrawals: ModelWithdrawal
  deposits: ModelDeposit
  quotes: ModelQuote
  budgets: ModelBudget
}

type Things = { readonly [Kind in keyof Kinds]: ReadonlyMap<string, Kinds[Kind]> }

export interface Model extends Things {
  /** In the order of their opening. */
  readonly wallets: readonly ModelWallet[]
  /** Ids by username. */
  readonly people: ReadonlyMap<string, string>
  readonly remembered: ReadonlyMap<string, Remembered>
  /** `payer requester`: the payer takes no requests from the requester. */
  readonly blocks: ReadonlySet<string>
  /** What a payment system has brought in and not paid out, by `system currency`; minor units. */
  readonly capacity: ReadonlyMap<string, bigint>
  /** What people owe, by `user currency`; minor units. */
  readonly owed: ReadonlyMap<string, bigint>
  /** The house's own accounts, by `account currency`; minor units. */
  readonly house: ReadonlyMap<string, bigint>
}

export const emptyModel: Model = {
  wallets: [],
  people: new Map(),
  remembered: new Map(),
  blocks: new Set(),
  capacity: new Map(),
  owed: new Map(),
  house: new Map(),
  holds: new Map(),
  paid: new Map(),
  refunds: new Map(),
  requests: new Map(),
  withdrawals: new Map(),
  deposits: new Map(),
  quotes: new Map(),
  budgets: new Map(),
}

export function findWallet({ wallets }: Model, name: string): ModelWallet | undefined {
  return wallets.find(({ id, number }) => id === name || number === name)
}

/** A wallet that must be there. */
export function walletOf(model: Model, id: string): ModelWallet {
  const wallet = findWallet(model, id)
  if (!wallet) throw new Error(`the model has no wallet ${id}`)
  return wallet
}

/** The model with a thing in place of the one of the same id. */
export function put<Kind extends keyof Kinds>(model: Model, kind: Kind, thing: Kinds[Kind]): Model {
  const all: Things = model
  const things: ReadonlyMap<string, Kinds[Kind]> = all[kind]
  return { ...model, [kind]: new Map(things).set(thing.id, thing) }
}

export function changeWallet(
  model: Model,
  walletId: string,
  change: (wallet: ModelWallet) => Partial<ModelWallet>,
): Model {
  const wallets = model.wallets.map((wallet) =>
    wallet.id === walletId ? { ...wallet, ...change(wallet) } : wallet,
  )
  return { ...model, wallets }
}

export function remember(model: Model, name: string, what: Remembered): Model {
  return { ...model, remembered: new Map(model.remembered).set(name, what) }
}
