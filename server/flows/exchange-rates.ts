import { canonicalRate, isFarFromLast } from '../../accounting/rates.ts'
import {
  type ExchangeRateRow,
  findExchangeRate,
  insertApprovedRate,
  insertExchangeRate,
  listRateHistory,
  type NewExchangeRate,
  pairOf,
} from '../../db/exchange-rates.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode, refuseField } from '../refusals.ts'
import { readCurrency } from './amount.ts'

type RateDeps = Pick<Deps, 'db' | 'nowMs' | 'settings'>

/**
 * Sets the rate of a pair of currencies, in both directions, until a time. It happens once under the
 * rate's id: the same again answers the same (`replayed`). Quotes that were made before keep their terms.
 * Refusals: currency_not_supported, invalid_request for what is no rate, a pair of one currency or a time
 * that is over, idempotency_key_reused for another rate of this id.
 */
export async function setExchangeRate(
  deps: RateDeps,
  told: NewExchangeRate,
): Promise<{ rate: ExchangeRateRow; replayed: boolean }> {
  const rate = { ...told, mid: readMid(told.mid) }
  const before = await findExchangeRate(deps.db, rate.id)
  if (!before) {
    await checkPair(deps, rate)
    await insertExchangeRate(deps.db, rate)
    deps.settings.forget()
  }
  const stored = before ?? (await findExchangeRate(deps.db, rate.id))
  if (!stored) throw refuseOver()
  if (!isSameRate(stored, rate)) throw new Refusal('idempotency_key_reused')
  return { rate: stored, replayed: before !== undefined }
}

/** A rate's canonical text. Refusal: invalid_request. */
export function readMid(text: string): string {
  const mid = canonicalRate(text)
  if (mid !== undefined) return mid
  const message = 'must be a plain decimal above zero with up to 18 digits on each side'
  throw refuseField({ pointer: '/mid', message })
}

/** Refusals: currency_not_supported, invalid_request. */
export async function checkRate(deps: RateDeps, rate: NewExchangeRate): Promise<void> {
  await checkPair(deps, rate)
  if (rate.validUntil.getTime() <= deps.nowMs()) throw refuseOver()
}

async function checkPair(
  deps: Pick<Deps, 'settings'>,
  { base, quote }: Pick<NewExchangeRate, 'base' | 'quote'>,
): Promise<void> {
  for (const currency of [base, quote]) await readCurrency(deps, currency)
  if (base === quote) {
    throw refuseField({ in: 'path', pointer: 'quote', message: 'must be another currency' })
  }
}

const refuseOver = () => refuseField({ pointer: '/valid_until', message: 'must be in the future' })

/** Whether two rates say the same, about the same pair in the same direction. */
export function isSameRate(a: NewExchangeRate, b: NewExchangeRate): boolean {
  const parts = ({ base, quote, mid, spreadBasisPoints, source, validUntil }: NewExchangeRate) =>
    JSON.stringify([base, quote, mid, spreadBasisPoints, source, validUntil.getTime()])
  return parts(a) === parts(b)
}

/**
 * The last rate of a pair, if a rate is farther from it than it may be without a second look
 * (RATE_APPROVAL_PERCENT); the first one of a pair is far from none.
 */
export async function findFarFrom(
  { config, settings }: Pick<Deps, 'config' | 'settings'>,
  rate: Pick<NewExchangeRate, 'base' | 'quote' | 'mid'>,
): Promise<ExchangeRateRow | undefined> {
  const { exchangeRates } = await settings.read()
  const last = exchangeRates.get(pairOf(rate.base, rate.quote))
  return last && isFarFromLast(last, rate, config.rateApprovalPercent) ? last : undefined
}

/** A rate that an operator asks for, under the id of its approval. */
export interface ExchangeRateBody {
  base: string
  quote: string
  /** Canonical decimal text. */
  mid: string
  spread_basis_points: number
  source: string
  /** RFC 3339. */
  valid_until: string
}

/** Refusal: exchange_rate_expired, for what would be over before it is in force. */
export async function checkExchangeRate(
  { nowMs }: Pick<Deps, 'nowMs'>,
  { valid_until }: ExchangeRateBody,
): Promise<void> {
  if (Date.parse(valid_until) <= nowMs()) throw new Refusal('exchange_rate_expired')
}

/**
 * Sets a rate that is approved, once, unless another one of the pair was set since. Answers why it could
 * not be set, or null.
 */
export async function addExchangeRate(
  { db, nowMs, settings }: RateDeps,
  { spread_basis_points, valid_until, ...terms }: ExchangeRateBody,
  { id, approvedAt }: { id: string; approvedAt: Date },
): Promise<RefusalCode | null> {
  if (await findExchangeRate(db, id)) return null
  const validUntil = new Date(valid_until)
  // Of what was checked when it was asked for, only the time can be another one by now.
  if (validUntil.getTime() <= nowMs()) return 'exchange_rate_expired'
  const rate = { id, ...terms, spreadBasisPoints: spread_basis_points, validUntil }
  const isNewest = await insertApprovedRate(db, rate, approvedAt)
  settings.forget()
  if (!isNewest) return 'superseded'
  return (await findExchangeRate(db, id)) ? null : 'exchange_rate_expired'
}

/**
 * The rate of two currencies in whichever direction. Refusal: no_exchange_rate, when none was set or its
 * time is over.
 */
export async function readRate(
  { nowMs, settings }: Pick<Deps, 'nowMs' | 'settings'>,
  from: string,
  to: string,
): Promise<ExchangeRateRow> {
  const { exchangeRates } = await settings.read()
  const rate = exchangeRates.get(pairOf(from, to))
  if (!rate || rate.validUntil.getTime() <= nowMs()) throw new Refusal('no_exchange_rate')
  return rate
}

/** A page of the rates in force by number, those after the number `after`. */
export async function listRatesInForce(
  { nowMs, settings }: Pick<Deps, 'nowMs' | 'settings'>,
  { after, limit }: { after: bigint; limit: number },
): Promise<ExchangeRateRow[]> {
  const { exchangeRates } = await settings.read()
  return [...exchangeRates.values()]
    .filter(({ number, validUntil }) => number > after && validUntil.getTime() > nowMs())
    .slice(0, limit)
}

/** A page of all rates that a pair ever had, newest first, in whichever direction they were set. */
export async function readRateHistory(
  { db }: Pick<Deps, 'db'>,
  { base, quote }: { base: string; quote: string },
  page: { before: bigint | undefined; limit: number },
): Promise<ExchangeRateRow[]> {
  return listRateHistory(db, pairOf(base, quote), page)
}
