import { z } from 'zod'
import type { Ledger } from '../../accounting/client.ts'
import { findNewestCheckpoint, type StoredCheckpoint } from '../../db/checkpoints.ts'
import { isInOrder } from '../../db/reconciliations.ts'
import type { Deps } from '../deps.ts'
import { ledgerPass } from '../reconciliation/ledger-pass.ts'
import { recordRun } from '../reconciliation/record.ts'
import { recordsPass } from '../reconciliation/records-pass.ts'

/** A reconciliation that takes longer is given up, and stored as failed. */
const limitMs = 30 * 60_000
/** Between two pages of the ledger requests are answered: a page takes some milliseconds. */
const pageMax = 1_000
/** Everything is compared once a day. It is a little less, so that it stays at the same hour. */
const wholeEveryMs = 23 * 3_600_000

const passes = [ledgerPass, recordsPass]

const job = z.object({ requested_by: z.uuid().optional() })

/**
 * Where a reconciliation of the schedule goes on from: the newest checkpoint. Undefined when everything is to
 * be compared: once a day, and as long as something is wrong.
 */
async function findSince({
  db,
  nowMs,
}: Pick<Deps, 'db' | 'nowMs'>): Promise<StoredCheckpoint | undefined> {
  const names = passes.map(({ name }) => name)
  const lookedAtAfter = new Date(nowMs() - wholeEveryMs)
  if (!(await isInOrder(db, { passes: names, lookedAtAfter }))) return undefined
  return findNewestCheckpoint(db)
}

/**
 * Carries a reconciliation out and stores it, beside the requests that this process answers. While
 * another one is carried out it leaves it to that one; one that an operator has asked for then throws,
 * so that it is tried again. What `stopped` aborts is not stored.
 */
export async function reconcile(
  deps: Pick<Deps, 'db' | 'ledger' | 'log' | 'nowMs'>,
  payload: unknown,
  stopped: AbortSignal,
): Promise<void> {
  const { db, log, nowMs } = deps
  const { requested_by: requestedBy = null } = job.parse(payload)
  const ends = AbortSignal.any([stopped, AbortSignal.timeout(limitMs)])
  const since = requestedBy === null ? await findSince(deps) : undefined
  const context = { db, ledger: readGently(deps.ledger, ends), nowMs, since }
  const startedBy = requestedBy === null ? 'schedule' : 'operator'
  const start = { startedBy, requestedBy, signal: stopped } as const
  const recorded = await recordRun(context, passes, start)
  if (!recorded) {
    if (requestedBy === null) return
    throw new Error('another reconciliation is carried out')
  }
  const { id, verdict, foundCount, newCount, goneCount } = recorded.run
  const counts = {
    id,
    since: recorded.run.since,
    found: foundCount,
    new: newCount,
    gone: goneCount,
  }
  if (verdict === 'clean') log.info(counts, 'a reconciliation was clean')
  else if (verdict === 'breaks') log.warn(counts, 'a reconciliation has found breaks')
  else {
    const [failed] = recorded.all.filter(({ error }) => error !== undefined)
    log.warn({ ...counts, err: failed?.error }, 'a reconciliation could not compare everything')
  }
}

/** The ledger in small pages, and only until it ends: then whoever reads is told why. */
function readGently(ledger: Ledger, ends: AbortSignal): Ledger {
  const largestRequest = () => Math.min(ledger.largestRequest(), pageMax)
  return new Proxy(ledger, {
    get(target, name) {
      ends.throwIfAborted()
      return name === 'largestRequest' ? largestRequest : Reflect.get(target, name)
    },
  })
}
