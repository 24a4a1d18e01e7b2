import { giveBack } from '../../accounting/budget-uses.ts'
import { readHold } from '../../accounting/holds.ts'
import { listExpiredHolds } from '../../db/lifecycles.ts'
import { advanceCursor, readCursor } from '../../db/tail.ts'
import type { Deps } from '../deps.ts'
import { readSome } from './followed-list.ts'
import { toLedgerTime } from './ledger-time.ts'
import { windowSeconds } from './limit-rules.ts'

/** Names the cursor. */
const reader = 'budget returns'
const batchMax = 500

/**
 * Gives back what holds that have run out have used of what their payers may spend, unless a part was
 * captured. Answers of how many. What is missed, at the worst, is back when its window has passed.
 */
export async function giveBackExpired({
  db,
  ledger,
  nowMs,
}: Pick<Deps, 'db' | 'ledger' | 'nowMs'>): Promise<number> {
  const readAt = new Date(nowMs())
  const { ledgerTime: from } = await readCursor(db, reader)
  // What was used before that is back by itself.
  const oldest = toLedgerTime(nowMs() - windowSeconds.month * 1000)
  const isLongAgo = from < oldest
  const holds = await listExpiredHolds(db, { from: isLongAgo ? oldest : from, limit: batchMax })
  const returns = await readSome(holds, async ({ id }) => {
    const hold = await readHold(ledger, id, toLedgerTime(nowMs()))
    return hold?.capturedMinor === 0n && giveBack(ledger, id)
  })
  const last = holds.at(-1)
  if (last) await advanceCursor(db, reader, { from, to: last.changedAt, readAt }, async () => {})
  return returns.filter(Boolean).length
}
