import type { Database } from './database.ts'

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

/** All of them, in the order in which they were added. */
export async function listCurrencies(db: Database): Promise<CurrencyRow[]> {
  const rows = await db.selectFrom('currencies').selectAll().orderBy('number').execute()
  return rows.map((row) => ({
    currency: row.currency,
    ledger: row.ledger,
    scale: row.scale,
    name: row.name,
    isOwn: row.is_own,
    closedAt: row.closed_at,
  }))
}

/** Adds a currency of ISO 4217, unless it is there. */
export async function insertCurrency(
  db: Database,
  { currency, ledger, scale, name }: Pick<CurrencyRow, 'currency' | 'ledger' | 'scale' | 'name'>,
): Promise<void> {
  await db
    .insertInto('currencies')
    .values({ currency, ledger, scale, name, is_own: false })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}
