/** Writes bank statements down in each format that can be read. */
import { assetOf } from '../../accounting/chart.ts'
import { formatAmount } from '../../accounting/money.ts'
import {
  type Statement,
  type StatementLine,
  showDay,
} from '../../server/reconciliation/statement.ts'
import { readMapping } from '../../server/reconciliation/statement-csv.ts'
import type { StatementFormat } from '../../server/reconciliation/statement-file.ts'

const major = (minor: bigint, currency: string) => formatAmount(minor, assetOf(currency))

export function toJsonLines(statements: readonly Statement[]): string {
  const values = statements.flatMap((statement) => {
    const { id, account, currency, from, to, openingMinor, closingMinor } = statement
    const balance = (minor: bigint | undefined) =>
      minor === undefined ? undefined : major(minor, currency)
    const head = {
      statement: {
        id,
        account,
        currency,
        from: showDay(from),
        to: showDay(to),
        opening: balance(openingMinor),
        closing: balance(closingMinor),
      },
    }
    const lines = statement.lines.map((line) => ({
      id: line.bankId,
      references: line.references,
      amount: major(line.amountMinor, line.currency),
      currency: line.currency,
      booking_date: showDay(line.bookingDay),
      value_date: line.valueDay === undefined ? undefined : showDay(line.valueDay),
      text: line.text,
    }))
    return [head, ...lines]
  })
  return values.map((value) => `${JSON.stringify(value)}\n`).join('')
}

/** The mapping of what `toCsv` writes; of a statement with one reference a line. */
function csvMapping({ account, currency, from, to, openingMinor, closingMinor }: Statement) {
  return readMapping(
    {
      account,
      currency,
      from: showDay(from),
      to: showDay(to),
      ...(openingMinor === undefined ? {} : { opening: major(openingMinor, currency) }),
      ...(closingMinor === undefined ? {} : { closing: major(closingMinor, currency) }),
      delimiter: ';',
      date_format: 'DD.MM.YYYY',
      decimal_separator: ',',
      thousands_separator: '.',
      columns: {
        id: 'Id',
        references: ['Reference'],
        booking_date: 'Booked',
        value_date: 'Value',
        currency: 'Currency',
        amount: 'Amount',
        direction: { column: 'C/D', in: 'C', out: 'D' },
        text: ['Text'],
      },
    },
    'mapping',
  )
}

const german = (day: number) => showDay(day).split('-').reverse().join('.')
const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`

function toCsv({ lines }: Statement): string {
  const header = ['Id', 'Reference', 'Booked', 'Value', 'Currency', 'Amount', 'C/D', 'Text']
  const rows = lines.map((line) => {
    const { amountMinor, currency, valueDay } = line
    const unsigned = major(amountMinor < 0n ? -amountMinor : amountMinor, currency)
    const [whole = '', fraction] = unsigned.split('.')
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, '.')
    return [
      line.bankId ?? '',
      line.references[0] ?? '',
      german(line.bookingDay),
      valueDay === undefined ? '' : german(valueDay),
      currency,
      fraction === undefined ? grouped : `${grouped},${fraction}`,
      amountMinor > 0n ? 'C' : 'D',
      line.text,
    ]
  })
  return [header, ...rows].map((cells) => `${cells.map(quoted).join(';')}\r\n`).join('')
}

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&#62;', '"': '&quot;' }
const xml = (text: string) => text.replace(/[&<>"]/g, (character) => escapes[character]!)

const amountOf = (minor: bigint, currency: string) =>
  `<Amt Ccy="${currency}">${major(minor < 0n ? -minor : minor, currency)}</Amt>`
const directionOf = (minor: bigint) => `<CdtDbtInd>${minor < 0n ? 'DBIT' : 'CRDT'}</CdtDbtInd>`

/** In version 02 or 08; of a statement with one reference a line. */
export function toCamt(statements: readonly Statement[], version: '02' | '08'): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.${version}">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>message</MsgId><CreDtTm>2026-01-01T00:00:00Z</CreDtTm></GrpHdr>
${statements.map((statement) => toStmt(statement, version)).join('\n')}
  </BkToCstmrStmt>
</Document>
`
}

function toStmt(statement: Statement, version: string): string {
  const { id, account, currency, from, to, openingMinor, closingMinor } = statement
  const balance = (code: string, minor: bigint | undefined, day: number) =>
    minor === undefined
      ? ''
      : `
      <Bal>
        <Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp>
        ${amountOf(minor, currency)}${directionOf(minor)}
        <Dt><Dt>${showDay(day)}</Dt></Dt>
      </Bal>`
  return `    <Stmt>
      <Id>${xml(id)}</Id>
      <CreDtTm>2026-01-01T00:00:00Z</CreDtTm>
      <FrToDt>
        <FrDtTm>${showDay(from)}T00:00:00</FrDtTm>
        <ToDtTm>${showDay(to)}T23:59:59</ToDtTm>
      </FrToDt>
      <Acct><Id><Othr><Id>${xml(account)}</Id></Othr></Id><Ccy>${currency}</Ccy></Acct>${balance('OPBD', openingMinor, from)}${balance('CLBD', closingMinor, to)}
${statement.lines.map((line) => toNtry(line, version)).join('\n')}
    </Stmt>`
}

function toNtry(line: StatementLine, version: string): string {
  const { amountMinor, currency, bankId, valueDay, references, text } = line
  const [reference] = references
  return `      <Ntry>
        ${amountOf(amountMinor, currency)}${directionOf(amountMinor)}
        <Sts>${version === '02' ? 'BOOK' : '<Cd>BOOK</Cd>'}</Sts>
        <BookgDt><Dt>${showDay(line.bookingDay)}</Dt></BookgDt>
        ${valueDay === undefined ? '' : `<ValDt><DtTm>${showDay(valueDay)}T12:00:00Z</DtTm></ValDt>`}
        ${bankId === undefined ? '' : `<AcctSvcrRef>${xml(bankId)}</AcctSvcrRef>`}
        <BkTxCd/>
        <NtryDtls><TxDtls>
          ${reference === undefined ? '' : `<Refs><EndToEndId>${xml(reference)}</EndToEndId></Refs>`}
        </TxDtls></NtryDtls>
        ${text === '' ? '' : `<AddtlNtryInf>${xml(text)}</AddtlNtryInf>`}
      </Ntry>`
}

/** A statement in each format, with what reading it needs besides. */
export function inEachFormat(statement: Statement) {
  const formats = {
    'camt.053.001.02': { format: 'camt', text: toCamt([statement], '02') },
    'camt.053.001.08': { format: 'camt', text: toCamt([statement], '08') },
    CSV: { format: 'csv', text: toCsv(statement), mapping: csvMapping(statement) },
    'JSON lines': { format: 'json-lines', text: toJsonLines([statement]) },
  } as const satisfies Record<string, { format: StatementFormat; text: string; mapping?: unknown }>
  return Object.entries(formats)
}
