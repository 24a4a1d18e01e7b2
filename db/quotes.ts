import type { Database } from './database.ts'
import { lockUser } from './users.ts'

/** Terms at which a user may exchange once; amounts in minor units. */
export interface NewQuote {
  id: string
  /** Of the exchange that uses it. */
  exchangeId: string
  userId: string
  /** Of the rate that it was made of. */
  rateNumber: bigint
  side: 'sell' | 'buy'
  from: string
  to: string
  fromMinor: bigint
  toMinor: bigint
  spreadMinor: bigint
  /** What it costs on top of `fromMinor`, and by which fee schedule. */
  fee: { amountMinor: bigint; ruleNumber: bigint } | undefined
  /** About when its time is over. */
  endsAt: Date
}

/** A quote with the rate that it was made of. */
export interface QuoteRow extends NewQuote {
  base: string
  /** Decimal text. */
  mid: string
  spreadBasisPoints: number
}

/** Writes a quote down, unless the user has `openMax` whose time is not over; answers whether it was. */
export async function insertQuote(
  db: Database,
  quote: NewQuote,
  { openMax, now }: { openMax: number; now: Date },
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    await lockUser(trx, quote.userId)
    const { open } = await trx
      .selectFrom('quotes')
      .select(({ fn }) => fn.countAll<bigint>().as('open'))
      .where('user_id', '=', quote.userId)
      .where('ends_at', '>', now)
      .executeTakeFirstOrThrow()
    if (open >= BigInt(openMax)) return false
    await trx
      .insertInto('quotes')
      .values({
        id: quote.id,
        exchange_id: quote.exchangeId,
        user_id: quote.userId,
        rate_number: quote.rateNumber,
        side: quote.side,
        from_currency: quote.from,
        to_currency: quote.to,
        from_minor: String(quote.fromMinor),
        to_minor: String(quote.toMinor),
        spread_minor: String(quote.spreadMinor),
        fee_minor: quote.fee ? String(quote.fee.amountMinor) : null,
        fee_number: quote.fee?.ruleNumber ?? null,
        ends_at: quote.endsAt,
      })
      .execute()
    return true
  })
}

/** A quote by its own id, or by that of the exchange that uses it. */
export async function findQuoteRow(
  db: Database,
  by: { id: string } | { exchangeId: string },
): Promise<QuoteRow | undefined> {
  const row = await db
    .selectFrom('quotes')
    .innerJoin('exchange_rates', 'exchange_rates.number', 'quotes.rate_number')
    .selectAll('quotes')
    .select(['exchange_rates.base', 'exchange_rates.mid', 'exchange_rates.spread_basis_points'])
    .where('id' in by ? 'quotes.id' : 'quotes.exchange_id', '=', 'id' in by ? by.id : by.exchangeId)
    .executeTakeFirst()
  return (
    row && {
      id: row.id,
      exchangeId: row.exchange_id,
      userId: row.user_id,
      rateNumber: row.rate_number,
      side: row.side,
      from: row.from_currency,
      to: row.to_currency,
      fromMinor: BigInt(row.from_minor),
      toMinor: BigInt(row.to_minor),
      spreadMinor: BigInt(row.spread_minor),
      fee:
        row.fee_minor === null || row.fee_number === null
          ? undefined
          : { amountMinor: BigInt(row.fee_minor), ruleNumber: row.fee_number },
      endsAt: row.ends_at,
      base: row.base,
      mid: row.mid,
      spreadBasisPoints: row.spread_basis_points,
    }
  )
}
