/** A run that is stored with its breaks, in one transaction: all of it or nothing. */
import {
  closeBreaks,
  findClosedBreaks,
  insertBreakEvents,
  keepBreaks,
  lockStandingBreaks,
  type NewBreakEvent,
  type SeenBreak,
  type ToldBreak,
} from '../../db/breaks.ts'
import { insertCheckpoint } from '../../db/checkpoints.ts'
import type { Database } from '../../db/database.ts'
import { mintId } from '../../db/ids.ts'
import {
  insertReconciliation,
  type NewReconciliation,
  whileAlone,
} from '../../db/reconciliations.ts'
import { showAmount } from '../flows/amount.ts'
import { fromLedgerTime } from '../flows/ledger-time.ts'
import { type Changes, compareWithStanding, nameOf } from './life.ts'
import type { Pass, PassContext, Progress } from './pass.ts'
import { judge, type Ran, runPasses } from './reconcile.ts'
import { showPass } from './report.ts'

export interface RecordOptions extends Pick<NewReconciliation, 'startedBy' | 'requestedBy'> {
  progress?: (pass: string) => Progress
  /** When it aborts before the run is over, nothing is stored. */
  signal?: AbortSignal
}

export interface RecordedRun {
  run: NewReconciliation
  all: Ran[]
}

/**
 * Runs passes and stores what they found, and a checkpoint when nothing is wrong. Answers undefined, having done nothing, while another run that
 * is to be stored is carried out, by whatever process. Rejects when it cannot be stored: then it is not.
 */
export async function recordRun(
  context: PassContext,
  passes: readonly Pass[],
  { progress, signal, ...start }: RecordOptions,
): Promise<RecordedRun | undefined> {
  const now = () => new Date(context.nowMs())
  return whileAlone(context.db, async (alone) => {
    const startedAt = now()
    const all = await runPasses({ ...context, takesCheckpoint: true }, passes, progress)
    signal?.throwIfAborted()
    const since = context.since ? fromLedgerTime(context.since.moment) : null
    const about = { ...start, id: mintId(), startedAt, endedAt: now(), since }
    return { all, run: await alone.transaction().execute((trx) => store(trx, all, about)) }
  })
}

type About = Pick<
  NewReconciliation,
  'id' | 'startedBy' | 'requestedBy' | 'startedAt' | 'endedAt' | 'since'
>

async function store(trx: Database, all: readonly Ran[], about: About): Promise<NewReconciliation> {
  const carriedOut = all.filter(({ result }) => result !== undefined)
  const names = carriedOut.map(({ pass }) => pass.name)
  const standing = await lockStandingBreaks(trx, names)
  const changes = compareWithStanding(all, standing)
  const fresh = await toNewBreaks(trx, changes.fresh)
  const { same, gone } = changes
  const moments = carriedOut.map(({ result }) => result!.asOf.getTime())
  const run: NewReconciliation = {
    ...about,
    asOf: moments.length > 0 ? new Date(Math.min(...moments)) : null,
    verdict: judge(all),
    passes: all.map((ran) => ({ ...showPass(ran), breaks: countKinds(ran) })),
    foundCount: fresh.length + same.length,
    newCount: fresh.length,
    goneCount: gone.length,
  }
  await insertReconciliation(trx, run)
  await keepBreaks(trx, [...same.map(({ now }) => now), ...fresh], run.id)
  const goneIds = gone.map(({ id }) => id)
  await closeBreaks(trx, goneIds, run.endedAt)
  await insertBreakEvents(trx, toEvents(run, fresh, changes))
  // What a run since a checkpoint does not look at can still be wrong.
  if (run.verdict === 'clean' && gone.length === standing.length)
    await leaveCheckpoint(trx, run, all)
  return run
}

async function leaveCheckpoint(
  trx: Database,
  { id }: NewReconciliation,
  all: readonly Ran[],
): Promise<void> {
  const taken = all.find(({ result }) => result?.checkpoint)?.result?.checkpoint
  if (taken) await insertCheckpoint(trx, { ...taken, id }, taken.parts)
}

/** Gives new breaks their ids, and names the earlier one of those that come back. */
async function toNewBreaks(trx: Database, fresh: Changes['fresh']): Promise<SeenBreak[]> {
  if (fresh.length === 0) return []
  const subjects = [...new Set(fresh.map(({ subject }) => subject))]
  const closed = await findClosedBreaks(trx, subjects)
  const earlier = new Map(closed.map((it) => [nameOf(it), it.id]))
  return fresh.map((told) => ({
    ...told,
    id: mintId(),
    earlierId: earlier.get(nameOf(told)) ?? null,
  }))
}

function toEvents(
  { id: reconciliationId, endedAt: at }: NewReconciliation,
  fresh: readonly SeenBreak[],
  { same, gone }: Changes,
): NewBreakEvent[] {
  const by = { at, reconciliationId, operatorId: null }
  const differing = same.filter(({ isDifferent }) => isDifferent)
  return [
    ...fresh.flatMap((it): NewBreakEvent[] => {
      const found = { ...by, breakId: it.id, kind: 'found' as const, details: showTold(it) }
      if (it.earlierId === null) return [found]
      const details = { break_id: it.id }
      return [found, { ...by, breakId: it.earlierId, kind: 'reopened' as const, details }]
    }),
    ...differing.map(({ now }) => ({
      ...by,
      breakId: now.id,
      kind: 'seen_differently' as const,
      details: showTold(now),
    })),
    ...gone.map(({ id: breakId }) => ({ ...by, breakId, kind: 'gone' as const, details: {} })),
  ]
}

/** What an event tells: enough to write to somebody about it. */
function showTold({ pass, kind, subject, currency, detail, ...amounts }: ToldBreak) {
  const show = (minor: bigint | null) =>
    minor === null || currency === null ? null : showAmount(minor, currency)
  const expected = show(amounts.expectedMinor)
  return { pass, kind, subject, currency, expected, found: show(amounts.foundMinor), detail }
}

/** Breaks by kind, with those that are not told one by one. */
function countKinds({ result }: Ran): Record<string, number> {
  const counts = new Map<string, number>()
  const add = (kind: string, count = 1) => counts.set(kind, (counts.get(kind) ?? 0) + count)
  for (const { kind } of result?.breaks ?? []) add(kind)
  for (const [kind, count] of Object.entries(result?.omitted ?? {})) add(kind, count)
  return Object.fromEntries(counts)
}
