import { camt053 } from './camt053.ts'
import { csv } from './csv.ts'
import { hledger } from './hledger.ts'
import { json } from './json.ts'
import { pdf } from './pdf.ts'
import type { StatementFormat } from './statement.ts'

/** Every format of a statement by the name under which it is asked for. */
export const statementFormats = {
  json,
  csv,
  'camt.053': camt053,
  pdf,
  hledger,
} as const satisfies Record<string, StatementFormat>

export type StatementFormatName = keyof typeof statementFormats

export const statementFormatNames = Object.keys(statementFormats) as [
  StatementFormatName,
  ...StatementFormatName[],
]
