import { type Kysely, sql } from 'kysely'

/** Batches: what a key was used for. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of batches) await sql.raw(part).execute(db)
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
