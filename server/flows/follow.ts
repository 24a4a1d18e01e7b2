import { readLedgerTime } from '../../accounting/clock.ts'
import { deriveExpiries, readTail, type TailCodes, type TailEvent } from '../../accounting/tail.ts'
import type { Database } from '../../db/database.ts'
import {
  advanceCursor,
  changeDeadlines,
  findDeadlines,
  readCursor,
  resetCursor,
  touchCursor,
} from '../../db/tail.ts'
import type { Deps } from '../deps.ts'
import { toLedgerTime } from './ledger-time.ts'

/** Somebody who wants to know what the ledger has committed: each event at least once and in order. */
export interface Subscriber {
  /** Names its cursor for ever. */
  name: string
  /** What it wants to hear of. */
  codes: TailCodes
  /** Takes the events of a page; what it writes in the transaction takes effect once. */
  take(trx: Database, events: readonly TailEvent[]): Promise<void>
  /** Removes all that it has made. */
  empty(trx: Database): Promise<void>
}

type FollowDeps = Pick<Deps, 'db' | 'ledger' | 'nowMs'>

/** Deadlines that are looked at in one page. */
const deadlinesMax = 1_000

/**
 * Reads one page of what the ledger has committed and hands it to a subscriber. Answers how many events
 * there were, whether there may be more and up to which ledger time (ns) it has come; undefined when
 * another process was faster. The pages of all processes together take effect once and in order.
 */
export async function followOnce(
  deps: FollowDeps,
  { name, codes, take }: Subscriber,
): Promise<{ count: number; isMore: boolean; ledgerTime: bigint } | undefined> {
  const { ledgerTime: from } = await readCursor(deps.db, name)
  const readAt = new Date(deps.nowMs())
  const now = toLedgerTime(deps.nowMs())
  const [due] = await findDeadlines(deps.db, name, { upTo: now, limit: 1 })
  // Whether something has run out is decided by the ledger's clock, and only after all that it had
  // committed until then was read.
  const ledgerNow = due && (await readLedgerTime(deps.ledger))
  const page = await readTail(deps.ledger, from, codes)
  const until = page.isFull || ledgerNow === undefined ? page.upTo : max(page.upTo, ledgerNow)
  const waiting = await findDeadlines(deps.db, name, { upTo: until, limit: deadlinesMax })
  // With too many of them, what comes after the last waits for the next page.
  const lastWaiting = waiting.length < deadlinesMax ? undefined : waiting.at(-1)?.deadline
  const horizon = lastWaiting === undefined ? until : min(until, lastWaiting)
  const entries = page.entries.filter(({ timestamp }) => timestamp <= horizon)
  const { events, opened, closed } = deriveExpiries(entries, waiting, horizon)
  // Up to there everything was read, also where nothing was committed: expiries alone move the cursor, too.
  if (horizon === from && events.length === 0) {
    await touchCursor(deps.db, name, { ledgerTime: from, readAt })
    return { count: 0, isMore: false, ledgerTime: horizon }
  }
  const moved = await advanceCursor(deps.db, name, { from, to: horizon, readAt }, async (trx) => {
    await changeDeadlines(trx, name, { opened, closed })
    if (events.length > 0) await take(trx, events)
  })
  const isMore = page.isFull || lastWaiting !== undefined
  return moved ? { count: events.length, isMore, ledgerTime: horizon } : undefined
}

/** Drops what a subscriber has made; following the ledger makes it again from the beginning. */
export async function forget(deps: Pick<Deps, 'db'>, subscriber: Subscriber): Promise<void> {
  await resetCursor(deps.db, subscriber.name, subscriber.empty)
}

const min = (a: bigint, b: bigint) => (a < b ? a : b)
const max = (a: bigint, b: bigint) => (a > b ? a : b)
