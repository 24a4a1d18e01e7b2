/** Reading the file of a bank statement, whichever format it is in. */
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Statement, StatementError, type StatementFile } from './statement.ts'
import { parseCamt } from './statement-camt.ts'
import { type CsvMapping, parseCsv } from './statement-csv.ts'
import { parseJsonLines } from './statement-json-lines.ts'

export const statementFormats = ['camt', 'csv', 'json-lines'] as const
export type StatementFormat = (typeof statementFormats)[number]

const mebibyte = 1024 * 1024
/** What is read of it takes many times the memory of the text, which is to stay under 512 MiB. */
const sizeMax = {
  camt: 16 * mebibyte,
  csv: 16 * mebibyte,
  'json-lines': 32 * mebibyte,
} as const satisfies Record<StatementFormat, number>

const bytesMax = Math.max(...Object.values(sizeMax))

export interface StatementSource {
  path: string
  /** Told by how the file begins when it is left out. */
  format?: StatementFormat | undefined
  /** What the columns of CSV mean. */
  mapping?: CsvMapping | undefined
}

/** The statements of a file. Throws StatementError for a file that cannot be read as one. */
export async function readStatements(source: StatementSource): Promise<Statement[]> {
  const name = basename(source.path)
  const bytes = await readBytes(source.path, name)
  return parseStatements({ name, text: decode(bytes, name) }, source)
}

/** The statements of a text. Throws StatementError. */
export function parseStatements(
  file: StatementFile,
  { format = formatOf(file), mapping }: Pick<StatementSource, 'format' | 'mapping'>,
): Statement[] {
  if (file.text.length > sizeMax[format]) {
    const limit = `${sizeMax[format] / mebibyte} MiB`
    throw new StatementError(file.name, undefined, `a file of ${format} has at most ${limit}`)
  }
  const statements = parse(file, format, mapping)
  if (statements.length > 0) return statements
  throw new StatementError(file.name, undefined, 'there is no statement in it')
}

function parse(
  file: StatementFile,
  format: StatementFormat,
  mapping: CsvMapping | undefined,
): Statement[] {
  switch (format) {
    case 'camt':
      return parseCamt(file)
    case 'json-lines':
      return parseJsonLines(file)
    case 'csv':
      if (mapping) return parseCsv(file, mapping)
      throw new StatementError(file.name, undefined, 'CSV needs a mapping of its columns')
    default:
      throw format satisfies never
  }
}

function formatOf({ text }: StatementFile): StatementFormat {
  const first = text.trimStart()[0]
  return first === '<' ? 'camt' : first === '{' ? 'json-lines' : 'csv'
}

async function readBytes(path: string, name: string): Promise<Buffer> {
  const refuse = (problem: string) => new StatementError(name, undefined, problem)
  try {
    await using file = await open(path)
    const stat = await file.stat()
    if (!stat.isFile()) throw refuse('this is no file')
    if (stat.size > bytesMax) throw refuse(`a file has at most ${bytesMax / mebibyte} MiB`)
    return await file.readFile()
  } catch (error) {
    if (error instanceof StatementError) throw error
    throw refuse(`cannot be read: ${error instanceof Error ? error.message : error}`)
  }
}

/** UTF-8, with or without a byte order mark. */
function decode(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new StatementError(name, undefined, 'this is not UTF-8')
  }
}
