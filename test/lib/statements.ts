/** Reads each format of a statement back into the same form. */
import { createHash } from 'node:crypto'
import { parse } from 'csv-parse/sync'
import { XMLParser } from 'fast-xml-parser'
import type { StatementFormatName } from '../../server/statements/formats.ts'
import type { Json } from './http.ts'
import { readPdf } from './pdf-text.ts'
import { assert } from './suite.ts'

export interface ReadEntry {
  date: string
  id: string
  kind: string
  /** With a sign. */
  amount: string
  balance: string
}

export interface ReadStatement {
  opening: string
  closing: string
  entries: ReadEntry[]
}

const cents = (amount: string) => BigInt(amount.replace('.', ''))

/** Decimal text of so many minor units, with as many decimals as another text. */
function decimal(minor: bigint, like: string): string {
  const scale = like.includes('.') ? like.length - like.indexOf('.') - 1 : 0
  const digits = String(minor < 0n ? -minor : minor).padStart(scale + 1, '0')
  const split = digits.length - scale
  const fraction = scale > 0 ? `.${digits.slice(split)}` : ''
  return `${minor < 0n ? '-' : ''}${digits.slice(0, split)}${fraction}`
}

export function readJson(text: string): ReadStatement {
  const { opening_balance: opening, closing_balance: closing, entries } = JSON.parse(text)
  return {
    opening,
    closing,
    entries: entries.map(({ date, id, kind, amount, balance }: Json) => ({
      date,
      id,
      kind,
      amount,
      balance,
    })),
  }
}

export function readCsv(text: string): ReadStatement {
  const rows: Json[] = parse(text, { columns: true })
  const [opening, closing] = [rows.shift(), rows.pop()]
  return {
    opening: opening.balance,
    closing: closing.balance,
    entries: rows.map(({ date, id, kind, amount, balance }) => ({
      date,
      id,
      kind,
      amount,
      balance,
    })),
  }
}

/** A message of ISO 20022 as plain objects; `Ntry`, `Bal` and `Ustrd` are lists. */
export function readCamt(text: string): Json {
  const parser = new XMLParser({
    ignoreAttributes: false,
    parseTagValue: false,
    trimValues: false,
    isArray: (name: string) => ['Ntry', 'Bal', 'Ustrd'].includes(name),
  })
  return parser.parse(text).Document.BkToCstmrStmt.Stmt
}

export function readCamtStatement(text: string): ReadStatement {
  const { Bal, Ntry = [] } = readCamt(text)
  const signed = ({ Amt, CdtDbtInd }: Json): string =>
    CdtDbtInd === 'DBIT' ? `-${Amt['#text']}` : Amt['#text']
  const [opening, closing] = Bal.map(signed)
  let balance = cents(opening)
  const entries = Ntry.map((entry: Json) => {
    const amount = signed(entry)
    balance += cents(amount)
    return {
      date: entry.BookgDt.DtTm,
      id: entry.NtryRef.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
      kind: entry.BkTxCd.Prtry.Cd,
      amount,
      balance: decimal(balance, amount),
    }
  })
  return { opening, closing, entries }
}

const transaction =
  /^(\S+) \((\S+)\) .*; time: ([\d:]+\.\d{3})\d+Z\n +assets\S+ +(\S+) \S+ = (\S+) \S+\n +\w+:(\w+) /gm

export function readHledger(text: string): ReadStatement {
  const [, opening = ''] = /opening balance\n.* = (\S+) /.exec(text) ?? []
  const [, closing = ''] = /closing balance\n.* = (\S+) /.exec(text) ?? []
  const entries = [...text.matchAll(transaction)].map(
    ([, day, id = '', time, amount = '', balance = '', kind = '']) => ({
      date: `${day}T${time}Z`,
      id,
      kind,
      amount,
      balance,
    }),
  )
  const declared = new Set([...text.matchAll(/^account (.+)$/gm)].map(([, name]) => name))
  for (const [, name] of text.matchAll(/^ {4}(\S+) /gm)) assert.ok(declared.has(name), name)
  return { opening, closing, entries }
}

/** Dates have no milliseconds here. */
function readPdfStatement(file: Buffer): ReadStatement {
  const texts = readPdf(file).flat()
  const after = (label: string): string => texts[texts.indexOf(label) + 1]?.split(' ')[0] ?? ''
  const entries: ReadEntry[] = []
  for (const [index, date] of texts.entries()) {
    if (!/^\d{4}-\d\d-\d\d [\d:]{8}$/.test(date)) continue
    const [id = '', title = '', ...rest] = texts.slice(index + 1)
    const at = rest.findIndex((text, place) => isAmount(text) && isAmount(rest[place + 1] ?? ''))
    const [amount = '', balance = ''] = rest.slice(at)
    const kind = title.split(' · ')[0]?.toLowerCase().replaceAll(' ', '_') ?? ''
    entries.push({ date: `${date.replace(' ', 'T')}Z`, id, kind, amount, balance })
  }
  return { opening: after('Opening balance'), closing: after('Closing balance'), entries }
}

/** How each format is read. */
export const statementReaders = {
  json: (file) => readJson(file.toString()),
  csv: (file) => readCsv(file.toString()),
  'camt.053': (file) => readCamtStatement(file.toString()),
  hledger: (file) => readHledger(file.toString()),
  pdf: readPdfStatement,
} as const satisfies Record<StatementFormatName, (file: Buffer) => ReadStatement>

const isAmount = (text: string) => /^-?\d+(\.\d+)?$/.test(text)

/** The checksum of a statement, by what docs/api.md says of it. */
export function checksumOf(
  { opening, closing, entries }: ReadStatement,
  { number, currency }: Json,
): string {
  const lines = [
    [number, currency, opening],
    ...entries.map(({ date, id, kind, amount, balance }) => [date, id, kind, amount, balance]),
    [closing],
  ]
  const text = lines.map((line) => `${line.join(',')}\n`).join('')
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}
