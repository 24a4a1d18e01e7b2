import { type Selectable, sql } from 'kysely'
import type { Database } from './database.ts'
import type { CurrenciesTable } from './schema.ts'

/** A currency or an own asset that wallets can be in, or could. */
export interface CurrencyRow {
  currency: string
  /** TigerBeetle ledger. */
  ledger: number
  /** Number of decimals. */
  scale: number
  name: string
  /** Registered by an operator, and not a currency of ISO 4217. */
  isOwn: boolean
  /** Since when no new wallet can be opened in it. */
  closedAt: Date | null
}

function toCurrency(row: Selectable<CurrenciesTable>): CurrencyRow {
  return {
    currency: row.currency,
    ledger: row.ledger,
    scale: row.scale,
    name: row.name,
    isOwn: row.is_own,
    closedAt: row.closed_at,
  }
}

/** All of them, in the order in which they were added. */
export async function listCurrencies(db: Database): Promise<CurrencyRow[]> {
  const rows = await db.selectFrom('currencies').selectAll().orderBy('number').execute()
  return rows.map(toCurrency)
}

/** A currency of ISO 4217 as the standard describes it. */
type Described = Pick<CurrencyRow, 'currency' | 'ledger' | 'scale' | 'name'>

/** Adds a currency of ISO 4217, unless it is there. */
export async function insertCurrency(
  db: Database,
  { currency, ledger, scale, name }: Described,
): Promise<void> {
  await db
    .insertInto('currencies')
    .values({ currency, ledger, scale, name, is_own: false })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/**
 * Opens a currency for new wallets or closes it, and names it anew if a name is given. Undefined when it
 * is not there. One that is closed already keeps the time since when.
 */
export async function updateCurrency(
  db: Database,
  currency: string,
  { isClosed, name }: { isClosed: boolean; name?: string | undefined },
): Promise<CurrencyRow | undefined> {
  const row = await db
    .updateTable('currencies')
    .set({
      closed_at: isClosed ? sql<Date>`coalesce(closed_at, now())` : null,
      ...(name === undefined ? {} : { name }),
    })
    .where('currency', '=', currency)
    .returningAll()
    .executeTakeFirst()
  return row && toCurrency(row)
}

/**
 * Registers an own asset under the next free ledger, or answers the one that has its code already
 * (`isNew` false); undefined when there are `ownMax` of them.
 */
export async function insertOwnAsset(
  db: Database,
  { ownMax, ...asset }: { currency: string; name: string; scale: number; ownMax: number },
): Promise<{ row: CurrencyRow; isNew: boolean } | undefined> {
  return db.transaction().execute(async (trx) => {
    // One at a time: nobody else adds any after these were counted. Reading goes on.
    await sql`LOCK TABLE currencies IN SHARE ROW EXCLUSIVE MODE`.execute(trx)
    const rows = await listCurrencies(trx)
    const known = rows.find(({ currency }) => currency === asset.currency)
    if (known) return { row: known, isNew: false }
    if (rows.filter(({ isOwn }) => isOwn).length >= ownMax) return undefined
    const row = await trx
      .insertInto('currencies')
      .values({ ...asset, ledger: sql<number>`nextval('own_ledgers')`, is_own: true })
      .returningAll()
      .executeTakeFirstOrThrow()
    return { row: toCurrency(row), isNew: true }
  })
}
