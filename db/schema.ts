import type { ColumnType, Generated } from 'kysely'

/** Who an account belongs to decides what it may reach. */
export type Role = 'customer' | 'payment_system' | 'operator'

/** Written once. */
type Fixed<T> = ColumnType<T, T, never>
type FixedDefault<T> = ColumnType<T, T | undefined, never>

export interface UsersTable {
  id: Fixed<string>
  role: Fixed<Role>
  /** As the person wrote it; unique without regard to case. */
  email: string
  username: string | null
  name: string | null
  password_hash: string
  created_at: FixedDefault<Date>
  deactivated_at: Date | null
}

export interface PaymentSystemsTable {
  user_id: Fixed<string>
  /** Gives the clearing accounts their ids. */
  number: FixedDefault<number>
  name: string
}

export interface SessionsTable {
  id: Fixed<string>
  /** SHA-256 of the id in the cookie, which is stored nowhere. */
  token_hash: Fixed<Buffer>
  user_id: Fixed<string>
  created_at: Fixed<Date>
  seen_at: Date
}

/** Kept by rate-limiter-flexible. */
export interface AttemptsTable {
  key: Fixed<string>
  points: number
  /** Milliseconds since 1970. */
  expire: number | null
}

/** Append-only: a trigger refuses UPDATE, DELETE and TRUNCATE. */
export interface AuditTable {
  id: Generated<bigint>
  operator_id: Fixed<string>
  action: Fixed<string>
  subject_id: Fixed<string | null>
  /** JSON text; never a secret. */
  details: ColumnType<Record<string, unknown>, string, never>
  request_id: Fixed<string>
  created_at: FixedDefault<Date>
}

/** Names an account of TigerBeetle; what the wallet holds is there and nowhere else. */
export interface WalletsTable {
  id: Fixed<string>
  user_id: Fixed<string>
  /** For people: digits with a Luhn check digit. */
  number: Fixed<bigint>
  currency: Fixed<string>
  created_at: FixedDefault<Date>
  /** When the account in TigerBeetle was seen to exist; until then creating it is repeated. */
  account_created_at: Date | null
}

/** Insert-only. What a payer wrote, by (transfer, hash of the payer's input). */
export interface MemosTable {
  transfer_id: Fixed<string>
  input_hash: Fixed<bigint>
  memo: Fixed<string>
  created_at: FixedDefault<Date>
}

/** Insert-only. What a payment system told about a deposit, by (deposit, hash of its input). */
export interface DepositsTable {
  id: Fixed<string>
  input_hash: Fixed<bigint>
  payment_system_id: Fixed<string>
  reference: Fixed<string>
  sender: Fixed<string | null>
  details: Fixed<string | null>
  created_at: FixedDefault<Date>
}

/** Insert-only. Why an attempt at an operation was declined; written after the ledger has decided. */
export interface DeclinesTable {
  operation_id: Fixed<string>
  attempt: Fixed<number>
  input_hash: Fixed<bigint>
  code: Fixed<string>
  created_at: FixedDefault<Date>
}

/** How far a reader of the ledger's transfers has come. */
export interface TailCursorsTable {
  name: Fixed<string>
  /** The timestamp of the last transfer that was read, nanoseconds since 1970. */
  ledger_time: bigint
  /** When everything up to there, and nothing after it, was in the ledger. */
  read_at: Date
}

/** Which holds there are, made by following the ledger; it can be made again at any time. */
export interface HoldIndexTable {
  hold_id: Fixed<string>
  payer_wallet_id: Fixed<string>
  payee_wallet_id: Fixed<string>
  opened_at: Fixed<bigint>
  deadline_at: Fixed<bigint>
  resolution: 'captured' | 'voided' | null
}

export interface Schema {
  tail_cursors: TailCursorsTable
  hold_index: HoldIndexTable
  wallets: WalletsTable
  memos: MemosTable
  deposits: DepositsTable
  declines: DeclinesTable
  users: UsersTable
  payment_systems: PaymentSystemsTable
  sessions: SessionsTable
  attempts: AttemptsTable
  audit: AuditTable
}
