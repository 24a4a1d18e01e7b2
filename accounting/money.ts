/**
 * Amounts: `bigint` minor units inside, decimal text in major units outside, never a float.
 */
import type { Asset } from './chart.ts'

/** Why a text is not an amount that can be moved. */
export type AmountFault =
  | 'amount_malformed'
  | 'amount_not_positive'
  | 'amount_too_precise'
  | 'amount_too_large'

/**
 * The largest amount of one transfer in minor units. Half of TigerBeetle's 128 bits, so that
 * neither a sum of two amounts nor `amount_max` (which means "all") can be reached by input.
 */
export const amountMaxMinor = 2n ** 127n

/** Longer texts are not looked at: 2^127 has 39 digits, a currency at most a few decimals. */
const textLengthMax = 64

const decimal = /^(-?)(\d+)(?:\.(\d+))?$/

/**
 * Reads an amount in major units, written as plain decimal text ("115.60", "7", "0.5"), into minor
 * units. More decimals than the currency has are a fault, never a rounding, even when they are zeros
 * ("1.000" of a currency with two). Exponents, signs other than a minus, separators, blanks: malformed.
 */
export function parseAmount(text: string, asset: Asset): bigint | AmountFault {
  const minor = parseDecimal(text, asset)
  if (typeof minor === 'string') return minor
  if (minor <= 0n) return 'amount_not_positive'
  return minor > amountMaxMinor ? 'amount_too_large' : minor
}

/**
 * The same for what may be nothing or negative, as a balance or a line of a bank statement. Zeros at the
 * end that the currency has no place for are let pass: they are no part of the number.
 */
export function parseSignedAmount(
  text: string,
  asset: Asset,
): bigint | Exclude<AmountFault, 'amount_not_positive'> {
  const canonical = canonicalAmount(text)
  if (canonical === undefined) return 'amount_malformed'
  const minor = parseDecimal(canonical, asset)
  if (typeof minor === 'string') return minor
  return minor > amountMaxMinor || minor < -amountMaxMinor ? 'amount_too_large' : minor
}

function parseDecimal(
  text: string,
  asset: Asset,
): bigint | 'amount_malformed' | 'amount_too_precise' {
  if (text.length > textLengthMax) return 'amount_malformed'
  const match = decimal.exec(text)
  if (!match) return 'amount_malformed'
  const [, sign, whole, fraction = ''] = match
  if (fraction.length > asset.scale) return 'amount_too_precise'
  const minor = BigInt(whole + fraction.padEnd(asset.scale, '0'))
  return sign ? -minor : minor
}

/** Writes minor units as decimal text in major units with all decimals of the asset: "-0.05", "7.00". */
export function formatAmount(minor: bigint, asset: Asset): string {
  const sign = minor < 0n ? '-' : ''
  const digits = String(minor < 0n ? -minor : minor).padStart(asset.scale + 1, '0')
  const split = digits.length - asset.scale
  return `${sign}${digits.slice(0, split)}${asset.scale ? `.${digits.slice(split)}` : ''}`
}

/**
 * One text for all texts of the same number ("007.50" and "7.5"), or undefined when the text is no
 * plain decimal number. For comparing inputs before their currency is known.
 */
export function canonicalAmount(text: string): string | undefined {
  if (text.length > textLengthMax) return undefined
  const match = decimal.exec(text)
  if (!match) return undefined
  const [, sign, whole, fraction = ''] = match
  const digits = fraction.replace(/0+$/, '')
  return `${sign}${whole!.replace(/^0+(?=\d)/, '')}${digits && `.${digits}`}`
}
