import {
  type Balance,
  readBalances,
  readReceivables,
  receivableAccount,
} from '../../accounting/accounts.ts'
import {
  assetOf,
  isFeeKind,
  isWalletKind,
  transferKindOf,
  type WalletKind,
} from '../../accounting/chart.ts'
import { type Exchange, type Exchanged, readExchange } from '../../accounting/exchange.ts'
import {
  findAttempted,
  type HistoryEntry,
  type HistoryFilter,
  type Period,
  readHistory,
  walkHistory,
} from '../../accounting/history.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { readStanding, type WalletState } from '../../accounting/standing.ts'
import { isBooked, type StoredOperation } from '../../accounting/transfers.ts'
import { findMemos } from '../../db/descriptions.ts'
import { findWalletOwners, listWallets, type Wallet } from '../../db/wallets.ts'
import type { Deps } from '../deps.ts'
import { readSome } from './followed-list.ts'
import { ensureAccounts } from './open-wallet.ts'
import { afterMoving } from './settle.ts'
import { tellTransactions } from './tell-transactions.ts'

export interface WalletWithBalance extends Wallet {
  balance: Balance
  state: WalletState
  /** What the owner owes in this currency after a charge-back; the next deposits pay it first. */
  owedMinor: bigint
}

/** Wallets with their balances, which are read from the ledger at once. */
export async function withBalances(
  deps: Pick<Deps, 'db' | 'ledger'>,
  wallets: readonly Wallet[],
): Promise<WalletWithBalance[]> {
  if (wallets.length === 0) return []
  await ensureAccounts(deps, wallets)
  const receivableOf = ({ userId, currency }: Wallet) =>
    receivableAccount(userId, assetOf(currency)).id
  const [balances, owed] = await Promise.all([
    readBalances(
      deps.ledger,
      wallets.map(({ id }) => id),
    ),
    readReceivables(deps.ledger, [...new Set(wallets.map(receivableOf))]),
  ])
  return readSome(wallets, async (wallet) => {
    const balance = balances.get(wallet.id)
    if (!balance) throw new Error(`wallet ${wallet.id} has no account in the ledger`)
    const state = await readState(deps, wallet, balance.isClosed)
    return { ...wallet, balance, state, owedMinor: owed.get(receivableOf(wallet)) ?? 0n }
  })
}

async function readState(
  { ledger }: Pick<Deps, 'ledger'>,
  wallet: Wallet,
  hasClosedAccount: boolean,
): Promise<WalletState> {
  if (!hasClosedAccount) return 'active'
  return wallet.closedAt ? 'closed' : (await readStanding(ledger, wallet.id)).state
}

/**
 * A wallet with its balance after a step that has just changed it. Refusal: outcome_unknown, when a
 * server is away by now.
 */
export async function withBalanceAfter(
  deps: Pick<Deps, 'db' | 'ledger'>,
  wallet: Wallet,
): Promise<WalletWithBalance> {
  const [read] = await afterMoving(wallet.id, withBalances(deps, [wallet]))
  return read!
}

/** All wallets of a person with their balances, oldest first. */
export async function listWalletsWithBalances(
  deps: Pick<Deps, 'db' | 'ledger'>,
  userId: string,
): Promise<WalletWithBalance[]> {
  return withBalances(deps, await listWallets(deps.db, userId))
}

/** The other side of a transaction, as far as a wallet's owner may see it. */
export interface Counterparty {
  /** A person's wallet, or null for a payment system. */
  walletId: Uuid | null
  number: string | null
  username: string | null
  /** A person's name, or the payment system's. */
  name: string | null
}

export interface Transaction extends HistoryEntry {
  kind: WalletKind
  currency: string
  counterparty: Counterparty | null
  memo: string | null
  reference: string | null
  /** Of an exchange: what was got, or given, in the other currency. */
  exchanged: Exchanged | undefined
}

/** By how much a transaction changed the posted balance; holding and giving back change nothing. */
export function postedChangeMinor({ phase, direction, amountMinor }: HistoryEntry): bigint {
  if (!isBooked(phase)) return 0n
  return direction === 'in' ? amountMinor : -amountMinor
}

/**
 * A page of a wallet's transactions, newest first. Times in nanoseconds since 1970, both inclusive,
 * 0 for no bound.
 */
export async function readTransactions(
  deps: Pick<Deps, 'db' | 'ledger'>,
  wallet: { id: Uuid; currency: string },
  filter: MovesFilter,
): Promise<Transaction[]> {
  return describeMoves(deps, wallet, await readMoves(deps, wallet.id, filter))
}

/** Entries of a wallet's history with what is known of them besides. */
export async function describeMoves(
  deps: Pick<Deps, 'db' | 'ledger'>,
  wallet: { currency: string },
  entries: readonly Move[],
): Promise<Transaction[]> {
  const payments = entries.filter(({ kind }) => kind !== 'deposit' && !isFeeKind(kind))
  const [exchanges, holds] = await Promise.all([
    readExchanges(deps, entries),
    readHolds(deps, entries),
  ])
  const otherSide = (entry: Move): Uuid => otherSideOf(entry, exchanges.get(entry.operationId))
  const [owners, memos, outside] = await Promise.all([
    findWalletOwners(deps.db, [...new Set(payments.map(otherSide))]),
    findMemos(deps.db, [...payments, ...holds]),
    tellTransactions(deps, entries),
  ])
  const { currency } = assetOf(wallet.currency)
  return entries.map((entry) => {
    const told = outside.get(entry.transferId)
    return {
      ...entry,
      currency,
      counterparty: owners.get(otherSide(entry)) ?? toParty(told?.name ?? null),
      memo: (isFeeKind(entry.kind) ? null : memos.get(entry.operationId)) ?? told?.memo ?? null,
      reference: told?.reference ?? null,
      exchanged: exchangedFor(entry, exchanges.get(entry.operationId)),
    }
  })
}

/** Kinds that are a further leg of an operation. */
const furtherKinds: readonly WalletKind[] = ['chargeback_payment', 'fee', 'fee_refund']

/** An operation's own id names a transaction, unless the operation has several in one wallet. */
export function transactionIdOf({ phase, kind, operationId, transferId }: Move): Uuid {
  return phase === 'single' && !furtherKinds.includes(kind) ? operationId : transferId
}

/** An entry of a wallet's history that can move money. */
export type Move = HistoryEntry & { kind: WalletKind }
type MovesFilter = Omit<HistoryFilter, 'accountId' | 'kind'> & { kind?: WalletKind | undefined }

/**
 * A page of a wallet's history without the transfers that only freeze, close or open it: they come in
 * pairs and move nothing. As many entries as asked for, as long as there are any.
 */
async function readMoves(
  { ledger }: Pick<Deps, 'ledger'>,
  accountId: Uuid,
  filter: MovesFilter,
): Promise<Move[]> {
  const moves: Move[] = []
  let range = filter
  for (;;) {
    const entries = await readHistory(ledger, { accountId, ...range })
    moves.push(...toMoves(entries))
    const oldest = entries.at(-1)
    if (!oldest || entries.length < range.limit || moves.length >= filter.limit) break
    if (oldest.timestamp <= 1n) break
    range = { ...range, timestampMax: oldest.timestamp - 1n }
  }
  return moves.slice(0, filter.limit)
}

/** What changed the posted balance of a wallet within a period, oldest first, in pages. */
export async function* walkBookings(
  { ledger }: Pick<Deps, 'ledger'>,
  walletId: Uuid,
  period: Period,
): AsyncGenerator<Move[], void> {
  for await (const entries of walkHistory(ledger, walletId, period)) {
    yield toMoves(entries.filter((entry) => postedChangeMinor(entry) !== 0n))
  }
}

/** Entries without those that only freeze, close or open a wallet. */
function toMoves(entries: readonly HistoryEntry[]): Move[] {
  return entries.flatMap((entry) => {
    const kind = transferKindOf(entry.code)
    return isWalletKind(kind) ? [{ ...entry, kind }] : []
  })
}

/** A party that has no wallet: a payment system, or the house. */
function toParty(name: string | null): Counterparty | null {
  return name === null ? null : { walletId: null, number: null, username: null, name }
}

function otherSideOf(entry: Move, exchange: Exchange | undefined): Uuid {
  if (exchange && entry.kind === 'exchange_sale') return exchange.toWalletId
  if (exchange && entry.kind === 'exchange_purchase') return exchange.fromWalletId
  return entry.direction === 'in' ? entry.debitAccountId : entry.creditAccountId
}

/** What the other side of an exchange was: a wallet's history has one side of it only. */
function exchangedFor({ kind }: Move, exchange: Exchange | undefined): Exchanged | undefined {
  if (!exchange) return undefined
  if (kind === 'exchange_sale') return exchange.got
  return kind === 'exchange_purchase' ? exchange.given : undefined
}

/** The holds that entries belong to as they were placed: a memo has the key of that, not of a capture. */
async function readHolds(
  { ledger }: Pick<Deps, 'ledger'>,
  entries: readonly Move[],
): Promise<StoredOperation[]> {
  const ofHolds = entries.filter(({ kind }) => kind === 'hold')
  const ids = [...new Set(ofHolds.map(({ operationId }) => operationId))]
  const found = await readSome(ids, (id) => findAttempted(ledger, id, 'hold'))
  return found.filter((it) => it !== undefined)
}

/** The exchanges that entries of a history are a side of, by id. */
async function readExchanges(
  { ledger }: Pick<Deps, 'ledger'>,
  entries: readonly Move[],
): Promise<Map<Uuid, Exchange>> {
  const isSide = ({ kind }: Move) => kind === 'exchange_sale' || kind === 'exchange_purchase'
  const ids = [...new Set(entries.filter(isSide).map(({ operationId }) => operationId))]
  const found = await readSome(ids, (id) => readExchange(ledger, id))
  return new Map(found.filter((it) => it !== undefined).map((it) => [it.id, it]))
}
