import { type Kysely, sql } from 'kysely'

/** Batches: what a key was used for. Payrolls: files of payments, and what has become of each row. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [...batches, ...payrolls]) await sql.raw(part).execute(db)
}

const batches = [
  `CREATE TABLE batches (
    id uuid PRIMARY KEY,
    input_hash bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE TRIGGER batches_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON batches
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
]

const payrolls = [
  `CREATE TABLE payrolls (
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    id uuid PRIMARY KEY,
    input_hash bigint NOT NULL,
    user_id uuid NOT NULL REFERENCES users,
    wallet_id uuid NOT NULL REFERENCES wallets,
    state text NOT NULL DEFAULT 'uploading' CHECK (state IN ('uploading', 'running', 'finished')),
    row_count integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    progressed_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
  )`,
  'CREATE INDEX payrolls_user ON payrolls (user_id, number DESC)',
  `CREATE INDEX payrolls_unfinished ON payrolls (state, progressed_at) WHERE state <> 'finished'`,
  `CREATE TABLE payroll_items (
    payroll_id uuid NOT NULL REFERENCES payrolls ON DELETE CASCADE,
    place integer NOT NULL,
    line integer NOT NULL,
    recipient text NOT NULL,
    amount text NOT NULL,
    memo text,
    amount_minor numeric(39),
    status text CHECK (status IN ('done', 'refused')),
    code text,
    PRIMARY KEY (payroll_id, place)
  )`,
  'CREATE INDEX payroll_items_waiting ON payroll_items (payroll_id, place) WHERE status IS NULL',
]
