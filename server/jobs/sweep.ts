import { deleteExpiredAttempts } from '../../db/attempts.ts'
import { deleteExpiredSessions } from '../../db/sessions.ts'
import type { Deps } from '../deps.ts'
import { lifetimesOf } from '../sessions.ts'

const intervalMs = 10 * 60_000
/** Rows of a kind at a time; what is left waits for the next time. */
const batchMax = 10_000

/**
 * Deletes what has run out, now and then: sessions, and counts of failed sign-ins. Nothing depends
 * on it but the room it takes. Any number of processes may do it at once.
 */
export function startSweep(deps: Pick<Deps, 'config' | 'db' | 'log' | 'nowMs'>): {
  stop(): Promise<void>
} {
  let running: Promise<void> | undefined

  function run(): void {
    running ??= sweep(deps)
      .catch((error: unknown) => deps.log.warn({ err: error }, 'sweeping failed'))
      .finally(() => {
        running = undefined
      })
  }

  const timer = setInterval(run, intervalMs)
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

/** One round of sweeping. */
export async function sweep({
  config,
  db,
  nowMs,
}: Pick<Deps, 'config' | 'db' | 'nowMs'>): Promise<void> {
  const now = new Date(nowMs())
  await deleteExpiredSessions(db, now, lifetimesOf(config), batchMax)
  await deleteExpiredAttempts(db, now, batchMax)
}
