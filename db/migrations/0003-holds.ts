import { type Kysely, sql } from 'kysely'

/**
 * The read model that is made by following the ledger: how far it has come, and which holds there
 * are. It can be dropped and made again at any time; amounts are not in it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of statements) await sql.raw(part).execute(db)
}

const statements = [
  `CREATE TABLE tail_cursors (
    name text PRIMARY KEY,
    ledger_time bigint NOT NULL,
    read_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE TABLE hold_index (
    hold_id uuid PRIMARY KEY,
    payer_wallet_id uuid NOT NULL,
    payee_wallet_id uuid NOT NULL,
    opened_at bigint NOT NULL,
    deadline_at bigint NOT NULL,
    resolution text CHECK (resolution IN ('captured', 'voided'))
  )`,
  'CREATE INDEX hold_index_payer ON hold_index (payer_wallet_id, opened_at DESC)',
  'CREATE INDEX hold_index_payee ON hold_index (payee_wallet_id, opened_at DESC)',
]
