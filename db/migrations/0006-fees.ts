import { type Kysely, sql } from 'kysely'

/**
 * What operations cost: append-only, so that the number in a fee's transfer tells for ever by which
 * schedule it was taken. Amounts are prices in minor units; nothing in it was moved.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of feeSchedules) await sql.raw(part).execute(db)
}

const feeSchedules = [
  `CREATE TABLE fee_schedules (
    id uuid PRIMARY KEY,
    input_hash bigint NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    operation text NOT NULL,
    currency text NOT NULL REFERENCES currencies,
    fixed_minor numeric(39) NOT NULL CHECK (fixed_minor >= 0),
    basis_points integer NOT NULL CHECK (basis_points BETWEEN 0 AND 10000),
    min_minor numeric(39) CHECK (min_minor >= 0),
    max_minor numeric(39) CHECK (max_minor >= 0),
    borne_by text NOT NULL CHECK (borne_by IN ('sender', 'recipient')),
    refund text NOT NULL CHECK (refund IN ('none', 'proportional')),
    valid_from timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (min_minor <= max_minor)
  )`,
  `CREATE INDEX fee_schedules_valid
    ON fee_schedules (operation, currency, valid_from DESC, number DESC)`,
  `CREATE TRIGGER fee_schedules_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fee_schedules
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
  `CREATE TRIGGER fee_schedules_notify AFTER INSERT ON fee_schedules
    FOR EACH STATEMENT EXECUTE FUNCTION notify_settings()`,
]
