import { randomInt } from 'node:crypto'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import { isUniqueViolation } from './errors.ts'
import { mintId } from './ids.ts'
import { lockUser } from './users.ts'

export interface Wallet {
  id: string
  userId: string
  /** Decimal digits. */
  number: string
  currency: string
  createdAt: Date
  /** Whether the account in the ledger is known to exist. */
  hasAccount: boolean
  /** When its owner has closed it for ever. */
  closedAt: Date | null
}

/** Whom a wallet belongs to, as far as others may know. */
export interface WalletOwner {
  walletId: string
  number: string
  username: string | null
  name: string | null
}

const columns = [
  'id',
  'user_id',
  'number',
  'currency',
  'created_at',
  'account_created_at',
  'closed_at',
] as const

interface Row {
  id: string
  user_id: string
  number: bigint
  currency: string
  created_at: Date
  account_created_at: Date | null
  closed_at: Date | null
}

const toWallet = (row: Row): Wallet => ({
  id: row.id,
  userId: row.user_id,
  number: String(row.number),
  currency: row.currency,
  createdAt: row.created_at,
  hasAccount: row.account_created_at !== null,
  closedAt: row.closed_at,
})

/** How often a number that is taken already is drawn again: of 9 * 10^8 numbers few are. */
const numberTries = 20

/** Carries out a transaction that inserts a wallet; again when the drawn number is taken. */
export async function withFreeNumber<T>(transaction: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await transaction()
    } catch (error) {
      if (tries < numberTries && isUniqueViolation(error, 'wallets_number_key')) continue
      throw error
    }
  }
}

/**
 * Stores a new wallet, or answers undefined when the user has `openMax` open ones of this currency, or
 * `everMax` with those that were closed.
 * The row comes before the ledger's account, so that creating the account can be repeated.
 */
export async function insertWallet(
  db: Database,
  input: { userId: string; currency: string; openMax: number; everMax: number },
): Promise<Wallet | undefined> {
  const { userId, currency, openMax, everMax } = input
  return withFreeNumber(() =>
    db.transaction().execute(async (trx) => {
      await lockUser(trx, userId)
      const { open, ever } = await trx
        .selectFrom('wallets')
        .select(({ fn }) => [
          fn.countAll<bigint>().filterWhere('closed_at', 'is', null).as('open'),
          fn.countAll<bigint>().as('ever'),
        ])
        .where('user_id', '=', userId)
        .where('currency', '=', currency)
        .executeTakeFirstOrThrow()
      const isAllowed = open < BigInt(openMax) && ever < BigInt(everMax)
      return isAllowed ? insertWalletRow(trx, userId, currency) : undefined
    }),
  )
}

/** Stores a wallet inside a transaction under `withFreeNumber`. */
export async function insertWalletRow(
  trx: Database,
  userId: string,
  currency: string,
): Promise<Wallet> {
  const row = await trx
    .insertInto('wallets')
    .values({ id: mintId(), user_id: userId, number: drawNumber(), currency })
    .returning(columns)
    .executeTakeFirstOrThrow()
  return toWallet(row)
}

/** Ten random digits, the first not 0, the last a Luhn check digit (ISO/IEC 7812-1, annex B). */
function drawNumber(): bigint {
  const digits = String(randomInt(100_000_000, 1_000_000_000))
  for (let check = 0; check < 10; check += 1) {
    if (isLuhnValid(`${digits}${check}`)) return BigInt(`${digits}${check}`)
  }
  throw new Error('no check digit fits')
}

/** Whether the last digit of a number is right for the others: catches any single mistyped digit. */
export function isLuhnValid(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index])
    const doubled = index % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** Notes that the ledger's accounts of these wallets exist. */
export async function markAccountsCreated(db: Database, ids: readonly string[]): Promise<void> {
  await db
    .updateTable('wallets')
    .set({ account_created_at: new Date() })
    .where('id', 'in', ids)
    .where('account_created_at', 'is', null)
    .execute()
}

/** Wallets whose account is not known to exist: a process died between the row and the account. */
export async function findWalletsWithoutAccount(db: Database, limit: number): Promise<Wallet[]> {
  const rows = await db
    .selectFrom('wallets')
    .select(columns)
    .where('account_created_at', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(toWallet)
}

/** All wallets of a user, oldest first. The limit on opening them bounds the list. */
export async function listWallets(db: Database, userId: string): Promise<Wallet[]> {
  const rows = await db
    .selectFrom('wallets')
    .select(columns)
    .where('user_id', '=', userId)
    .orderBy('id')
    .execute()
  return rows.map(toWallet)
}

/** A wallet by its id (a UUID). */
export async function findWallet(db: Database, id: string): Promise<Wallet | undefined> {
  return (await findWallets(db, [id])).get(id)
}

/** Wallets by their ids. */
export async function findWallets(
  db: Database,
  ids: readonly string[],
): Promise<Map<string, Wallet>> {
  const rows = await db
    .selectFrom('wallets')
    .select(columns)
    .where('id', '=', sql<string>`ANY(${ids}::uuid[])`)
    .execute()
  return new Map(rows.map((row) => [row.id, toWallet(row)]))
}

/** Wallets by their numbers for people, as decimal digits without zeros in front. */
export async function findWalletsByNumber(
  db: Database,
  numbers: readonly string[],
): Promise<Map<string, Wallet>> {
  const rows = await db
    .selectFrom('wallets')
    .select(columns)
    .where('number', '=', sql<bigint>`ANY(${numbers}::bigint[])`)
    .execute()
  return new Map(rows.map((row) => [String(row.number), toWallet(row)]))
}

/** Open wallets of active customers by username, oldest first; those with none are left out. */
export async function findWalletsOfUsernames(
  db: Database,
  usernames: readonly string[],
): Promise<Map<string, Wallet[]>> {
  const rows = await db
    .selectFrom('wallets')
    .innerJoin('users', 'users.id', 'wallets.user_id')
    .select(columns.map((column) => `wallets.${column}` as const))
    .select('users.username')
    .where('users.username', '=', sql<string>`ANY(${usernames}::text[])`)
    .where('users.role', '=', 'customer')
    .where('users.deactivated_at', 'is', null)
    .where('wallets.closed_at', 'is', null)
    .orderBy('wallets.id')
    .execute()
  const byUsername = Map.groupBy(rows, ({ username }) => username ?? '')
  return new Map([...byUsername].map(([username, owned]) => [username, owned.map(toWallet)]))
}

/** Whom wallets belong to, for showing the other side of a transfer. */
export async function findWalletOwners(
  db: Database,
  ids: readonly string[],
): Promise<Map<string, WalletOwner>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('wallets')
    .innerJoin('users', 'users.id', 'wallets.user_id')
    .select(['wallets.id', 'wallets.number', 'users.username', 'users.name'])
    .where('wallets.id', 'in', ids)
    .execute()
  return new Map(
    rows.map((row) => [
      row.id,
      { walletId: row.id, number: String(row.number), username: row.username, name: row.name },
    ]),
  )
}
