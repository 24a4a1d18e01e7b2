/**
 * Exchange rates: exact decimals outside, fractions of `bigint` inside, never a float. Whatever has to be
 * rounded is rounded against the customer.
 */
import type { Asset } from './chart.ts'
import { amountMaxMinor, canonicalAmount } from './money.ts'

/** One `base` is worth `mid` of another currency, in major units; the house keeps the spread of it. */
export interface RateTerms {
  base: string
  /** Plain decimal text, more than zero. */
  mid: string
  /** Hundredths of a percent that the customer gets less than `mid`. */
  spreadBasisPoints: number
}

/** A positive number, exactly. */
export interface Ratio {
  numerator: bigint
  denominator: bigint
}

/** What is named by the customer: what is given (`sell`), or what is got (`buy`). */
export type ExchangeSide = 'sell' | 'buy'

/** The amounts of an exchange in minor units of their currencies. */
export interface ExchangeAmounts {
  /** What the customer gives. */
  fromMinor: bigint
  /** What the customer gets. */
  toMinor: bigint
  /** What the house keeps of the currency that is got. */
  spreadMinor: bigint
}

export type ExchangeFault = 'amount_too_small' | 'amount_too_large'

/** The most digits before and after the point of a rate. */
const wholeDigitsMax = 18
const fractionDigitsMax = 18
const basisPointsOfOne = 10_000n
/** Of a rate that is shown and that need not be a decimal number. */
const shownDigits = 12

/** One text for all texts of the same rate; undefined when it is no plain positive decimal of that length. */
export function canonicalRate(text: string): string | undefined {
  const canonical = canonicalAmount(text)
  if (canonical === undefined || canonical.startsWith('-') || canonical === '0') return undefined
  const [whole = '', fraction = ''] = canonical.split('.')
  const fits = whole.length <= wholeDigitsMax && fraction.length <= fractionDigitsMax
  return fits ? canonical : undefined
}

/** How much of the other currency one `from` is worth before the spread, in major units. */
export function midFrom({ base, mid }: Pick<RateTerms, 'base' | 'mid'>, from: string): Ratio {
  const [whole = '', fraction = ''] = mid.split('.')
  const numerator = BigInt(whole + fraction)
  const denominator = 10n ** BigInt(fraction.length)
  return from === base
    ? { numerator, denominator }
    : { numerator: denominator, denominator: numerator }
}

/** How much of it the customer gets for one `from`, in major units. */
export function customerRate(terms: RateTerms, from: string): Ratio {
  const { numerator, denominator } = midFrom(terms, from)
  return {
    numerator: numerator * (basisPointsOfOne - BigInt(terms.spreadBasisPoints)),
    denominator: denominator * basisPointsOfOne,
  }
}

/**
 * The amounts of an exchange, of which the customer names one (minor units of `from` to sell, of `to` to
 * buy). What is got is rounded down, what is given is rounded up.
 */
export function priceExchange(
  terms: RateTerms,
  order: { from: Asset; to: Asset; side: ExchangeSide; amountMinor: bigint },
): ExchangeAmounts | ExchangeFault {
  const { from, to, side, amountMinor } = order
  const toMinorUnits = ({ numerator, denominator }: Ratio): Ratio => ({
    numerator: numerator * 10n ** BigInt(to.scale),
    denominator: denominator * 10n ** BigInt(from.scale),
  })
  const rate = toMinorUnits(customerRate(terms, from.currency))
  const fromMinor = side === 'sell' ? amountMinor : divideUp(amountMinor, rate)
  const toMinor = side === 'sell' ? multiplyDown(amountMinor, rate) : amountMinor
  const wholeMinor = multiplyDown(fromMinor, toMinorUnits(midFrom(terms, from.currency)))
  if (toMinor === 0n) return 'amount_too_small'
  if (fromMinor > amountMaxMinor || wholeMinor > amountMaxMinor) return 'amount_too_large'
  return { fromMinor, toMinor, spreadMinor: wholeMinor - toMinor }
}

const multiplyDown = (minor: bigint, { numerator, denominator }: Ratio): bigint =>
  (minor * numerator) / denominator

const divideUp = (minor: bigint, { numerator, denominator }: Ratio): bigint =>
  (minor * denominator + numerator - 1n) / numerator

/** Whether the mid of a pair, in whichever direction, differs from an earlier one by more than so many percent. */
export function isFarFromLast(
  last: Pick<RateTerms, 'base' | 'mid'>,
  next: Pick<RateTerms, 'base' | 'mid'>,
  percent: number,
): boolean {
  const before = midFrom(last, next.base)
  const after = midFrom(next, next.base)
  const [a, b] = [before.numerator * after.denominator, after.numerator * before.denominator]
  return (b > a ? b - a : a - b) * 100n > a * BigInt(percent)
}

/** A ratio as decimal text of twelve significant digits, rounded down: to be shown, not to be calculated with. */
export function showRatio({ numerator, denominator }: Ratio): string {
  let decimals = shownDigits - String(numerator / denominator).length
  if (numerator < denominator) {
    decimals = shownDigits
    for (let shifted = numerator * 10n; shifted < denominator; shifted *= 10n) decimals += 1
  }
  if (decimals <= 0) return String(numerator / denominator)
  const digits = String((numerator * 10n ** BigInt(decimals)) / denominator)
  const padded = digits.padStart(decimals + 1, '0')
  const split = padded.length - decimals
  return `${padded.slice(0, split)}.${padded.slice(split)}`.replace(/\.?0+$/, '')
}
