import { type Kysely, sql } from 'kysely'

/**
 * What clean reconciliations have come to, so that later ones can go on from there
 * (docs/reconciliation.md#since-the-last-checkpoint), and what else the commands read that only read: with
 * it, whoever has no other right than `kassa_auditor` can reconcile, verify and export. Old checkpoints are deleted;
 * none is ever changed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of parts) await sql.raw(part).execute(db)
}

const parts = [
  'ALTER TABLE reconciliations ADD COLUMN since timestamptz',
  `CREATE TABLE checkpoints (
    reconciliation_id uuid PRIMARY KEY REFERENCES reconciliations,
    moment bigint NOT NULL UNIQUE,
    transfer_count bigint NOT NULL CHECK (transfer_count >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
  )`,
  `CREATE TABLE checkpoint_parts (
    reconciliation_id uuid NOT NULL REFERENCES checkpoints ON DELETE CASCADE,
    place integer NOT NULL CHECK (place >= 0),
    lines text NOT NULL CHECK (octet_length(lines) <= 1048576),
    PRIMARY KEY (reconciliation_id, place)
  )`,
  ...['checkpoints', 'checkpoint_parts'].map(
    (table) => `CREATE TRIGGER ${table}_unchangeable BEFORE UPDATE OR TRUNCATE ON ${table}
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
  ),
  `DO $$
  BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kassa_auditor') THEN RETURN; END IF;
    GRANT SELECT ON checkpoints, checkpoint_parts, evidence_records, evidence_digests, exchange_rates,
      limit_defaults, limits, memos TO kassa_auditor;
    GRANT SELECT (username, name) ON users TO kassa_auditor;
  END $$`,
]
