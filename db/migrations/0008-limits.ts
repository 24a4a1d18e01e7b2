import { type Kysely, sql } from 'kysely'

/**
 * What may be spent, and brought in by payment systems, within a window of time. One sequence numbers
 * all that decides about it, in the order of the commits: a lock is held from the number to the commit.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const parts = [...versions, ...kinds, ...limits, ...defaults, ...givingBack]
  for (const part of parts) await sql.raw(part).execute(db)
}

const appendOnly = (table: string) =>
  `CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`

const versions = [
  'CREATE SEQUENCE limit_versions',
  `CREATE FUNCTION next_limit_version() RETURNS bigint LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock('limit_versions'::regclass::oid::bigint);
    RETURN nextval('limit_versions');
  END $$`,
]

const kinds = [
  `ALTER TABLE users ADD COLUMN kind text NOT NULL DEFAULT 'person'
    CHECK (kind IN ('person', 'business'))`,
  'ALTER TABLE users ADD COLUMN kind_version bigint NOT NULL DEFAULT 0',
]

const key = `
    currency text NOT NULL REFERENCES currencies,
    "window" text NOT NULL CHECK ("window" IN ('day', 'week', 'month'))`

const limits = [
  `CREATE TABLE limits (
    id uuid PRIMARY KEY,
    version bigint NOT NULL DEFAULT next_limit_version(),
    user_id uuid NOT NULL REFERENCES users,${key},
    rule text NOT NULL CHECK (rule IN ('amount', 'none', 'default')),
    amount_minor bigint CHECK (amount_minor >= 0),
    set_by uuid NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((rule = 'amount') = (amount_minor IS NOT NULL))
  )`,
  'CREATE INDEX limits_newest ON limits (user_id, currency, "window", version DESC)',
  appendOnly('limits'),
  `CREATE FUNCTION notify_limit_set() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_notify('kassa_user', NEW.user_id::text);
    RETURN NULL;
  END $$`,
  `CREATE TRIGGER limit_set AFTER INSERT ON limits
    FOR EACH ROW EXECUTE FUNCTION notify_limit_set()`,
]

const defaults = [
  `CREATE TABLE limit_defaults (
    id uuid PRIMARY KEY,
    version bigint NOT NULL DEFAULT next_limit_version(),
    kind text NOT NULL CHECK (kind IN ('person', 'business', 'payment_system')),${key},
    amount_minor bigint CHECK (amount_minor >= 0),
    set_by uuid NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  'CREATE INDEX limit_defaults_newest ON limit_defaults (kind, currency, "window", version DESC)',
  appendOnly('limit_defaults'),
  `CREATE TRIGGER limit_defaults_notify AFTER INSERT ON limit_defaults
    FOR EACH STATEMENT EXECUTE FUNCTION notify_settings()`,
]

/** Finds what has run out since it was last looked. */
const givingBack = [
  `CREATE INDEX lifecycles_expired_holds ON lifecycles (changed_at)
    WHERE kind = 'hold' AND state = 'expired'`,
]
