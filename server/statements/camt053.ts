/** ISO 20022 bank-to-customer statement, camt.053.001.08. */
import { showLedgerTime } from '../flows/ledger-time.ts'
import {
  clip,
  type EntryPages,
  type Statement,
  type StatementEntry,
  type StatementFormat,
  showMinor,
  type Turnover,
} from './statement.ts'

/** The standard's limits on texts and amounts. */
const nameLengthMax = 140
const referenceLengthMax = 35
const remittanceLengthMax = 140
const totalDigitsMax = 18

const issuer = 'Kassa'

/**
 * The statement as one message with one `Stmt`. Both are dated with the moment up to which it goes, so that
 * the same statement is the same file.
 */
async function* write(statement: Statement, pages: EntryPages): AsyncGenerator<string, void> {
  const createdAt = element('CreDtTm', showLedgerTime(statement.asOf))
  const number = escapeText(statement.number)
  yield [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>\n',
    `${element('GrpHdr', element('MsgId', number), createdAt)}\n<Stmt>\n`,
    `${element('Id', number)}${createdAt}\n${showPeriod(statement)}\n${showAccount(statement)}\n`,
    `${showBalances(statement)}${showSummary(statement)}\n`,
  ].join('')
  for await (const page of pages) yield page.map((entry) => showEntry(statement, entry)).join('')
  yield `${element('AddtlStmtInf', escapeText(statement.checksum))}\n</Stmt></BkToCstmrStmt></Document>\n`
}

function showPeriod({ from, asOf }: Statement): string {
  const start = element('FrDtTm', showLedgerTime(from))
  return element('FrToDt', start, element('ToDtTm', showLedgerTime(asOf)))
}

function showAccount({ wallet, holder }: Statement): string {
  const id = element('Id', element('Othr', element('Id', wallet.number)))
  const owner = holder === null ? '' : element('Ownr', showName(holder))
  return element('Acct', id, element('Ccy', wallet.currency), owner)
}

/** Opening and closing balance booked, and what is available at the end. */
function showBalances(statement: Statement): string {
  const { from, asOf, openingMinor, closing } = statement
  const balance = (code: string, minor: bigint, at: bigint): string => {
    const type = element('Tp', element('CdOrPrtry', element('Cd', code)))
    const date = element('Dt', element('DtTm', showLedgerTime(at)))
    return `${element('Bal', type, showAmount(statement, minor), showSide(minor), date)}\n`
  }
  return [
    balance('OPBD', openingMinor, from),
    balance('CLBD', closing.postedMinor, asOf),
    balance('CLAV', closing.availableMinor, asOf),
  ].join('')
}

function showSummary(statement: Statement): string {
  const { received, paid } = statement
  const sum = (name: string, { count, minor }: Turnover, ...rest: string[]) =>
    element(
      name,
      element('NbOfNtries', String(count)),
      element('Sum', showMinor(statement, minor)),
      ...rest,
    )
  const net = received.minor - paid.minor
  const netText = element(
    'TtlNetNtry',
    element('Amt', showMinor(statement, absolute(net))),
    showSide(net),
  )
  const all = { count: received.count + paid.count, minor: received.minor + paid.minor }
  return element(
    'TxsSummry',
    sum('TtlNtries', all, netText),
    sum('TtlCdtNtries', received),
    sum('TtlDbtNtries', paid),
  )
}

function showEntry(statement: Statement, entry: StatementEntry): string {
  const { id, timestamp, kind, changeMinor } = entry
  const date = element('DtTm', showLedgerTime(timestamp))
  const ref = id.replaceAll('-', '')
  const code = element('Prtry', element('Cd', kind), element('Issr', issuer))
  const text = element(
    'Ntry',
    element('NtryRef', ref),
    showAmount(statement, changeMinor),
    showSide(changeMinor),
    element('Sts', element('Cd', 'BOOK')),
    element('BookgDt', date),
    element('ValDt', date),
    element('AcctSvcrRef', ref),
    element('BkTxCd', code),
    showDetails(entry),
  )
  return `${text}\n`
}

/** Who the other side is, and what was written about it; nothing when nothing is known. */
function showDetails({ changeMinor, counterparty, memo, reference }: StatementEntry): string {
  const isShort = reference !== null && Array.from(reference).length <= referenceLengthMax
  const party = counterparty && element('Pty', showName(counterparty))
  const details = [
    reference && isShort ? element('Refs', element('EndToEndId', escapeText(reference))) : '',
    party ? element('RltdPties', element(changeMinor < 0n ? 'Cdtr' : 'Dbtr', party)) : '',
    memo ? element('RmtInf', showRemittance(memo)) : '',
    reference && !isShort ? element('AddtlTxInf', escapeText(clip(reference, 500))) : '',
  ]
  const known = details.filter((text) => text !== '')
  return known.length === 0 ? '' : element('NtryDtls', element('TxDtls', ...known))
}

const showName = (name: string) => element('Nm', escapeText(clip(name, nameLengthMax)))

/** A text in as many pieces as it needs. */
function showRemittance(text: string): string {
  const characters = Array.from(text)
  const pieces: string[] = []
  for (let start = 0; start < characters.length; start += remittanceLengthMax) {
    pieces.push(characters.slice(start, start + remittanceLengthMax).join(''))
  }
  return pieces.map((piece) => element('Ustrd', escapeText(piece))).join('')
}

const absolute = (minor: bigint) => (minor < 0n ? -minor : minor)

function showAmount(statement: Statement, minor: bigint): string {
  return `<Amt Ccy="${statement.wallet.currency}">${showMinor(statement, absolute(minor))}</Amt>`
}

const showSide = (minor: bigint) => element('CdtDbtInd', minor < 0n ? 'DBIT' : 'CRDT')

const element = (name: string, ...content: string[]) => `<${name}>${content.join('')}</${name}>`

/** Characters that XML 1.0 cannot have, not even escaped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are meant
const impossible = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu

function escapeText(text: string): string {
  return text
    .replace(impossible, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;')
}

/** The standard knows currencies of ISO 4217 and amounts of at most 18 digits. */
function fault({ asset, openingMinor, received, paid }: Statement): string | undefined {
  if (!/^[A-Z]{3}$/.test(asset.currency)) {
    return `${asset.currency} is no currency of ISO 4217, and camt.053 has no others.`
  }
  const largest = absolute(openingMinor) + received.minor + paid.minor
  if (String(largest).length <= totalDigitsMax) return undefined
  return `Amounts in camt.053 have at most ${totalDigitsMax} digits.`
}

export const camt053 = {
  contentType: 'application/xml; charset=utf-8',
  extension: 'xml',
  fault,
  write,
} as const satisfies StatementFormat
