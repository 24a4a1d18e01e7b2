import { type Selectable, sql } from 'kysely'
import type { Database } from './database.ts'
import type { ExchangeRatesTable } from './schema.ts'
import { insertUnlessSuperseded } from './superseding.ts'

/** One `base` is worth `mid` of `quote`, in major units. */
export interface NewExchangeRate {
  id: string
  base: string
  quote: string
  /** Plain decimal text. */
  mid: string
  spreadBasisPoints: number
  /** Where it comes from, for people. */
  source: string
  validUntil: Date
}

export interface ExchangeRateRow extends NewExchangeRate {
  /** Grows with each rate. */
  number: bigint
  createdAt: Date
}

/** Two currencies, whichever of them is the base. */
export const pairOf = (a: string, b: string): string => (a < b ? `${a}/${b}` : `${b}/${a}`)

function toRate(row: Selectable<ExchangeRatesTable>): ExchangeRateRow {
  const { number, id, base, quote, mid, source } = row
  const { spread_basis_points: spreadBasisPoints, valid_until, created_at } = row
  const times = { validUntil: valid_until, createdAt: created_at }
  return { number, id, base, quote, mid, spreadBasisPoints, source, ...times }
}

/**
 * Adds a rate, unless there is one of this id or its time is over. So one that comes late, when whoever has
 * sent it was told that its time is over, replaces nothing.
 */
export async function insertExchangeRate(db: Database, rate: NewExchangeRate): Promise<void> {
  const { id, base, quote, mid, spreadBasisPoints, source, validUntil } = rate
  await sql`
    INSERT INTO exchange_rates (id, base, quote, mid, spread_basis_points, source, valid_until)
    SELECT ${id}::uuid, ${base}, ${quote}, ${mid}::numeric, ${spreadBasisPoints}::smallint, ${source},
      ${validUntil}::timestamptz
    WHERE ${validUntil}::timestamptz > clock_timestamp()
    ON CONFLICT (id) DO NOTHING`.execute(db)
}

/** Adds one that was approved, unless another of its pair was added since; answers whether none was. */
export async function insertApprovedRate(
  db: Database,
  rate: NewExchangeRate,
  approvedAt: Date,
): Promise<boolean> {
  const place = { table: 'exchange_rates', key: { pair: pairOf(rate.base, rate.quote) } } as const
  const insert = (trx: Database) => insertExchangeRate(trx, rate)
  return insertUnlessSuperseded(db, { id: rate.id, approvedAt }, place, insert)
}

export async function findExchangeRate(
  db: Database,
  id: string,
): Promise<ExchangeRateRow | undefined> {
  const row = await db
    .selectFrom('exchange_rates')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return row && toRate(row)
}

/**
 * The newest rate of each pair, also when its time is over. However many there are of a pair, only the
 * newest is read: the index gives one pair after the other.
 */
export async function listNewestRates(db: Database): Promise<ExchangeRateRow[]> {
  const { rows } = await sql<Selectable<ExchangeRatesTable>>`
    WITH RECURSIVE pairs AS (
      SELECT min(pair) AS pair FROM exchange_rates
      UNION ALL
      SELECT (SELECT min(pair) FROM exchange_rates WHERE pair > pairs.pair) FROM pairs
      WHERE pairs.pair IS NOT NULL
    )
    SELECT newest.* FROM pairs CROSS JOIN LATERAL (
      SELECT * FROM exchange_rates WHERE pair = pairs.pair ORDER BY number DESC LIMIT 1
    ) newest
    ORDER BY newest.number`.execute(db)
  return rows.map(toRate)
}

/** The rates of a pair in both directions, newest first, those before the number `before`. */
export async function listRateHistory(
  db: Database,
  pair: string,
  { before, limit }: { before: bigint | undefined; limit: number },
): Promise<ExchangeRateRow[]> {
  let query = db.selectFrom('exchange_rates').selectAll().where('pair', '=', pair)
  if (before !== undefined) query = query.where('number', '<', before)
  return (await query.orderBy('number', 'desc').limit(limit).execute()).map(toRate)
}
