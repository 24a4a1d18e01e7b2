/** Parts of an hledger journal (https://hledger.org/hledger.html, journal format). */
import type { Asset } from '../../accounting/chart.ts'
import { formatAmount } from '../../accounting/money.ts'

/** The day of a ledger time (ns since 1970) in UTC, and its time of day to the nanosecond. */
export function showDay(timestamp: bigint): { day: string; time: string } {
  const iso = new Date(Number(timestamp / 1_000_000n)).toISOString()
  const fraction = String(timestamp % 1_000_000_000n).padStart(9, '0')
  return { day: iso.slice(0, 10), time: `${iso.slice(11, 19)}.${fraction}Z` }
}

/** The symbol of an asset: one with digits in it has to be quoted. */
function symbolOf({ currency }: Asset): string {
  return /^[A-Z]+$/.test(currency) ? currency : `"${currency}"`
}

/** An amount with its commodity, `-11.10 USD`. */
export function journalAmount(minor: bigint, asset: Asset): string {
  return `${formatAmount(minor, asset)} ${symbolOf(asset)}`
}

/** The directive that gives a commodity its number of decimals. */
export function commodityLine(asset: Asset): string {
  const fraction = '0'.repeat(asset.scale)
  return `commodity 1000.${fraction} ${symbolOf(asset)}\n`
}

/** The directive that declares an account. */
export const accountLine = (account: string): string => `account ${account}\n`

/** Without it `1.000` could be read as a thousand. */
export const decimalMarkLine = 'decimal-mark .\n'

/**
 * Text that somebody wrote as a part of a description: on one line, and without what begins a comment, in
 * which words with a colon would mean something, or a note.
 */
export function journalText(text: string): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replaceAll(';', ',')
    .replaceAll('|', '/')
    .trim()
}

/** A posting, its amount right-aligned where that fits. */
export function postingLine(account: string, amount: string, comment = ''): string {
  return `    ${account.padEnd(44)}  ${amount.padStart(20)}${comment}\n`
}
