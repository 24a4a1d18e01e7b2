import { deleteExpiredAttempts } from '../../db/attempts.ts'
import { deleteExpiredSessions } from '../../db/sessions.ts'
import type { Deps } from '../deps.ts'
import { lifetimesOf } from '../sessions.ts'

/** Rows of a kind at a time; what is left waits for the next time. */
const batchMax = 10_000

/**
 * Deletes what has run out: sessions, and counts of failed sign-ins. Nothing depends on it but the room
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
}
