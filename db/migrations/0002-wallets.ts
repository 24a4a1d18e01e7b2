import { type Kysely, sql } from 'kysely'

/**
 * Wallets, and what describes money without being money: memos, what payment systems told about
 * deposits, why something was declined. The last three are insert-only and keyed by (id, hash of the
 * input), so that a wrong second try can never overwrite what belongs to the first.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [...wallets, ...descriptions]) await sql.raw(part).execute(db)
}

const wallets = [
  `CREATE TABLE wallets (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    number bigint NOT NULL CONSTRAINT wallets_number_key UNIQUE,
    currency text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    account_created_at timestamptz
  )`,
  'CREATE INDEX wallets_user ON wallets (user_id, id)',
  'CREATE INDEX wallets_without_account ON wallets (id) WHERE account_created_at IS NULL',
  `CREATE FUNCTION notify_wallet_opened() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_notify('kassa_user', NEW.user_id::text);
    RETURN NULL;
  END $$`,
  `CREATE TRIGGER wallet_opened AFTER INSERT OR UPDATE ON wallets
    FOR EACH ROW EXECUTE FUNCTION notify_wallet_opened()`,
]

const descriptions = [
  `CREATE TABLE memos (
    transfer_id uuid NOT NULL,
    input_hash bigint NOT NULL,
    memo text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (transfer_id, input_hash)
  )`,
  `CREATE TABLE deposits (
    id uuid NOT NULL,
    input_hash bigint NOT NULL,
    payment_system_id uuid NOT NULL REFERENCES payment_systems,
    reference text NOT NULL,
    sender text,
    details text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, input_hash)
  )`,
  `CREATE TABLE declines (
    operation_id uuid NOT NULL,
    attempt integer NOT NULL,
    input_hash bigint NOT NULL,
    code text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (operation_id, attempt)
  )`,
  ...['memos', 'deposits', 'declines'].map(
    (table) => `CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
  ),
]
