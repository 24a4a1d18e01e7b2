/** Reading a payroll: CSV (RFC 4180) of a recipient, an amount and, where wanted, a memo in each row. */
import { pipeline, Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { CsvError, parse } from 'csv-parse'
import type { Asset } from '../../accounting/chart.ts'
import { parseAmount } from '../../accounting/money.ts'
import type { PayrollRow } from '../../db/payrolls.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'

/** Longer cells make a row that cannot be read; more of them are kept only so far. */
const recipientLengthMax = 64
const amountLengthMax = 64
const memoLengthMax = 200
/** More make the file no payroll, before they have cost anything. */
const lineLengthMax = 64 * 1024
const cellsMax = 64

const header = ['to', 'amount', 'memo']

/**
 * The rows of a file in UTF-8, with or without a header line and a byte order mark, whatever its line
 * ends, in groups of at most `groupMax`. A row that cannot be read has a code instead.
 * Refusal: malformed_body, when from some line on nothing can be told apart, or a line or row is far
 * too long.
 */
export async function* readPayrollFile(
  upload: AsyncIterable<Uint8Array>,
  asset: Asset,
  groupMax: number,
): AsyncGenerator<PayrollRow[], void> {
  const parser = parse({
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: lineLengthMax,
    // Called for each cell, while its row is not whole yet.
    cast: (cell, { index, lines }) => {
      if (index < cellsMax) return cell
      throw new Refusal('malformed_body', `Line ${lines} has more than ${cellsMax} cells.`)
    },
  })
  // Its errors arrive where the parser is read.
  pipeline(Readable.from(decode(upload)), parser, () => {})
  let group: PayrollRow[] = []
  let isFirst = true
  try {
    for await (const { record, info } of parser) {
      const cells: string[] = record.map((cell: string) => cell.trim())
      const isHeader = isFirst && isHeaderLine(cells)
      isFirst = false
      if (isHeader) continue
      group.push(toRow(cells, info.lines, asset))
      if (group.length < groupMax) continue
      yield group
      group = []
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new Refusal('malformed_body', `This is not CSV: ${error.message}`)
  }
  if (group.length > 0) yield group
}

/** The text of a file, a chunk in each turn of the event loop: others have their turn in between. */
async function* decode(upload: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let lineLength = 0
  const read = (bytes: Uint8Array | undefined, stream: boolean): string => {
    try {
      return decoder.decode(bytes, { stream })
    } catch {
      throw new Refusal('malformed_body', 'This is not UTF-8.')
    }
  }
  for await (const bytes of upload) {
    const text = read(bytes, true)
    lineLength = measureLines(text, lineLength)
    yield text
    await nextTurn()
  }
  yield read(undefined, false)
}

/** How long the last line of a text is, whose first line has begun with this many characters before. */
function measureLines(text: string, lengthBefore: number): number {
  let length = lengthBefore
  for (const [index, line] of text.split(/[\r\n]/).entries()) {
    length = index === 0 ? length + line.length : line.length
    if (length <= lineLengthMax) continue
    throw new Refusal('malformed_body', `A line has more than ${lineLengthMax} characters.`)
  }
  return length
}

function isHeaderLine(cells: readonly string[]): boolean {
  const names = cells.filter((cell) => cell !== '').map((cell) => cell.toLowerCase())
  return names.length >= 2 && names.every((name, place) => name === header[place])
}

function toRow(cells: readonly string[], line: number, asset: Asset): PayrollRow {
  const [recipient = '', amount = '', memo = '', ...rest] = cells
  const isReadable =
    isCell(recipient, recipientLengthMax) &&
    isCell(amount, amountLengthMax) &&
    (memo === '' || isCell(memo, memoLengthMax)) &&
    rest.every((cell) => cell === '')
  const amountMinor = parseAmount(amount, asset)
  const isAmount = typeof amountMinor === 'bigint'
  const code: RefusalCode | null = !isReadable ? 'row_malformed' : isAmount ? null : amountMinor
  return {
    line,
    recipient: toStored(recipient, recipientLengthMax),
    amount: toStored(amount, amountLengthMax),
    memo: memo === '' ? null : toStored(memo, memoLengthMax),
    amountMinor: isReadable && isAmount ? amountMinor : null,
    code,
  }
}

const isCell = (cell: string, lengthMax: number): boolean =>
  cell !== '' && cell.length <= lengthMax && !cell.includes('\0')

/** What of a cell PostgreSQL can keep. */
const toStored = (cell: string, lengthMax: number): string =>
  cell.replaceAll('\0', '').slice(0, lengthMax).toWellFormed()
