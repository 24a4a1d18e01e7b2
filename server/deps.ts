import type { Logger } from 'pino'
import type { Ledger } from '../accounting/client.ts'
import type { AttemptLimit } from '../db/attempts.ts'
import type { Database } from '../db/database.ts'
import type { MemoWriter } from '../db/descriptions.ts'
import type { Config } from './config.ts'
import type { Destinations } from './destinations.ts'
import type { Passwords } from './passwords.ts'
import type { Sessions } from './sessions.ts'
import type { SettingsCache } from './settings.ts'

/** What use cases work with: a plain object, given as their first argument. */
export interface Deps {
  readonly config: Config
  readonly db: Database
  readonly ledger: Ledger
  readonly memos: MemoWriter
  /** Encrypts where withdrawals go. */
  readonly destinations: Destinations
  readonly log: Logger
  readonly sessions: Sessions
  readonly settings: SettingsCache
  readonly passwords: Passwords
  /** Failed sign-ins of one account, and of one address. */
  readonly accountAttempts: AttemptLimit
  readonly addressAttempts: AttemptLimit
  /** Sign-ups from one address. */
  readonly signUpAttempts: AttemptLimit
  /** The clock; milliseconds since 1970. */
  readonly nowMs: () => number
}
