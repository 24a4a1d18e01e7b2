import type { Logger } from 'pino'
import type { Ledger } from '../accounting/client.ts'
import type { Database } from '../db/database.ts'
import type { Config } from './config.ts'

/** What use cases work with: a plain object, given as their first argument. */
export interface Deps {
  readonly config: Config
  readonly db: Database
  readonly ledger: Ledger
  readonly log: Logger
  /** The clock; milliseconds since 1970. */
  readonly nowMs: () => number
}
