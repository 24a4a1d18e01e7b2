import {
  type Lifecycle,
  type LifecycleFilter,
  type LifecycleQuery,
  listLifecycles,
} from '../../db/lifecycles.ts'
import { readCursor } from '../../db/tail.ts'
import type { Deps } from '../deps.ts'
import { toLedgerTime } from './ledger-time.ts'
import { readModel } from './read-model.ts'

/** How a list is asked for: times in nanoseconds since 1970, both inclusive, 0 for no bound. */
export interface FollowedQuery {
  timestampMin: bigint
  timestampMax: bigint
  limit: number
}

/**
 * A page of what there is of a kind, newest first, from the read model, which follows the ledger: what
 * was opened before `asOf` is in it. How each stands has to be read from the ledger.
 */
export async function listFollowed(
  deps: Pick<Deps, 'db' | 'nowMs'>,
  filter: FollowedQuery &
    Pick<LifecycleFilter, 'kind' | 'state' | 'expiringState' | 'changedBefore'>,
  whose?: (query: LifecycleQuery) => LifecycleQuery,
): Promise<{ entries: Lifecycle[]; asOf: Date }> {
  const { kind, state, expiringState, changedBefore, limit } = filter
  const { readAt: asOf } = await readCursor(deps.db, readModel.name)
  const range = { openedMin: filter.timestampMin, openedMax: filter.timestampMax, limit }
  const now = toLedgerTime(deps.nowMs())
  const entries = await listLifecycles(
    deps.db,
    { kind, state, expiringState, changedBefore, now, ...range },
    whose,
  )
  return { entries, asOf }
}

/** How many entries of a page are read at once: a few lists must not fill the ledger's queue. */
const readsAtOnce = 8

/** Reads something for each entry, a few at a time. */
export async function readSome<Entry, Read>(
  entries: readonly Entry[],
  read: (entry: Entry) => Promise<Read>,
): Promise<Read[]> {
  const all: Read[] = []
  for (let start = 0; start < entries.length; start += readsAtOnce) {
    all.push(...(await Promise.all(entries.slice(start, start + readsAtOnce).map(read))))
  }
  return all
}
