import { type Kysely, sql } from 'kysely'

/**
 * What outlives one request: the intents that come before a step in the ledger, what was told about
 * the steps, and the read model of all of them, which takes the place of that of holds and is made
 * again from the ledger. No amount that was moved is in any of it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const parts = [...readModel, ...wallets, ...requests, ...withdrawals, ...returns]
  for (const part of parts) await sql.raw(part).execute(db)
}

const appendOnly = (table: string) =>
  `CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`

const readModel = [
  'DROP TABLE hold_index',
  'DELETE FROM tail_cursors',
  `CREATE TABLE tail_deadlines (
    reader text NOT NULL,
    transfer_id uuid NOT NULL,
    operation_id uuid NOT NULL,
    code integer NOT NULL,
    deadline_at bigint NOT NULL,
    PRIMARY KEY (reader, transfer_id)
  )`,
  'CREATE INDEX tail_deadlines_next ON tail_deadlines (reader, deadline_at)',
  `CREATE TABLE lifecycles (
    kind text NOT NULL,
    id uuid NOT NULL,
    debit_account_id uuid NOT NULL,
    credit_account_id uuid NOT NULL,
    input_hash bigint NOT NULL,
    opened_at bigint NOT NULL,
    deadline_at bigint NOT NULL,
    state text NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (kind, id)
  )`,
  'CREATE INDEX lifecycles_debit ON lifecycles (kind, debit_account_id, opened_at DESC)',
  'CREATE INDEX lifecycles_credit ON lifecycles (kind, credit_account_id, opened_at DESC)',
  'CREATE INDEX lifecycles_state ON lifecycles (kind, state, opened_at DESC)',
]

const wallets = [
  'ALTER TABLE wallets ADD COLUMN closed_at timestamptz',
  `CREATE TABLE wallet_closings (
    id uuid PRIMARY KEY,
    wallet_id uuid NOT NULL REFERENCES wallets,
    created_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz
  )`,
  'CREATE INDEX wallet_closings_unsettled ON wallet_closings (created_at) WHERE settled_at IS NULL',
]

const requests = [
  `CREATE TABLE payment_requests (
    id uuid NOT NULL,
    input_hash bigint NOT NULL,
    requester_user_id uuid NOT NULL REFERENCES users,
    payer_user_id uuid NOT NULL REFERENCES users,
    to_wallet_id uuid NOT NULL REFERENCES wallets,
    amount_minor numeric(39) NOT NULL,
    memo text,
    created_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    PRIMARY KEY (id, input_hash)
  )`,
  'CREATE INDEX payment_requests_requester ON payment_requests (requester_user_id, id)',
  'CREATE INDEX payment_requests_payer ON payment_requests (payer_user_id, id)',
  'CREATE INDEX payment_requests_unsettled ON payment_requests (created_at) WHERE settled_at IS NULL',
  `CREATE TABLE user_blocks (
    user_id uuid NOT NULL REFERENCES users,
    blocked_user_id uuid NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, blocked_user_id)
  )`,
]

const withdrawals = [
  `CREATE TABLE withdrawals (
    id uuid NOT NULL,
    input_hash bigint NOT NULL,
    user_id uuid NOT NULL REFERENCES users,
    wallet_id uuid NOT NULL REFERENCES wallets,
    payment_system_id uuid NOT NULL REFERENCES payment_systems,
    destination bytea NOT NULL,
    destination_hint text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    PRIMARY KEY (id, input_hash)
  )`,
  'CREATE INDEX withdrawals_unsettled ON withdrawals (created_at) WHERE settled_at IS NULL',
  `CREATE TABLE withdrawal_outcomes (
    withdrawal_id uuid NOT NULL,
    input_hash bigint NOT NULL,
    reference text,
    reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (withdrawal_id, input_hash)
  )`,
  appendOnly('withdrawal_outcomes'),
]

const returns = [
  `CREATE TABLE refunds (
    id uuid NOT NULL,
    input_hash bigint NOT NULL,
    transfer_id uuid NOT NULL,
    reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, input_hash)
  )`,
  `CREATE TABLE reversals (
    id uuid NOT NULL,
    input_hash bigint NOT NULL,
    payment_system_id uuid NOT NULL REFERENCES payment_systems,
    deposit_id uuid NOT NULL,
    reference text NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, input_hash)
  )`,
  'ALTER TABLE deposits ADD COLUMN named_wallet text',
  ...['refunds', 'reversals'].map(appendOnly),
]
