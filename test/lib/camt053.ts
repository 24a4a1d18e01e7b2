/**
 * The structure of camt.053.001.08 as far as Kassa uses it, written down by hand from the standard
 * (Bank-to-Customer Cash Management, message definition report).
 */
import { XMLParser } from 'fast-xml-parser'
import type { Json } from './http.ts'

/** The elements that each may have, in their order; those with an exclamation mark it must have. */
const structure: Readonly<Record<string, string>> = {
  Document: 'BkToCstmrStmt!',
  BkToCstmrStmt: 'GrpHdr! Stmt!',
  GrpHdr: 'MsgId! CreDtTm!',
  Stmt: 'Id! ElctrncSeqNb LglSeqNb CreDtTm FrToDt CpyDplctInd Acct! Bal! TxsSummry Ntry AddtlStmtInf',
  FrToDt: 'FrDtTm! ToDtTm!',
  Acct: 'Id! Tp Ccy Nm Ownr Svcr',
  Othr: 'Id!',
  Ownr: 'Nm',
  Bal: 'Tp! CdtLine Amt! CdtDbtInd! Dt! Avlbty',
  Tp: 'CdOrPrtry!',
  CdOrPrtry: 'Cd!',
  Dt: 'DtTm!',
  TxsSummry: 'TtlNtries TtlCdtNtries TtlDbtNtries',
  TtlNtries: 'NbOfNtries Sum TtlNetNtry',
  TtlNetNtry: 'Amt! CdtDbtInd!',
  TtlCdtNtries: 'NbOfNtries Sum',
  TtlDbtNtries: 'NbOfNtries Sum',
  Ntry: 'NtryRef Amt! CdtDbtInd! RvslInd Sts! BookgDt ValDt AcctSvcrRef Avlbty BkTxCd! AmtDtls Chrgs NtryDtls AddtlNtryInf',
  Sts: 'Cd!',
  BookgDt: 'DtTm!',
  ValDt: 'DtTm!',
  BkTxCd: 'Domn Prtry',
  Prtry: 'Cd! Issr',
  NtryDtls: 'Btch TxDtls',
  TxDtls: 'Refs Amt CdtDbtInd AmtDtls BkTxCd RltdPties RltdAgts RmtInf RltdDts AddtlTxInf',
  Refs: 'MsgId AcctSvcrRef InstrId EndToEndId',
  RltdPties: 'InitgPty Dbtr DbtrAcct UltmtDbtr Cdtr CdtrAcct UltmtCdtr',
  Dbtr: 'Pty!',
  Cdtr: 'Pty!',
  Pty: 'Nm',
  RmtInf: 'Ustrd',
}

/** Texts of these elements, and how long they may be. */
const lengths: Readonly<Record<string, number>> = {
  MsgId: 35,
  NtryRef: 35,
  AcctSvcrRef: 35,
  EndToEndId: 35,
  Nm: 140,
  Ustrd: 140,
  AddtlTxInf: 500,
  AddtlStmtInf: 500,
}

const texts: Readonly<Record<string, RegExp>> = {
  CdtDbtInd: /^(CRDT|DBIT)$/,
  Amt: /^\d{1,18}(\.\d{1,5})?$/,
  NbOfNtries: /^\d{1,15}$/,
  Ccy: /^[A-Z]{3}$/,
  DtTm: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
}

/** What of a message does not fit the standard, a sentence each. */
export function faultsOfCamt(text: string): string[] {
  const parser = new XMLParser({ preserveOrder: true, parseTagValue: false, trimValues: false })
  const root = parser.parse(text).filter((node: Json) => !('?xml' in node))
  return root.flatMap((node: Json) => faultsOf(node, ''))
}

function faultsOf(node: Json, path: string): string[] {
  const [name = ''] = Object.keys(node).filter((key) => key !== ':@')
  const here = `${path}/${name}`
  const content: Json[] = node[name]
  const children = content.filter((child) => !('#text' in child))
  const value = content.map((child) => child['#text'] ?? '').join('')
  if (children.length === 0) return faultsOfText(here, name, value)
  return [
    ...faultsOfOrder(
      here,
      name,
      children.map((child) => Object.keys(child)[0]!),
    ),
    ...children.flatMap((child) => faultsOf(child, here)),
  ]
}

function faultsOfText(here: string, name: string, value: string): string[] {
  const length = Array.from(value).length
  if (length < 1 || length > (lengths[name] ?? 1_000)) return [`${here} has ${length} characters`]
  return texts[name]?.test(value) === false ? [`${here} is ${value}`] : []
}

function faultsOfOrder(here: string, name: string, children: readonly string[]): string[] {
  // Of an account it has another element of the same name in it.
  const wanted = name === 'Id' ? ['Othr!'] : structure[name]?.split(' ')
  if (!wanted) return [`${here} has elements`]
  const known = wanted.map((it) => it.replace('!', ''))
  const places = children.map((child) => known.indexOf(child))
  const missing = wanted.filter((it) => it.endsWith('!') && !children.includes(it.slice(0, -1)))
  const isOrdered = places.every((place, index) => place >= (places[index - 1] ?? 0))
  return [
    ...missing.map((it) => `${here} lacks ${it}`),
    ...(places.includes(-1) || !isOrdered ? [`${here} has ${children.join(' ')}`] : []),
  ]
}
