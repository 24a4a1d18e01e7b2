/**
 * Statements as ISO 20022 camt.053.001.02 and camt.053.001.08 (BankToCustomerStatement). What is
 * read of them, and how the two versions differ, is in docs/bank-statements.md.
 */
import type { Asset } from '../../accounting/chart.ts'
import {
  type Day,
  type Fail,
  failIn,
  linesMax,
  quote,
  readAsset,
  readDay,
  readSigned,
  type Statement,
  type StatementFile,
  type StatementLine,
  spanOf,
  toReferences,
  toText,
} from './statement.ts'
import { type Element, find, findAll, parseXml, textAt } from './xml.ts'

const versions = new Set(['02', '08'])

/** The statements of a message. Throws StatementError. */
export function parseCamt(file: StatementFile): Statement[] {
  const fail = failIn(file)
  const { root, readInside } = parseXml(file, 'Ntry')
  const namespaces = Object.values(root.attributes)
  const version = namespaces.map((name) => /camt\.053\.001\.(\d\d)$/.exec(name)?.[1]).find(Boolean)
  const message = find(root, 'BkToCstmrStmt')
  if (root.name !== 'Document' || !message || version === undefined) {
    throw fail(root.fileLine, 'this is no camt.053')
  }
  if (!versions.has(version)) {
    throw fail(root.fileLine, `camt.053.001.${version} is not read, but 02 and 08 are`)
  }
  refuseParts(find(message, 'GrpHdr', 'MsgPgntn'), fail)
  const statements = findAll(message, 'Stmt').map((element) => {
    // Of an entry only its lines are kept.
    const entries = Array.from(readInside(findAll(element, 'Ntry')), (entry) =>
      toLines(entry, fail),
    )
    return toStatement(element, entries, file.name, fail)
  })
  const count = statements.reduce((sum, { lines }) => sum + lines.length, 0)
  if (count > linesMax) throw fail(undefined, `more than ${linesMax} lines`)
  return statements
}

/** A statement in parts has balances in one part and lines in another. */
function refuseParts(pagination: Element | undefined, fail: Fail): void {
  if (!pagination) return
  if (Number(textAt(pagination, 'PgNb')) === 1 && textAt(pagination, 'LastPgInd') === 'true') return
  throw fail(pagination.fileLine, 'a page of several: the statement has to be in one')
}

/** A statement of entries, each as its lines. */
function toStatement(
  element: Element,
  entries: readonly StatementLine[][],
  fileName: string,
  fail: Fail,
): Statement {
  refuseParts(find(element, 'StmtPgntn'), fail)
  const { fileLine } = element
  const account =
    textAt(element, 'Acct', 'Id', 'IBAN') ?? textAt(element, 'Acct', 'Id', 'Othr', 'Id')
  const id = textAt(element, 'Id')
  if (!account || !id) throw fail(fileLine, 'a statement without an id or an account')
  const balances = findAll(element, 'Bal')
  const code =
    textAt(element, 'Acct', 'Ccy') ?? balances.map((bal) => find(bal, 'Amt')?.attributes.Ccy)[0]
  if (!code) throw fail(fileLine, 'a statement that names no currency')
  const asset = readAsset(code, fileLine, fail)
  const opening = findBalance(balances, 'OPBD') ?? findBalance(balances, 'PRCD')
  const closing = findBalance(balances, 'CLBD')
  const lines = entries.flat()
  return {
    id,
    account,
    currency: asset.currency,
    ...readPeriod(element, closing, lines, fail),
    openingMinor: opening && readBalance(opening, asset, fail),
    closingMinor: closing && readBalance(closing, asset, fail),
    lines,
    skippedCount: entries.filter(({ length }) => length === 0).length,
    fileName,
    fileLine,
  }
}

const findBalance = (balances: readonly Element[], code: string): Element | undefined =>
  balances.find((balance) => textAt(balance, 'Tp', 'CdOrPrtry', 'Cd') === code)

function readBalance(balance: Element, asset: Asset, fail: Fail): bigint {
  const { amountMinor, currency } = readAmount(need(balance, fail, 'Amt'), fail)
  if (currency !== asset.currency) {
    throw fail(balance.fileLine, `a balance in ${currency} of an account in ${asset.currency}`)
  }
  return isCredit(balance, fail) ? amountMinor : -amountMinor
}

/** What the statement says, or else from its first line to its closing balance. */
function readPeriod(
  element: Element,
  closing: Element | undefined,
  lines: readonly StatementLine[],
  fail: Fail,
): { from: Day; to: Day } {
  const told = find(element, 'FrToDt')
  if (told) return readTold(told, fail)
  const days = lines.map(({ bookingDay }) => bookingDay)
  const closingDate = closing && find(closing, 'Dt')
  if (closingDate) days.push(readDate(closingDate, fail))
  const span = spanOf(days)
  if (!span) throw fail(element.fileLine, 'a statement that tells of no time')
  return span
}

function readTold(told: Element, fail: Fail): { from: Day; to: Day } {
  const from = readDay(dateText(need(told, fail, 'FrDtTm')), told.fileLine, fail, 'FrDtTm')
  const to = readEnd(need(told, fail, 'ToDtTm'), fail)
  // A period of nothing begins and ends at the same midnight.
  if (to < from - 1) throw fail(told.fileLine, 'the statement ends before it begins')
  return { from, to: Math.max(from, to) }
}

/** The last day before a moment: midnight is the end of the day before. */
function readEnd(element: Element, fail: Fail): Day {
  const day = readDay(dateText(element), element.fileLine, fail, element.name)
  return /T00:00(:00(\.0+)?)?(Z|[+-]\d\d:\d\d)?$/.test(element.text) ? day - 1 : day
}

/** As the bank writes it, in its own time zone. */
const dateText = ({ text }: Element): string => text.slice(0, 10)

/** A date or a moment: an element with `Dt` or `DtTm`. */
function readDate(element: Element, fail: Fail): Day {
  const date = find(element, 'Dt') ?? need(element, fail, 'DtTm')
  return readDay(dateText(date), date.fileLine, fail, element.name)
}

/** The lines of an entry, one for each transaction if it tells what each moved; none when it is not booked. */
function toLines(entry: Element, fail: Fail): StatementLine[] {
  if (!isBooked(entry, fail)) return []
  const sign = isCredit(entry, fail) ? 1n : -1n
  const { amountMinor, currency } = readAmount(need(entry, fail, 'Amt'), fail)
  if (amountMinor === 0n) return []
  const valueDate = find(entry, 'ValDt')
  const bankId = textAt(entry, 'AcctSvcrRef') ?? textAt(entry, 'NtryRef')
  const whole = {
    bankId,
    currency,
    amountMinor: sign * amountMinor,
    bookingDay: readDate(need(entry, fail, 'BookgDt'), fail),
    valueDay: valueDate && readDate(valueDate, fail),
    fileLine: entry.fileLine,
  }
  const details = findAll(entry, 'NtryDtls', 'TxDtls')
  const parts = details.map((detail) => readPart(detail, currency, sign, fail))
  const sum = parts.reduce<bigint>((total, part) => total + (part ?? 0n), 0n)
  if (details.length < 2 || parts.includes(undefined) || sum !== whole.amountMinor) {
    const { references, text } = describe(entry, details)
    const batch = findAll(entry, 'NtryDtls', 'Btch', 'PmtInfId').map(({ text }) => text)
    return [{ ...whole, references: toReferences([...references, ...batch]), text }]
  }
  return details.flatMap((detail, index) => {
    const partMinor = parts[index]
    if (!partMinor) return []
    const { references, text } = describe(entry, [detail])
    const own = textAt(detail, 'Refs', 'AcctSvcrRef')
    return {
      ...whole,
      // The bank may write the entry's own id at each of them.
      bankId: own && own !== bankId ? own : bankId && `${bankId}/${index + 1}`,
      amountMinor: partMinor,
      references,
      text,
      fileLine: detail.fileLine,
    }
  })
}

/** BOOK is booked; what is pending, or told for information, is not. */
function isBooked(entry: Element, fail: Fail): boolean {
  const status = need(entry, fail, 'Sts')
  // 02 has the code itself.
  const code = textAt(status, 'Cd') ?? status.text
  if (code === 'BOOK') return true
  if (code === 'PDNG' || code === 'INFO' || code === 'FUTR') return false
  throw fail(status.fileLine, `an entry's status is ${quote(code)}`)
}

/**
 * Whether money came in. So it says also where RvslInd tells that the entry takes back an earlier one:
 * the taking back of a debit is a credit.
 */
function isCredit(element: Element, fail: Fail): boolean {
  const indicator = need(element, fail, 'CdtDbtInd')
  if (indicator.text === 'CRDT') return true
  if (indicator.text === 'DBIT') return false
  throw fail(indicator.fileLine, `CdtDbtInd is ${quote(indicator.text)}`)
}

/** What one transaction of an entry moved; undefined when that is not told in the entry's currency. */
function readPart(detail: Element, currency: string, sign: bigint, fail: Fail): bigint | undefined {
  const amount = find(detail, 'Amt') ?? find(detail, 'AmtDtls', 'TxAmt', 'Amt')
  if (amount?.attributes.Ccy !== currency) return undefined
  const { amountMinor } = readAmount(amount, fail)
  if (!find(detail, 'CdtDbtInd')) return sign * amountMinor
  return isCredit(detail, fail) ? amountMinor : -amountMinor
}

function readAmount(
  { text, attributes, fileLine }: Element,
  fail: Fail,
): { amountMinor: bigint; currency: string } {
  const asset = readAsset(attributes.Ccy ?? '', fileLine, fail)
  const amountMinor = readSigned(text, asset, fileLine, fail)
  if (amountMinor < 0n) throw fail(fileLine, `amount ${quote(text)} is negative`)
  return { amountMinor, currency: asset.currency }
}

/** Where the references of a transaction are, the most telling one first. */
const referencePaths = [
  ['Refs', 'EndToEndId'],
  ['RmtInf', 'Strd', 'CdtrRefInf', 'Ref'],
  ['Refs', 'TxId'],
  ['Refs', 'InstrId'],
  ['Refs', 'UETR'],
  ['RmtInf', 'Strd', 'RfrdDocInf', 'Nb'],
  ['RmtInf', 'Ustrd'],
  ['Refs', 'PmtInfId'],
  ['Refs', 'MndtId'],
  ['Refs', 'ChqNb'],
  ['Refs', 'ClrSysRef'],
  ['Refs', 'AcctSvcrRef'],
  ['Refs', 'Prtry', 'Ref'],
] as const

function describe(
  entry: Element,
  details: readonly Element[],
): Pick<StatementLine, 'references' | 'text'> {
  const textsAt = (...path: string[]) =>
    details.flatMap((detail) => findAll(detail, ...path).map(({ text }) => text))
  const references = referencePaths.flatMap((path) => textsAt(...path))
  const remarks = [...textsAt('RmtInf', 'Ustrd'), textAt(entry, 'AddtlNtryInf') ?? '']
  return {
    references: toReferences(references),
    text: toText(remarks.filter(Boolean).join(' ')),
  }
}

/** A child that has to be there. */
function need(element: Element, fail: Fail, name: string): Element {
  const found = find(element, name)
  if (!found) throw fail(element.fileLine, `${element.name} without ${name}`)
  return found
}
