import { parseArgs } from 'node:util'
import type { Period } from '../accounting/history.ts'
import { momentInput, readMoment } from '../server/http/paging.ts'
import { type StatementFormatName, statementFormatNames } from '../server/statements/formats.ts'

export const usage = `Usage: npm run export -- --wallet WALLET --from MOMENT --to MOMENT [--format FORMAT]...
       npm run export -- --format hledger
Moments are days in UTC (2026-11-28) or RFC 3339 times, formats ${statementFormatNames.join(', ')}.
With --folder FOLDER files are written there.`

export interface ExportArguments {
  folder: string
  /** Left out: the whole ledger. Without formats: in each that is possible. */
  statement?: { wallet: string; period: Period; formats?: readonly StatementFormatName[] }
}

/** What the command line asks an export for; undefined when it cannot be understood. */
export function readArguments(args: readonly string[]): ExportArguments | undefined {
  const text = { type: 'string' } as const
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        wallet: text,
        from: text,
        to: text,
        format: { type: 'string', multiple: true },
        folder: { type: 'string', default: '.' },
      },
    })
    const { wallet, folder, format } = values
    const formats = format?.filter(isFormat)
    if (formats?.length !== format?.length) return undefined
    if (wallet === undefined) {
      const isJournal = formats?.length === 1 && formats[0] === 'hledger'
      return isJournal && !values.from && !values.to ? { folder } : undefined
    }
    const [from, to] = [values.from, values.to].map((moment) => momentInput.safeParse(moment).data)
    if (from === undefined || to === undefined) return undefined
    const period = { from: readMoment(from), to: readMoment(to) }
    if (period.from >= period.to) return undefined
    return { folder, statement: { wallet, period, ...(formats && { formats }) } }
  } catch {
    return undefined
  }
}

function isFormat(name: string): name is StatementFormatName {
  return (statementFormatNames as readonly string[]).includes(name)
}
