import { type Kysely, sql } from 'kysely'

/**
 * Runs of reconciliations that were stored, and the breaks that they found: what was told of them, and
 * what has become of each. The amounts are what a run told, which moves nothing.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of parts) await sql.raw(part).execute(db)
}

const parts = [
  `CREATE TABLE reconciliations (
    id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    started_by text NOT NULL CHECK (started_by IN ('schedule', 'command', 'operator')),
    requested_by uuid REFERENCES users,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    as_of timestamptz,
    verdict text NOT NULL CHECK (verdict IN ('clean', 'breaks', 'failed')),
    passes json NOT NULL,
    found_count integer NOT NULL,
    new_count integer NOT NULL,
    gone_count integer NOT NULL
  )`,
  `CREATE TABLE breaks (
    id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    pass text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    scope text[] NOT NULL,
    ledger_ids text[] NOT NULL,
    record_ids text[] NOT NULL,
    statement_lines text[] NOT NULL,
    currency text,
    expected_minor numeric,
    found_minor numeric,
    since timestamptz NOT NULL,
    detail text NOT NULL,
    first_seen uuid NOT NULL REFERENCES reconciliations,
    last_seen uuid NOT NULL REFERENCES reconciliations,
    earlier_id uuid REFERENCES breaks,
    state text NOT NULL DEFAULT 'open'
      CHECK (state IN ('open', 'assigned', 'explained', 'corrected', 'closed')),
    assignee uuid REFERENCES users,
    explanation text,
    adjustment_id uuid,
    closed_at timestamptz CHECK ((closed_at IS NOT NULL) = (state = 'closed')),
    closed_by uuid REFERENCES users
  )`,
  // A subject can be longer than an index takes.
  `CREATE UNIQUE INDEX breaks_standing ON breaks (pass, kind, md5(subject)) WHERE state <> 'closed'`,
  `CREATE INDEX breaks_subject ON breaks (md5(subject), number)`,
  `CREATE INDEX breaks_state ON breaks (state, number)`,
  `CREATE TABLE break_events (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    break_id uuid NOT NULL REFERENCES breaks,
    at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('found', 'seen_differently', 'assigned', 'explained',
      'corrected', 'closed', 'gone', 'reopened')),
    reconciliation_id uuid REFERENCES reconciliations,
    operator_id uuid REFERENCES users,
    details json NOT NULL,
    CHECK ((reconciliation_id IS NULL) <> (operator_id IS NULL))
  )`,
  `CREATE INDEX break_events_break ON break_events (break_id, id)`,
  `CREATE TRIGGER reconciliations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
  `CREATE TRIGGER break_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON break_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
]
