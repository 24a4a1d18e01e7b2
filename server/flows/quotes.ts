import {
  exchangeId,
  giveQuoteRight,
  type QuoteRight,
  readQuoteRight,
} from '../../accounting/exchange.ts'
import type { Uuid } from '../../accounting/ids.ts'
import {
  customerRate,
  type ExchangeSide,
  midFrom,
  priceExchange,
  showRatio,
} from '../../accounting/rates.ts'
import { findOperation } from '../../accounting/transfers.ts'
import { mintId } from '../../db/ids.ts'
import { findQuoteRow, insertQuote, type QuoteRow } from '../../db/quotes.ts'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { readAmount, readCurrency } from './amount.ts'
import { readRate } from './exchange-rates.ts'
import { findFeeInForce } from './fees.ts'
import { toLedgerTime } from './ledger-time.ts'

export interface QuoteInput {
  /** The currency that is given, and the one that is got. */
  from: string
  to: string
  /** Decimal text in major units: of `from` to sell, of `to` to buy. */
  amount: string
  side: ExchangeSide
  expiresInSeconds: number
}

/** A quote: its terms, and what the ledger has of its right. */
export type Quote = QuoteRow & Pick<QuoteRight, 'state' | 'timestamp' | 'deadline'>

export type QuoteDeps = Pick<Deps, 'db' | 'ledger' | 'nowMs'>

/** How many quotes of one user may be within their time at once, also used ones. */
const openQuotesMax = 20

/**
 * Promises a rate and a fee for one exchange: the terms are written down, then the ledger gives a right that ends by
 * itself, no later than the rate. When the ledger does not answer in time, nobody gets to know the
 * quote's id: a right that comes late is of no use and runs out.
 * Refusals: currency_not_supported, no_exchange_rate, those of amounts, amount_too_small,
 * too_many_quotes_open.
 */
export async function makeQuote(
  deps: QuoteDeps & Pick<Deps, 'settings'>,
  caller: Customer,
  input: QuoteInput,
): Promise<Quote> {
  const { side } = input
  const [from, to] = [await readCurrency(deps, input.from), await readCurrency(deps, input.to)]
  const rate = await readRate(deps, input.from, input.to)
  const nowMs = deps.nowMs()
  const rateSeconds = Math.floor((rate.validUntil.getTime() - nowMs) / 1000)
  const timeoutSeconds = Math.min(input.expiresInSeconds, rateSeconds)
  if (timeoutSeconds < 1) throw new Refusal('no_exchange_rate')
  const amountMinor = readAmount(input.amount, side === 'sell' ? from : to)
  const amounts = priceExchange(rate, { from, to, side, amountMinor })
  if (typeof amounts === 'string') throw new Refusal(amounts)
  const priced = { operation: 'exchange', asset: from, amountMinor: amounts.fromMinor } as const
  const id = mintId()
  const row = {
    ...amounts,
    fee: await findFeeInForce(deps, priced),
    id,
    exchangeId: exchangeId(id),
    userId: caller.userId,
    rateNumber: rate.number,
    side,
    from: input.from,
    to: input.to,
    endsAt: new Date(nowMs + timeoutSeconds * 1000),
  }
  // A ledger that does not answer says so here, before there is a row: who tries on and on would soon have
  // as many quotes as may be open, and none of them given.
  await findOperation(deps.ledger, id)
  const isOpen = { openMax: openQuotesMax, now: new Date(nowMs) }
  if (!(await insertQuote(deps.db, row, isOpen))) {
    throw new Refusal(
      'too_many_quotes_open',
      `Up to ${openQuotesMax} can be made within their time, used ones included.`,
    )
  }
  const given = await giveQuoteRight(deps.ledger, { id, from, to }, timeoutSeconds)
  if (given.kind !== 'done') throw new Error(`quote ${id} was not given: ${given.kind}`)
  const { timestamp } = given.operation
  const deadline = timestamp + toLedgerTime(timeoutSeconds * 1000)
  const { base, mid, spreadBasisPoints } = rate
  return { ...row, base, mid, spreadBasisPoints, state: 'open', timestamp, deadline }
}

/** A quote of the caller. Refusal: quote_not_found, also for those of others. */
export async function findQuote(deps: QuoteDeps, caller: Customer, id: Uuid): Promise<Quote> {
  const row = await findQuoteRow(deps.db, { id })
  if (row?.userId !== caller.userId) throw new Refusal('quote_not_found')
  const right = await readQuoteRight(deps.ledger, id, toLedgerTime(deps.nowMs()))
  if (!right) throw new Refusal('quote_not_found')
  const { state, timestamp, deadline } = right
  return { ...row, state, timestamp, deadline }
}

/** The rates of a quote, for one unit of what is given; to be shown, the amounts are exact. */
export function showTerms(quote: QuoteRow): {
  rate: string
  mid: string
  spreadBasisPoints: number
} {
  return {
    rate: showRatio(customerRate(quote, quote.from)),
    mid: showRatio(midFrom(quote, quote.from)),
    spreadBasisPoints: quote.spreadBasisPoints,
  }
}
