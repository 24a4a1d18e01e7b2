/**
 * Intents: rows that are written before something is tried in the ledger under the row's id. One that
 * is not settled may have been cut off in between.
 */
import type { Database } from './database.ts'

export type IntentTable = 'payment_requests' | 'withdrawals' | 'wallet_closings'

/** Ids of intents that are older than a moment and not settled, the oldest first. */
export async function findUnsettled(
  db: Database,
  table: IntentTable,
  { before, limit }: { before: Date; limit: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom(table)
    .select('id')
    .where('settled_at', 'is', null)
    .where('created_at', '<', before)
    .orderBy('created_at')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** Notes that the ledger has, or never will have, what these intents were for. */
export async function markSettled(
  db: Database,
  table: IntentTable,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  await db
    .updateTable(table)
    .set({ settled_at: new Date() })
    .where('id', 'in', ids)
    .where('settled_at', 'is', null)
    .execute()
}
