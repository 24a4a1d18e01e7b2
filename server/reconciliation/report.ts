/** A reconciliation as a program reads it: JSON, or a line of CSV for each break. */
import { toCsvLine, toCsvText } from '../csv.ts'
import { showAmount } from '../flows/amount.ts'
import type { Break } from './break.ts'
import { judge, type Ran } from './reconcile.ts'

/** The whole run as JSON. Amounts are decimal texts in major units, times RFC 3339 in UTC. */
export function toJson(all: readonly Ran[]): string {
  const passes = all.map((ran) => ({
    ...showPass(ran),
    ...(ran.result && { breaks: ran.result.breaks.map(showBreak) }),
  }))
  return JSON.stringify({ verdict: judge(all), passes }, null, 2)
}

/** What a pass has compared, without its breaks, or why it could not be carried out. */
export function showPass({ pass: { name }, result, error }: Ran) {
  if (!result) return { name, error: String(error) }
  return {
    name,
    as_of: result.asOf.toISOString(),
    since: result.since?.toISOString() ?? null,
    counts: result.counts,
    totals: result.totals.map(({ currency, amounts }) => ({
      currency,
      ...Object.fromEntries(
        Object.entries(amounts).map(([column, minor]) => [column, showAmount(minor, currency)]),
      ),
    })),
    omitted: result.omitted,
  }
}

/** A break with its amounts and times as text. */
function showBreak(it: Break) {
  const { currency } = it
  const show = (minor: bigint | undefined) =>
    minor === undefined || currency === undefined ? null : showAmount(minor, currency)
  return {
    kind: it.kind,
    subject: it.subject,
    ledger_ids: it.ledgerIds,
    record_ids: it.recordIds,
    statement_lines: it.statementLines,
    currency: currency ?? null,
    expected: show(it.expected),
    found: show(it.found),
    since: it.since.toISOString(),
    detail: it.detail,
  }
}

const columns = [
  'kind',
  'subject',
  'ledger_ids',
  'record_ids',
  'statement_lines',
  'currency',
  'expected',
  'found',
  'since',
  'detail',
] as const satisfies (keyof ReturnType<typeof showBreak>)[]

/** The breaks of all passes as CSV (RFC 4180), with a line of names first. Several ids are parted by blanks. */
export function toCsv(all: readonly Ran[]): string {
  const lines = all.flatMap(({ pass, result }) =>
    (result?.breaks ?? []).map((it) => {
      const shown = showBreak(it)
      const cells = columns.map((column) => {
        const value = shown[column]
        const text = typeof value === 'string' ? value : (value?.join(' ') ?? '')
        // An amount may begin with a minus; others may have words of a bank or a customer in them.
        return column === 'expected' || column === 'found' ? text : toCsvText(text)
      })
      return [pass.name, ...cells]
    }),
  )
  return [['pass', ...columns], ...lines].map(toCsvLine).join('')
}
