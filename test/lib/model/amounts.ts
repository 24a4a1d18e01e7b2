/** Amounts as the API reads and writes them. */

/** An own asset of the house, whose code ends with its number of decimals. */
export type Currency = string

export const scaleOf = (currency: Currency): number => Number(currency.at(-1))

const plain = /^-?\d+(\.\d+)?$/

/** The same text for amounts that are written differently; undefined when it is none. */
export function canonicalAmount(amount: string): string | undefined {
  if (!plain.test(amount) || amount.length > 64) return undefined
  const [whole = '', fraction = ''] = amount.split('.')
  return `${BigInt(whole.replace('-', ''))}.${fraction.replace(/0+$/, '')}${amount.startsWith('-')}`
}

/** Minor units, or the code of the refusal. */
export function readMinor(amount: string, currency: Currency): bigint | string {
  if (!plain.test(amount)) return 'amount_malformed'
  const [whole = '', fraction = ''] = amount.split('.')
  const scale = scaleOf(currency)
  if (fraction.length > scale) return 'amount_too_precise'
  const minor = BigInt(whole + fraction.padEnd(scale, '0'))
  if (minor <= 0n) return 'amount_not_positive'
  return minor > 2n ** 127n ? 'amount_too_large' : minor
}

/** Minor units of what the API has written, which may be less than nothing. */
export function readShown(amount: string, currency: Currency): bigint {
  const [whole = '', fraction = ''] = amount.split('.')
  return BigInt(whole + fraction.padEnd(scaleOf(currency), '0'))
}

/** Minor units as the API writes them. */
export function showMinor(minor: bigint, currency: Currency): string {
  const scale = scaleOf(currency)
  const digits = String(minor).padStart(scale + 1, '0')
  return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
