import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const folder = join(import.meta.dirname, '../../data/ledger-traces')

/** A timestamp in a trace: a decimal string, or that of a created object plus some nanoseconds. */
export type TraceTimestamp = string | { readonly ts: string; readonly plus?: number }
export type TraceObject = Readonly<Record<string, string | number | TraceTimestamp>>

export type CallName =
  | 'create_accounts'
  | 'create_transfers'
  | 'lookup_accounts'
  | 'lookup_transfers'
  | 'get_account_transfers'
  | 'get_account_balances'
  | 'query_accounts'
  | 'query_transfers'

/** One call: the one of the three inputs that fits its name. */
export interface TraceCall {
  readonly op: CallName
  readonly events?: readonly TraceObject[]
  readonly ids?: readonly string[]
  readonly filter?: TraceObject
}

/** One line of a trace. */
export type TraceStep =
  | TraceCall
  | { readonly op: 'parallel'; readonly calls: readonly TraceCall[] }
  | { readonly op: 'reconnect' }
  | { readonly op: 'sleep'; readonly ms: number }

/** What a call was answered; see docs/embedded-ledger.md. */
export interface Answer {
  readonly op: string
  readonly results?: readonly string[]
  readonly clock?: string
  readonly objects?: readonly Readonly<Record<string, string | number>>[]
  readonly error?: { readonly name: string; readonly code?: string; readonly message?: string }
  readonly calls?: readonly Answer[]
}

function readLines<Line>(name: string): Line[] {
  const text = gunzipSync(readFileSync(join(folder, name))).toString()
  return text
    .split('\n')
    .filter(Boolean)
    .map((line): Line => JSON.parse(line))
}

export function traceNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ops.jsonl.gz'))
    .map((file) => file.replace('.ops.jsonl.gz', ''))
    .sort()
}

export function readTrace(name: string): { steps: TraceStep[]; answers: Answer[] } {
  const answers = readLines<Answer & { n: number }>(`${name}.answers.jsonl.gz`)
  return {
    steps: readLines<TraceStep>(`${name}.ops.jsonl.gz`),
    answers: answers.map(({ n: _, ...answer }) => answer),
  }
}
