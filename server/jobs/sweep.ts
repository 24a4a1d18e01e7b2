import { deleteExpiredAttempts } from '../../db/attempts.ts'
import { deleteAbandonedUploads } from '../../db/payrolls.ts'
import { deleteExpiredSessions } from '../../db/sessions.ts'
import type { Deps } from '../deps.ts'
import { lifetimesOf } from '../sessions.ts'

/** Rows of a kind at a time; what is left waits for the next time. */
const batchMax = 10_000
/** Each with up to 100,000 rows of its own. */
const uploadsMax = 5
/** After this time nobody goes on with an upload that broke off. */
const uploadMs = 86_400_000

/**
 * Deletes what has run out: sessions, counts of failed sign-ins, and
 * uploads that broke off. Nothing depends on it but the room
 * it takes.
 */
export async function sweep({
  config,
  db,
  nowMs,
}: Pick<Deps, 'config' | 'db' | 'nowMs'>): Promise<void> {
  const now = new Date(nowMs())
  await deleteExpiredSessions(db, now, lifetimesOf(config), batchMax)
  await deleteExpiredAttempts(db, now, batchMax)
  await deleteAbandonedUploads(db, { before: new Date(nowMs() - uploadMs), limit: uploadsMax })
}
