/** A reconciliation as people read it. */
import { showAmount } from '../flows/amount.ts'
import type { Break } from './break.ts'
import type { CurrencyTotals, PassResult } from './pass.ts'
import { judge, type Ran } from './reconcile.ts'

/** Sets a text off from others, on a terminal by colour. */
export type Paint = (style: 'bold' | 'red' | 'green' | 'dim', text: string) => string

/** Breaks of one kind that are shown; `--json` and `--csv` have more of them. */
const shownPerKind = 20

const verdicts = {
  clean: ['green', 'Clean: everything agrees.'],
  breaks: ['red', 'There are breaks.'],
  failed: ['red', 'Not everything could be compared: nothing is proved.'],
} as const

/** The whole run: for each pass what was compared, totals by currency, and breaks by kind. */
export function toText(all: readonly Ran[], paint: Paint, explain: (error: unknown) => string) {
  const blocks = all.map((ran) =>
    ran.result ? showResult(ran, ran.result, paint) : showFailure(ran, paint, explain),
  )
  const [style, text] = verdicts[judge(all)]
  return [...blocks, paint(style, text)].join('\n\n')
}

function showFailure({ pass, error }: Ran, paint: Paint, explain: (error: unknown) => string) {
  const lines = explain(error).split('\n').map(toPrintable)
  return `${paint('bold', pass.name)}: could not be carried out\n  ${lines.join('\n')}`
}

function showResult({ pass }: Ran, result: PassResult, paint: Paint): string {
  const counts = Object.entries(result.counts).map(
    ([name, count]) => `${groupDigits(count)} ${name}`,
  )
  const since = result.since ? `, since the checkpoint of ${result.since.toISOString()}` : ''
  const asOf = `as of ${result.asOf.toISOString()}${since}`
  const head = `${paint('bold', pass.name)}: ${counts.join(', ')}, ${asOf}`
  const table = result.totals.length === 0 ? [] : ['', ...showTotals(result.totals, paint)]
  const kinds = [...Map.groupBy(result.breaks, ({ kind }) => kind)]
  const breaks = kinds.flatMap(([kind, list]) => ['', ...showKind(pass, result, kind, list, paint)])
  return [head, ...table, ...breaks].join('\n')
}

function showTotals(totals: readonly CurrencyTotals[], paint: Paint): string[] {
  const names = [...new Set(totals.flatMap(({ amounts }) => Object.keys(amounts)))]
  const rows = totals.map(({ currency, amounts }) => [
    currency,
    ...names.map((name) =>
      amounts[name] === undefined ? '' : showAmount(amounts[name], currency),
    ),
  ])
  const all = [['', ...names], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const lines = all.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
      )
      .join('  '),
  )
  return lines.map((line, index) => `  ${index === 0 ? paint('dim', line) : line}`)
}

function showKind(
  { kinds }: Ran['pass'],
  { omitted }: PassResult,
  kind: string,
  breaks: readonly Break[],
  paint: Paint,
): string[] {
  const count = breaks.length + (omitted[kind] ?? 0)
  const left = count - Math.min(breaks.length, shownPerKind)
  return [
    `  ${paint('red', kind)}: ${groupDigits(count)}`,
    `    Cause:  ${kinds[kind]?.cause}`,
    `    Remedy: ${kinds[kind]?.remedy}`,
    ...breaks.slice(0, shownPerKind).flatMap((it) => showBreak(it, paint)),
    ...(left > 0 ? [`    - and ${groupDigits(left)} more`] : []),
  ]
}

function showBreak(it: Break, paint: Paint): string[] {
  const { currency, expected, found } = it
  const amounts =
    currency !== undefined && expected !== undefined && found !== undefined
      ? `${showAmount(found, currency)} ${currency} instead of ${showAmount(expected, currency)}, `
      : ''
  const ids = [...it.ledgerIds, ...it.recordIds, ...it.statementLines].slice(0, 4)
  return [
    `    - ${toPrintable(it.detail)}`,
    paint(
      'dim',
      `      ${amounts}${it.since.toISOString()}${ids.length > 0 ? `, ${toPrintable(ids.join(' '))}` : ''}`,
    ),
  ]
}

/**
 * Texts of a bank or a customer without what a terminal would obey, or what would show them in another
 * order: a reference could wipe out the breaks above it.
 */
const toPrintable = (text: string) =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '\ufffd')

/** 1234567 as 1,234,567. */
const groupDigits = (count: number) => String(count).replace(/\B(?=(\d{3})+$)/g, ',')
