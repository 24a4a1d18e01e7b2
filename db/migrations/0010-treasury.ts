import { type Kysely, sql } from 'kysely'

/**
 * What operators ask each other to approve, what was told about decisions, and what came of them in
 * PostgreSQL. Whether something is approved is in the ledger alone; no amount here has moved.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of approvals) await sql.raw(part).execute(db)
}

const appendOnly = (table: string) =>
  `CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`

const approvals = [
  `CREATE TABLE approvals (
    id uuid NOT NULL,
    input_hash bigint NOT NULL,
    kind text NOT NULL,
    body jsonb NOT NULL,
    reason text NOT NULL,
    requested_by uuid NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, input_hash)
  )`,
  `CREATE TABLE approval_decisions (
    approval_id uuid NOT NULL,
    input_hash bigint NOT NULL,
    operator_id uuid NOT NULL REFERENCES users,
    reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (approval_id, input_hash)
  )`,
  `CREATE TABLE approval_effects (
    approval_id uuid PRIMARY KEY,
    failure text,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  ...['approvals', 'approval_decisions', 'approval_effects'].map(appendOnly),
]
