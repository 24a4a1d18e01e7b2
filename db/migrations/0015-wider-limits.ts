import { type Kysely, sql } from 'kysely'

/** Limits as wide as other amounts: 64 bits are a few pieces of an asset with 18 decimals. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['limits', 'limit_defaults']) {
    await sql`ALTER TABLE ${sql.table(table)} ALTER COLUMN amount_minor TYPE numeric(39)`.execute(
      db,
    )
  }
}
