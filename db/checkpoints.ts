/** What clean reconciliations have come to, so that later ones can go on from there. */
import { sql } from 'kysely'
import type { Database } from './database.ts'

export interface StoredCheckpoint {
  /** The reconciliation that has left it. */
  id: string
  /** Ledger time (ns). */
  moment: bigint
  /** How many transfers there were until then. */
  transfers: number
  /** SHA-256. */
  hash: Buffer
}

/** How many checkpoints are kept. */
const keptMax = 3

/** The newest checkpoint; undefined when there is none. */
export async function findNewestCheckpoint(db: Database): Promise<StoredCheckpoint | undefined> {
  const row = await db
    .selectFrom('checkpoints')
    .selectAll()
    .orderBy('moment', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!row) return undefined
  const { reconciliation_id: id, moment, transfer_count, hash } = row
  return { id, moment, transfers: Number(transfer_count), hash }
}

/** Whether a checkpoint was not deleted. */
export async function hasCheckpoint(db: Database, id: string): Promise<boolean> {
  const query = db.selectFrom('checkpoints').select('moment').where('reconciliation_id', '=', id)
  return (await query.executeTakeFirst()) !== undefined
}

/** The parts of a checkpoint in their order, one at a time: each can have a million characters. */
export async function* readCheckpointParts(db: Database, id: string): AsyncGenerator<string> {
  for (let place = 0; ; place += 1) {
    const row = await db
      .selectFrom('checkpoint_parts')
      .select('lines')
      .where('reconciliation_id', '=', id)
      .where('place', '=', place)
      .executeTakeFirst()
    if (!row) return
    yield row.lines
  }
}

/** Stores a checkpoint and deletes all but the newest ones. */
export async function insertCheckpoint(
  trx: Database,
  { id, moment, transfers, hash }: StoredCheckpoint,
  parts: readonly string[],
): Promise<void> {
  await trx
    .insertInto('checkpoints')
    .values({ reconciliation_id: id, moment, transfer_count: BigInt(transfers), hash })
    .execute()
  for (const [place, lines] of parts.entries()) {
    await trx
      .insertInto('checkpoint_parts')
      .values({ reconciliation_id: id, place, lines })
      .execute()
  }
  await sql`
    DELETE FROM checkpoints WHERE moment NOT IN
      (SELECT moment FROM checkpoints ORDER BY moment DESC LIMIT ${keptMax})`.execute(trx)
}
