/**
 * A bank statement, whatever format it came in: what a bank or payment system says that happened on the
 * account which it keeps for the house. Amounts are signed as the account's holder sees them: money in is
 * positive, money out is negative, both in minor units of their currency.
 */
import { type Asset, findAsset } from '../../accounting/chart.ts'
import { parseSignedAmount } from '../../accounting/money.ts'

/** A day of the calendar, counted from 1970-01-01. */
export type Day = number

export interface StatementLine {
  /** The bank's own id of the line; undefined when it gives none. */
  bankId: string | undefined
  /** Under what the payment is known to those who took part in it, the most telling one first. */
  references: readonly string[]
  currency: string
  amountMinor: bigint
  bookingDay: Day
  valueDay: Day | undefined
  text: string
  /** Where it is in the file, from 1. */
  fileLine: number
}

export interface Statement {
  /** As the bank names it. */
  id: string
  /** As the bank numbers it. */
  account: string
  currency: string
  /** The first and the last day that it tells of. */
  from: Day
  to: Day
  /** Undefined when the statement does not tell it: then it cannot be added up. */
  openingMinor: bigint | undefined
  closingMinor: bigint | undefined
  lines: readonly StatementLine[]
  /** Entries that are no lines: not booked yet, or of nothing. */
  skippedCount: number
  /** Where it begins. */
  fileName: string
  fileLine: number
}

/** A file that is no statement, with the line (from 1) that says so; undefined when it is all of it. */
export class StatementError extends Error {
  readonly fileLine: number | undefined

  constructor(fileName: string, fileLine: number | undefined, problem: string) {
    super(`${fileName}${fileLine === undefined ? '' : `:${fileLine}`}: ${problem}`)
    this.fileLine = fileLine
  }
}

/** A file as it is read: its name for messages, and its text. */
export interface StatementFile {
  name: string
  text: string
}

/** Says what is wrong at a line of a file. */
export type Fail = (fileLine: number | undefined, problem: string) => StatementError

export const failIn =
  ({ name }: Pick<StatementFile, 'name'>): Fail =>
  (fileLine, problem) =>
    new StatementError(name, fileLine, problem)

/** More lines than this are no statement but a mistake. */
export const linesMax = 500_000
/** Longer texts are cut, longer references are left out. */
const textLengthMax = 500
const referenceLengthMax = 255
const referencesMax = 32

const msPerDay = 86_400_000

/** The day of a date as ISO 8601 writes it (YYYY-MM-DD); undefined when there is no such day. */
export function parseDay(text: string): Day | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined
  const ms = Date.parse(`${text}T00:00:00Z`)
  // What is no day of its month is taken for one of the next by some, and for none by others.
  return Number.isNaN(ms) || showDay(ms / msPerDay) !== text ? undefined : ms / msPerDay
}

/** A day as ISO 8601 writes it. */
export const showDay = (day: Day): string => startOfDay(day).toISOString().slice(0, 10)

/** The first moment of a day in UTC. */
export const startOfDay = (day: Day): Date => new Date(day * msPerDay)

/**
 * Tells on which day something happened by the calendar of a time zone, as IANA names it. Throws
 * RangeError for a name that is none.
 */
export function dayIn(timeZone: string): (at: Date) => Day {
  const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, ...parts })
  return (at) => parseDay(format.format(at)) ?? Math.floor(at.getTime() / msPerDay)
}

/** Reads the day of a date; fails for what is none. */
export function readDay(text: string, fileLine: number, fail: Fail, name: string): Day {
  const day = parseDay(text)
  if (day === undefined) throw fail(fileLine, `${name} ${quote(text)} is no date`)
  return day
}

/** Reads a currency; fails for one that the chart of accounts does not have. */
export function readAsset(code: string, fileLine: number, fail: Fail): Asset {
  const asset = findAsset(code)
  if (!asset) throw fail(fileLine, `currency ${quote(code)} is not in the chart of accounts`)
  return asset
}

const faults = {
  amount_malformed: 'is no decimal number',
  amount_too_precise: 'has more decimals than its currency',
  amount_too_large: 'is too large',
} as const

/** Reads an amount in major units, which may be negative, to the last digit; minor units. */
export function readSigned(text: string, asset: Asset, fileLine: number, fail: Fail): bigint {
  const minor = parseSignedAmount(text, asset)
  if (typeof minor === 'bigint') return minor
  throw fail(fileLine, `amount ${quote(text)} of ${asset.currency} ${faults[minor]}`)
}

/** What payment systems write where there is no reference. */
const noReference = new Set(['', 'NOTPROVIDED', 'NONREF'])

/** References without those that say nothing, each once. */
export function toReferences(texts: readonly string[]): string[] {
  const trimmed = texts.map((text) => text.trim().toWellFormed())
  const telling = trimmed.filter(
    (text) => !noReference.has(text.toUpperCase()) && text.length <= referenceLengthMax,
  )
  return [...new Set(telling)].slice(0, referencesMax)
}

/** A text of the statement, as long as it is kept. */
export const toText = (text: string): string => text.trim().slice(0, textLengthMax).toWellFormed()

/** A text of the file for a message. */
export const quote = (text: string): string => JSON.stringify(text.slice(0, 60))

/** The first and the last of some days; undefined for none. */
export function spanOf(days: readonly Day[]): { from: Day; to: Day } | undefined {
  const [first] = days
  if (first === undefined) return undefined
  let span = { from: first, to: first }
  for (const day of days) span = { from: Math.min(span.from, day), to: Math.max(span.to, day) }
  return span
}
