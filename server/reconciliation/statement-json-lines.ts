/**
 * Statements as JSON lines: a line with the statement's head, followed by its lines. Whoever gets
 * statements in a format of another kind can write this one. docs/bank-statements.md has an example.
 */
import { z } from 'zod'
import {
  type Fail,
  failIn,
  linesMax,
  readAsset,
  readDay,
  readSigned,
  type Statement,
  type StatementFile,
  type StatementLine,
  toReferences,
  toText,
} from './statement.ts'

/** Amounts are texts: a number of JSON would have been through a float somewhere. */
const amount = z.string({ error: 'must be text, as "115.60"' })

const head = z.strictObject({
  statement: z.strictObject({
    id: z.string().min(1),
    account: z.string().min(1),
    currency: z.string(),
    from: z.string(),
    to: z.string(),
    opening: amount.optional(),
    closing: amount.optional(),
  }),
})

const line = z.strictObject({
  id: z.string().min(1).optional(),
  reference: z.string().optional(),
  references: z.array(z.string()).optional(),
  amount,
  /** The statement's own when it is left out. */
  currency: z.string().optional(),
  booking_date: z.string(),
  value_date: z.string().optional(),
  text: z.string().optional(),
})

/** The statements of a file. Throws StatementError. */
export function parseJsonLines(file: StatementFile): Statement[] {
  const fail = failIn(file)
  const statements: (Statement & { lines: StatementLine[] })[] = []
  let count = 0
  for (const [index, text] of file.text.split('\n').entries()) {
    if (text.trim() === '') continue
    const fileLine = index + 1
    count += 1
    if (count > linesMax) throw fail(fileLine, `more than ${linesMax} lines`)
    const value = readJson(text, fileLine, fail)
    if (isHead(value)) {
      statements.push(toStatement(read(head, value, fileLine, fail), file.name, fileLine, fail))
      continue
    }
    const statement = statements.at(-1)
    if (!statement) throw fail(fileLine, 'a line comes before the first statement')
    const entry = toLine(read(line, value, fileLine, fail), statement, fileLine, fail)
    if (entry.amountMinor === 0n) statement.skippedCount += 1
    else statement.lines.push(entry)
  }
  return statements
}

function readJson(text: string, fileLine: number, fail: Fail): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw fail(fileLine, 'this is not JSON')
  }
}

const isHead = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'statement' in value

function read<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  fileLine: number,
  fail: Fail,
): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const place = issue?.path.length ? `${issue.path.join('.')}: ` : ''
  throw fail(fileLine, `${place}${issue?.message}`)
}

function toStatement(
  { statement }: z.output<typeof head>,
  fileName: string,
  fileLine: number,
  fail: Fail,
): Statement & { lines: StatementLine[] } {
  const asset = readAsset(statement.currency, fileLine, fail)
  const { id, account, opening, closing } = statement
  const from = readDay(statement.from, fileLine, fail, 'from')
  const to = readDay(statement.to, fileLine, fail, 'to')
  if (from > to) throw fail(fileLine, 'the statement ends before it begins')
  const readBalance = (text: string | undefined) =>
    text === undefined ? undefined : readSigned(text, asset, fileLine, fail)
  return {
    id,
    account,
    currency: asset.currency,
    from,
    to,
    openingMinor: readBalance(opening),
    closingMinor: readBalance(closing),
    lines: [],
    skippedCount: 0,
    fileName,
    fileLine,
  }
}

function toLine(
  entry: z.output<typeof line>,
  statement: Statement,
  fileLine: number,
  fail: Fail,
): StatementLine {
  const asset = readAsset(entry.currency ?? statement.currency, fileLine, fail)
  const { reference = '', references = [], value_date } = entry
  return {
    bankId: entry.id,
    references: toReferences([reference, ...references]),
    currency: asset.currency,
    amountMinor: readSigned(entry.amount, asset, fileLine, fail),
    bookingDay: readDay(entry.booking_date, fileLine, fail, 'booking_date'),
    valueDay:
      value_date === undefined ? undefined : readDay(value_date, fileLine, fail, 'value_date'),
    text: toText(entry.text ?? ''),
    fileLine,
  }
}
