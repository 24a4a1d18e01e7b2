/**
 * Statements as CSV (RFC 4180). Every bank has columns of its own: a mapping tells which is which. One
 * file is one statement.
 */
import { CsvError, parse } from 'csv-parse/sync'
import { z } from 'zod'
import type { Asset } from '../../accounting/chart.ts'
import {
  type Fail,
  failIn,
  linesMax,
  parseDay,
  quote,
  readAsset,
  readDay,
  readSigned,
  type Statement,
  StatementError,
  type StatementFile,
  type StatementLine,
  spanOf,
  toReferences,
  toText,
} from './statement.ts'

const lineLengthMax = 64 * 1024

/** A column by the name that the header line gives it. */
const column = z.string().min(1)

/** How a bank writes its dates. */
const dateFormats = {
  'YYYY-MM-DD': /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)(?:[T ].*)?$/,
  YYYYMMDD: /^(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)$/,
  'DD.MM.YYYY': /^(?<day>\d\d)\.(?<month>\d\d)\.(?<year>\d{4})$/,
  'DD/MM/YYYY': /^(?<day>\d\d)\/(?<month>\d\d)\/(?<year>\d{4})$/,
  'MM/DD/YYYY': /^(?<month>\d\d)\/(?<day>\d\d)\/(?<year>\d{4})$/,
} as const

const mappingSchema = z
  .strictObject({
    delimiter: z.enum([',', ';', '\t', '|']).default(','),
    /** Lines before the header. */
    skip_lines: z.int().min(0).max(100).default(0),
    date_format: z
      .enum(Object.keys(dateFormats) as (keyof typeof dateFormats)[])
      .default('YYYY-MM-DD'),
    decimal_separator: z.enum(['.', ',']).default('.'),
    thousands_separator: z.enum(['.', ',', ' ', "'"]).optional(),
    account: z.string().min(1).default('CSV'),
    /** Of the statement; lines can have another one only by a column of their own. */
    currency: z.string(),
    from: z.string().optional(),
    to: z.string().optional(),
    /** Balances before the first and after the last line, as a decimal with a point. */
    opening: z.string().optional(),
    closing: z.string().optional(),
    columns: z
      .strictObject({
        id: column.optional(),
        references: z.array(column).max(8).default([]),
        booking_date: column,
        value_date: column.optional(),
        currency: column.optional(),
        text: z.array(column).max(8).default([]),
        /** Signed, or without a sign when there is a direction. */
        amount: column.optional(),
        /** Which of its values say that money came in and that it went out. */
        direction: z.strictObject({ column, in: z.string(), out: z.string() }).optional(),
        /** In place of `amount`: a column for each direction. */
        in: column.optional(),
        out: column.optional(),
        /** The balance after the line, in a file whose oldest line is the first. */
        balance: column.optional(),
      })
      .refine(
        ({ amount, direction, in: into, out }) =>
          amount === undefined ? into && out && !direction : !into && !out,
        'needs either amount (with or without direction), or in and out',
      ),
  })
  .refine(
    ({ decimal_separator, thousands_separator }) => decimal_separator !== thousands_separator,
    { path: ['thousands_separator'], error: 'must be another than decimal_separator' },
  )

/** Which column of a file means what, and how it writes dates and amounts. */
export type CsvMapping = z.output<typeof mappingSchema>

/** Reads a mapping (JSON that was parsed). Throws StatementError. */
export function readMapping(value: unknown, name: string): CsvMapping {
  const result = mappingSchema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new StatementError(name, undefined, `${issue?.path.join('.')}: ${issue?.message}`)
}

/** The statement of a file; none when it has no line but the header. Throws StatementError. */
export function parseCsv(file: StatementFile, mapping: CsvMapping): Statement[] {
  const fail = failIn(file)
  const asset = readAsset(mapping.currency, 1, fail)
  const rows = readRows(file, mapping, fail)
  const read = createReader(mapping, fail)
  const booked = rows.map((row) => ({ line: read.line(row), balance: read.balance(row, asset) }))
  const span = spanOf(booked.map(({ line }) => line.bookingDay))
  const dayOf = (name: 'from' | 'to') =>
    mapping[name] === undefined ? span?.[name] : readDay(mapping[name], 1, fail, name)
  const [from, to] = [dayOf('from'), dayOf('to')]
  if (from === undefined || to === undefined) return []
  if (from > to) throw fail(1, 'the statement ends before it begins')
  const first = booked[0]
  const balanceOf = (name: 'opening' | 'closing') =>
    mapping[name] === undefined ? undefined : readSigned(mapping[name], asset, 1, fail)
  const lines = booked.map(({ line }) => line).filter(({ amountMinor }) => amountMinor !== 0n)
  return [
    {
      id: file.name,
      account: mapping.account,
      currency: asset.currency,
      from,
      to,
      openingMinor:
        balanceOf('opening') ??
        (first?.balance === undefined ? undefined : first.balance - first.line.amountMinor),
      closingMinor: balanceOf('closing') ?? booked.at(-1)?.balance,
      lines,
      skippedCount: booked.length - lines.length,
      fileName: file.name,
      fileLine: 1,
    },
  ]
}

interface Row {
  cells: Readonly<Record<string, string>>
  fileLine: number
}

function readRows({ text }: StatementFile, mapping: CsvMapping, fail: Fail): Row[] {
  const { delimiter, skip_lines: skipped, columns } = mapping
  let header: string[] = []
  try {
    const rows = parse(text, {
      delimiter,
      from_line: skipped + 1,
      info: true,
      bom: true,
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      max_record_size: lineLengthMax,
      to: linesMax + 2,
    }) as unknown as { record: string[]; info: { lines: number } }[]
    header = (rows.shift()?.record ?? []).map((name) => name.trim())
    requireColumns(header, columns, skipped + 1, fail)
    const tooMany = rows[linesMax]
    if (tooMany) throw fail(tooMany.info.lines, `more than ${linesMax} lines`)
    return rows.map(({ record, info }) => toRow(header, record, info.lines, fail))
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw fail(Number(error.lines ?? 1), `this is not CSV: ${error.message}`)
  }
}

function toRow(header: readonly string[], record: readonly string[], fileLine: number, fail: Fail) {
  if (record.length > header.length && record.slice(header.length).some((cell) => cell.trim())) {
    throw fail(fileLine, `${record.length} cells, and the header has ${header.length}`)
  }
  const cells = header.map((name, index) => [name, (record[index] ?? '').trim()] as const)
  return { cells: Object.fromEntries(cells), fileLine }
}

function requireColumns(
  header: readonly string[],
  { references, text, direction, ...single }: CsvMapping['columns'],
  fileLine: number,
  fail: Fail,
): void {
  const wanted = [...references, ...text, direction?.column, ...Object.values(single)]
  for (const name of wanted) {
    if (name === undefined) continue
    const count = header.filter((each) => each === name).length
    if (count === 0) throw fail(fileLine, `there is no column ${quote(name)}`)
    if (count > 1) throw fail(fileLine, `there are ${count} columns ${quote(name)}`)
  }
}

/** Reads rows as the mapping says. */
function createReader(mapping: CsvMapping, fail: Fail) {
  const { columns, date_format, decimal_separator, thousands_separator } = mapping

  /** Where a separator is that parts no thousands, the file is written in another way than the mapping says. */
  function joinThousands(text: string, fileLine: number): string {
    if (!thousands_separator || !text.includes(thousands_separator)) return text
    const [whole = '', ...decimals] = text.split(decimal_separator)
    const groups = whole.split(thousands_separator)
    // Some part what is above the thousands in pairs.
    const isGrouped = /^[+-]?\d{1,3}(_\d{2,3})*_\d{3}$/.test(groups.join('_'))
    if (!isGrouped || decimals.join('').includes(thousands_separator)) {
      const separator = quote(thousands_separator)
      throw fail(fileLine, `amount ${quote(text)} has ${separator} where it parts no thousands`)
    }
    return [groups.join(''), ...decimals].join(decimal_separator)
  }

  function amount(text: string, asset: Asset, fileLine: number): bigint {
    const joined = joinThousands(text, fileLine)
    if (decimal_separator === ',' && joined.includes('.')) {
      throw fail(fileLine, `amount ${quote(text)} has a point: its decimal separator is a comma`)
    }
    const decimal = decimal_separator === ',' ? joined.replace(',', '.') : joined
    return readSigned(decimal.replace(/^\+/, ''), asset, fileLine, fail)
  }

  function signed({ cells, fileLine }: Row, asset: Asset): bigint {
    const { amount: one, direction, in: into, out } = columns
    if (one === undefined) {
      const read = (name = '') => (cells[name] ? amount(cells[name], asset, fileLine) : 0n)
      const [inMinor, outMinor] = [read(into), read(out)]
      if (inMinor !== 0n && outMinor !== 0n) throw fail(fileLine, 'money both in and out')
      // Some write what went out with a minus, although the column says it.
      return inMinor - (outMinor < 0n ? -outMinor : outMinor)
    }
    const minor = amount(cells[one] ?? '', asset, fileLine)
    if (!direction) return minor
    const told = cells[direction.column] ?? ''
    if (minor < 0n) throw fail(fileLine, 'a negative amount that has a direction')
    if (told === direction.in) return minor
    if (told === direction.out) return -minor
    throw fail(fileLine, `direction ${quote(told)} is neither in nor out`)
  }

  function day(text: string, fileLine: number, name: string): number {
    const { year, month, day } = dateFormats[date_format].exec(text)?.groups ?? {}
    const found = parseDay(`${year}-${month}-${day}`)
    if (found === undefined) throw fail(fileLine, `${name} ${quote(text)} is no ${date_format}`)
    return found
  }

  function line(row: Row): StatementLine {
    const { cells, fileLine } = row
    const cell = (name: string | undefined) => (name === undefined ? '' : (cells[name] ?? ''))
    const asset = readAsset(cell(columns.currency) || mapping.currency, fileLine, fail)
    const valueDate = cell(columns.value_date)
    return {
      bankId: cell(columns.id) || undefined,
      references: toReferences(columns.references.map(cell)),
      currency: asset.currency,
      amountMinor: signed(row, asset),
      bookingDay: day(cell(columns.booking_date), fileLine, 'booking date'),
      valueDay: valueDate === '' ? undefined : day(valueDate, fileLine, 'value date'),
      text: toText(columns.text.map(cell).filter(Boolean).join(' ')),
      fileLine,
    }
  }

  function balance({ cells, fileLine }: Row, asset: Asset): bigint | undefined {
    const text = columns.balance === undefined ? '' : cells[columns.balance]
    return text ? amount(text, asset, fileLine) : undefined
  }

  return { line, balance }
}
