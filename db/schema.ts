import type { ColumnType, Generated } from 'kysely'

/** Who an account belongs to decides what it may reach. */
export type Role = 'customer' | 'payment_system' | 'operator'

/** What kind of user a limit is for, when it is not set for one alone. */
export type LimitKind = 'person' | 'business' | 'payment_system'

/** Within which time a limit counts; it moves on with the clock. */
export type LimitWindow = 'day' | 'week' | 'month'

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
  /** Of a customer: which limits there are unless others are set. */
  kind: Generated<'person' | 'business'>
  /** Of the kind, of the one sequence that numbers all that decides about limits. */
  kind_version: Generated<bigint>
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
  /** When its owner has closed it for ever; the ledger refuses it from then on, and a little before. */
  closed_at: Date | null
}

/** Written before a wallet's account is closed, so that one that was not empty is opened again. */
export interface WalletClosingsTable {
  /** Of the transfer that closes the account. */
  id: Fixed<string>
  wallet_id: Fixed<string>
  created_at: FixedDefault<Date>
  /** When it was seen to be final, or undone. */
  settled_at: Date | null
}

/** Insert-only. What a payer wrote, by (transfer, hash of the payer's input). */
export interface MemosTable {
  transfer_id: Fixed<string>
  input_hash: Fixed<bigint>
  /** Null when it was erased. */
  memo: ColumnType<string | null, string, never>
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
  /** The wallet as the payment system has named it; null in rows older than suspense. */
  named_wallet: Fixed<string | null>
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

/** Insert-only. Which batch a key was used for: the first one, by the hash of its input. */
export interface BatchesTable {
  id: Fixed<string>
  input_hash: Fixed<bigint>
  created_at: FixedDefault<Date>
}

export type PayrollState = 'uploading' | 'running' | 'finished'

/** A file of payments that is carried out in the background. */
export interface PayrollsTable {
  number: Generated<bigint>
  id: Fixed<string>
  /** Of what was asked for besides the file. */
  input_hash: Fixed<bigint>
  user_id: Fixed<string>
  /** The wallet that pays. */
  wallet_id: Fixed<string>
  state: ColumnType<PayrollState, PayrollState | undefined, PayrollState>
  /** Known when all of it is there. */
  row_count: ColumnType<number | null, undefined, number>
  created_at: FixedDefault<Date>
  progressed_at: ColumnType<Date, Date | undefined, Date>
  finished_at: ColumnType<Date | null, undefined, Date>
}

/** A row of such a file as it was written, and how it was seen to end. */
export interface PayrollItemsTable {
  payroll_id: Fixed<string>
  /** Among the rows, from 0. */
  place: Fixed<number>
  /** Of the file, from 1. */
  line: Fixed<number>
  recipient: Fixed<string>
  amount: Fixed<string>
  memo: Fixed<string | null>
  /** What is asked for, as decimal digits; null when it cannot be read. */
  amount_minor: Fixed<string | null>
  status: 'done' | 'refused' | null
  code: string | null
}

/** How far a reader of the ledger's transfers has come. */
export interface TailCursorsTable {
  name: Fixed<string>
  /** The timestamp of the last transfer that was read, nanoseconds since 1970. */
  ledger_time: bigint
  /** When everything up to there, and nothing after it, was in the ledger. */
  read_at: Date
}

/** Pending transfers that a reader has seen and that run out some time; an expiry leaves no transfer. */
export interface TailDeadlinesTable {
  reader: Fixed<string>
  transfer_id: Fixed<string>
  operation_id: Fixed<string>
  /** TigerBeetle's code of the transfer. */
  code: Fixed<number>
  /** Nanoseconds since 1970. */
  deadline_at: Fixed<bigint>
}

/** What there is of each kind and how it stands, made by following the ledger; it can be made again. */
export interface LifecyclesTable {
  kind: Fixed<string>
  id: Fixed<string>
  /** Of the transfer that opened it. */
  debit_account_id: Fixed<string>
  credit_account_id: Fixed<string>
  input_hash: Fixed<bigint>
  /** Nanoseconds since 1970. */
  opened_at: Fixed<bigint>
  /** When it runs out, nanoseconds since 1970; 0 for never. */
  deadline_at: Fixed<bigint>
  state: string
  /** Ledger time of the last change of state. */
  changed_at: bigint
}

/** What somebody asks somebody for; whether it is open or was paid is in the ledger. */
export interface PaymentRequestsTable {
  id: Fixed<string>
  input_hash: Fixed<bigint>
  requester_user_id: Fixed<string>
  payer_user_id: Fixed<string>
  to_wallet_id: Fixed<string>
  /** What is asked for, as decimal digits; nothing has moved. */
  amount_minor: Fixed<string>
  memo: Fixed<string | null>
  created_at: FixedDefault<Date>
  /** When the ledger was seen to have it, or never to have it. */
  settled_at: Date | null
}

/** Whose requests for money a user does not want. */
export interface UserBlocksTable {
  user_id: Fixed<string>
  blocked_user_id: Fixed<string>
  created_at: FixedDefault<Date>
}

/** Where a withdrawal shall go, written before the money is reserved in the ledger. */
export interface WithdrawalsTable {
  id: Fixed<string>
  input_hash: Fixed<bigint>
  user_id: Fixed<string>
  wallet_id: Fixed<string>
  payment_system_id: Fixed<string>
  /** Encrypted. */
  destination: Buffer
  /** What of it may be shown. */
  destination_hint: Fixed<string>
  created_at: FixedDefault<Date>
  settled_at: Date | null
}

/** Insert-only. What a payment system told when it confirmed or failed a withdrawal. */
export interface WithdrawalOutcomesTable {
  withdrawal_id: Fixed<string>
  input_hash: Fixed<bigint>
  reference: Fixed<string | null>
  reason: Fixed<string | null>
  created_at: FixedDefault<Date>
}

/** Insert-only. Which payment a refund gives back, and why. */
export interface RefundsTable {
  id: Fixed<string>
  input_hash: Fixed<bigint>
  transfer_id: Fixed<string>
  reason: Fixed<string | null>
  created_at: FixedDefault<Date>
}

/** Insert-only. Which deposit a payment system took back, and why. */
export interface ReversalsTable {
  id: Fixed<string>
  input_hash: Fixed<bigint>
  payment_system_id: Fixed<string>
  deposit_id: Fixed<string>
  reference: Fixed<string>
  reason: Fixed<string>
  created_at: FixedDefault<Date>
}

/** Insert-only. What an operator asks others to approve, by (approval, hash of the operator's input). */
export interface ApprovalsTable {
  id: Fixed<string>
  input_hash: Fixed<bigint>
  kind: Fixed<string>
  /** JSON text. */
  body: ColumnType<unknown, string, never>
  reason: Fixed<string>
  requested_by: Fixed<string>
  created_at: FixedDefault<Date>
}

/** Insert-only. What was told when an approval was decided. */
export interface ApprovalDecisionsTable {
  approval_id: Fixed<string>
  input_hash: Fixed<bigint>
  operator_id: Fixed<string>
  reason: Fixed<string | null>
  created_at: FixedDefault<Date>
}

/** Insert-only. That what was approved is done in PostgreSQL, or cannot be. */
export interface ApprovalEffectsTable {
  approval_id: Fixed<string>
  /** A refusal code. */
  failure: Fixed<string | null>
  created_at: FixedDefault<Date>
}

/** Its numbers never change: a trigger refuses it. */
export interface CurrenciesTable {
  number: Generated<number>
  currency: Fixed<string>
  ledger: Fixed<number>
  scale: Fixed<number>
  name: string
  is_own: Fixed<boolean>
  closed_at: Date | null
  created_at: FixedDefault<Date>
}

/** Append-only. What operations cost; the amounts are prices, as decimal digits in minor units. */
export interface FeeSchedulesTable {
  id: Fixed<string>
  input_hash: Fixed<bigint>
  /** Named by the transfers of fees that were taken by it. */
  number: FixedDefault<bigint>
  operation: Fixed<'deposit' | 'payment' | 'withdrawal' | 'capture' | 'exchange'>
  currency: Fixed<string>
  fixed_minor: Fixed<string>
  basis_points: Fixed<number>
  min_minor: Fixed<string | null>
  max_minor: Fixed<string | null>
  borne_by: Fixed<'sender' | 'recipient'>
  refund: Fixed<'none' | 'proportional'>
  valid_from: Fixed<Date>
  created_at: FixedDefault<Date>
}

/** Append-only. Limits that were set for one user; the newest of a currency and window is in force. */
export interface LimitsTable {
  id: Fixed<string>
  /** Of one sequence; whoever commits later has the higher one. */
  version: FixedDefault<bigint>
  user_id: Fixed<string>
  currency: Fixed<string>
  window: Fixed<LimitWindow>
  /** `default`: as for the user's kind. */
  rule: Fixed<'amount' | 'none' | 'default'>
  /** Minor units in decimal digits; of the rule `amount`. */
  amount_minor: Fixed<string | null>
  set_by: Fixed<string>
  created_at: FixedDefault<Date>
}

/** Append-only. Limits of everyone of a kind; the newest of a currency and window is in force. */
export interface LimitDefaultsTable {
  id: Fixed<string>
  version: FixedDefault<bigint>
  kind: Fixed<LimitKind>
  currency: Fixed<string>
  window: Fixed<LimitWindow>
  /** Minor units in decimal digits; null for no limit. */
  amount_minor: Fixed<string | null>
  set_by: Fixed<string>
  created_at: FixedDefault<Date>
}

/** Append-only. What one `base` is worth; of each pair the newest row counts, in both directions. */
export interface ExchangeRatesTable {
  number: Generated<bigint>
  id: Fixed<string>
  base: Fixed<string>
  quote: Fixed<string>
  /** Both currencies, whichever of them is the base. */
  pair: ColumnType<string, never, never>
  /** Decimal text. */
  mid: Fixed<string>
  spread_basis_points: Fixed<number>
  source: Fixed<string>
  valid_until: Fixed<Date>
  created_at: FixedDefault<Date>
}

/** Append-only. At which terms a user may exchange once; whether that was done is in the ledger. */
export interface QuotesTable {
  id: Fixed<string>
  exchange_id: Fixed<string>
  user_id: Fixed<string>
  rate_number: Fixed<bigint>
  side: Fixed<'sell' | 'buy'>
  from_currency: Fixed<string>
  to_currency: Fixed<string>
  /** Decimal digits; nothing has moved. */
  from_minor: Fixed<string>
  to_minor: Fixed<string>
  spread_minor: Fixed<string>
  /** What it costs on top, and by which schedule; null when it is nothing. */
  fee_minor: Fixed<string | null>
  fee_number: Fixed<bigint | null>
  /** About when its time is over: the ledger decides. */
  ends_at: Fixed<Date>
  created_at: FixedDefault<Date>
}

/** Append-only. The signed chain over both stores; times are nanoseconds since 1970. */
export interface EvidenceRecordsTable {
  number: Fixed<bigint>
  from_time: Fixed<bigint>
  to_time: Fixed<bigint>
  transfer_count: Fixed<number>
  transfers_hash: Fixed<Buffer>
  fact_count: Fixed<number>
  facts_hash: Fixed<Buffer>
  previous_hash: Fixed<Buffer>
  key_id: Fixed<string>
  hash: Fixed<Buffer>
  signature: Fixed<Buffer>
  created_at: FixedDefault<Date>
}

/** Append-only but for the salt, which goes with the texts. By what kind of fact it is and its key. */
export interface EvidenceDigestsTable {
  kind: Fixed<string>
  id: Fixed<string>
  input_hash: Fixed<bigint>
  /** Null when the texts were erased. */
  salt: ColumnType<Buffer | null, Buffer, never>
  digest: Fixed<Buffer>
}

/** How a reconciliation came to be carried out: by itself, by `npm run reconcile`, or by the API. */
export type ReconciliationStart = 'schedule' | 'command' | 'operator'

/** Whether all agree, something does not, or that is not known. */
export type Verdict = 'clean' | 'breaks' | 'failed'

/** Append-only. Reconciliations that were stored. */
export interface ReconciliationsTable {
  id: Fixed<string>
  number: Generated<bigint>
  started_by: Fixed<ReconciliationStart>
  requested_by: Fixed<string | null>
  started_at: Fixed<Date>
  ended_at: Fixed<Date>
  /** The earliest moment that a pass was judged as of. */
  as_of: Fixed<Date | null>
  /** The moment of the checkpoint from which it went on; null when it looked at everything. */
  since: Fixed<Date | null>
  verdict: Fixed<Verdict>
  /** JSON: of each pass what it has compared, or why it could not be carried out. */
  passes: ColumnType<unknown, string, never>
  found_count: Fixed<number>
  new_count: Fixed<number>
  gone_count: Fixed<number>
}

/** What a clean reconciliation has come to: added and deleted, never changed. */
export interface CheckpointsTable {
  reconciliation_id: Fixed<string>
  /** Nanoseconds since 1970. */
  moment: Fixed<bigint>
  transfer_count: Fixed<bigint>
  hash: Fixed<Buffer>
}

/** Deleted with the checkpoint. */
export interface CheckpointPartsTable {
  reconciliation_id: Fixed<string>
  /** From 0, without gaps. */
  place: Fixed<number>
  lines: Fixed<string>
}

export type BreakState = 'open' | 'assigned' | 'explained' | 'corrected' | 'closed'

/** Breaks as the last reconciliation that found them told them, and how each stands. */
export interface BreaksTable {
  id: Fixed<string>
  number: Generated<bigint>
  pass: Fixed<string>
  kind: Fixed<string>
  /** Of those that are not closed, unique in its pass and kind. */
  subject: Fixed<string>
  scope: string[]
  ledger_ids: string[]
  record_ids: string[]
  statement_lines: string[]
  currency: string | null
  /** Decimal digits; nothing has moved. */
  expected_minor: string | null
  found_minor: string | null
  since: Fixed<Date>
  detail: string
  first_seen: Fixed<string>
  last_seen: string
  /** Of the same pass, kind and subject, closed before this one was found. */
  earlier_id: Fixed<string | null>
  state: Generated<BreakState>
  assignee: string | null
  explanation: string | null
  adjustment_id: string | null
  closed_at: Date | null
  /** Null when it has gone by itself. */
  closed_by: string | null
}

export type BreakEventKind =
  | 'found'
  | 'seen_differently'
  | 'assigned'
  | 'explained'
  | 'corrected'
  | 'closed'
  | 'gone'
  | 'reopened'

/** Append-only. What has happened to breaks: by a reconciliation, or by an operator. */
export interface BreakEventsTable {
  id: Generated<bigint>
  break_id: Fixed<string>
  at: Fixed<Date>
  kind: Fixed<BreakEventKind>
  reconciliation_id: Fixed<string | null>
  operator_id: Fixed<string | null>
  details: ColumnType<Record<string, unknown>, string, never>
}

export interface Schema {
  evidence_records: EvidenceRecordsTable
  evidence_digests: EvidenceDigestsTable
  reconciliations: ReconciliationsTable
  checkpoints: CheckpointsTable
  checkpoint_parts: CheckpointPartsTable
  breaks: BreaksTable
  break_events: BreakEventsTable
  limits: LimitsTable
  limit_defaults: LimitDefaultsTable
  exchange_rates: ExchangeRatesTable
  quotes: QuotesTable
  approvals: ApprovalsTable
  approval_decisions: ApprovalDecisionsTable
  approval_effects: ApprovalEffectsTable
  currencies: CurrenciesTable
  fee_schedules: FeeSchedulesTable
  tail_cursors: TailCursorsTable
  tail_deadlines: TailDeadlinesTable
  lifecycles: LifecyclesTable
  wallets: WalletsTable
  wallet_closings: WalletClosingsTable
  payment_requests: PaymentRequestsTable
  user_blocks: UserBlocksTable
  withdrawals: WithdrawalsTable
  withdrawal_outcomes: WithdrawalOutcomesTable
  refunds: RefundsTable
  reversals: ReversalsTable
  memos: MemosTable
  deposits: DepositsTable
  declines: DeclinesTable
  batches: BatchesTable
  payrolls: PayrollsTable
  payroll_items: PayrollItemsTable
  users: UsersTable
  payment_systems: PaymentSystemsTable
  sessions: SessionsTable
  attempts: AttemptsTable
  audit: AuditTable
}
