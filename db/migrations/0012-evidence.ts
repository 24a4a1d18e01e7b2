import { type Kysely, sql } from 'kysely'

/**
 * The signed chain over both stores (docs/evidence.md), and the salted digests by which texts of people
 * are in it. A text can be erased from now on, and with it its salt; the digest stays. Nothing else of
 * what describes money can be changed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [...chain, ...erasure]) await sql.raw(part).execute(db)
}

const chain = [
  `CREATE TABLE evidence_records (
    number bigint PRIMARY KEY CHECK (number > 0),
    from_time bigint NOT NULL,
    to_time bigint NOT NULL CHECK (to_time > from_time),
    transfer_count integer NOT NULL,
    transfers_hash bytea NOT NULL,
    fact_count integer NOT NULL,
    facts_hash bytea NOT NULL,
    previous_hash bytea NOT NULL,
    key_id text NOT NULL,
    hash bytea NOT NULL,
    signature bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE TRIGGER evidence_records_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence_records
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
  `CREATE TABLE evidence_digests (
    kind text NOT NULL,
    id uuid NOT NULL,
    input_hash bigint NOT NULL,
    salt bytea,
    digest bytea NOT NULL,
    PRIMARY KEY (kind, id, input_hash)
  )`,
]

/** Its argument is what a row becomes, as JSON. */
const eraseOnly = (table: string, erased: string) => [
  `CREATE TRIGGER ${table}_append_only BEFORE DELETE OR TRUNCATE ON ${table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
  `CREATE TRIGGER ${table}_erase_only BEFORE UPDATE ON ${table}
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_erasure('${erased}')`,
]

/** Its arguments are the kind of fact, and which column has the id. */
const eraseSalt = (table: string, kind: string, id: string, texts: string) =>
  `CREATE TRIGGER ${table}_erase_salt AFTER UPDATE OF ${texts} ON ${table}
    FOR EACH ROW EXECUTE FUNCTION erase_salt('${kind}', '${id}')`

const erasure = [
  `CREATE FUNCTION refuse_all_but_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD) || TG_ARGV[0]::jsonb THEN
      RAISE EXCEPTION '% is append-only: its texts can be erased, all of a row at once', TG_TABLE_NAME;
    END IF;
    RETURN NEW;
  END $$`,
  // Waits for an interval that is being closed, which may have read the text already.
  `CREATE FUNCTION erase_salt() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock_shared('evidence_records'::regclass::oid::bigint);
    UPDATE evidence_digests SET salt = NULL
      WHERE kind = TG_ARGV[0]
        AND id = (to_jsonb(NEW) ->> TG_ARGV[1])::uuid
        AND input_hash = NEW.input_hash;
    RETURN NULL;
  END $$`,
  ...eraseOnly('evidence_digests', '{"salt": null}'),
  'ALTER TABLE memos ALTER COLUMN memo DROP NOT NULL',
  ...['memos', 'deposits', 'withdrawal_outcomes', 'refunds'].map(
    (table) => `DROP TRIGGER ${table}_append_only ON ${table}`,
  ),
  ...eraseOnly('memos', '{"memo": null}'),
  ...eraseOnly('deposits', '{"sender": null, "details": null}'),
  ...eraseOnly('withdrawal_outcomes', '{"reason": null}'),
  ...eraseOnly('refunds', '{"reason": null}'),
  eraseSalt('memos', 'memo', 'transfer_id', 'memo'),
  eraseSalt('deposits', 'deposit', 'id', 'sender, details'),
  eraseSalt('withdrawal_outcomes', 'withdrawal_outcome', 'withdrawal_id', 'reason'),
  eraseSalt('refunds', 'refund', 'id', 'reason'),
  `CREATE TRIGGER payment_requests_erase_salt AFTER UPDATE OF memo ON payment_requests
    FOR EACH ROW WHEN (NEW.memo IS NULL)
    EXECUTE FUNCTION erase_salt('payment_request', 'id')`,
]
