import { TransferCode } from '../../accounting/chart.ts'
import { readTail, type TailEntry } from '../../accounting/tail.ts'
import type { Database } from '../../db/database.ts'
import { emptyHoldIndex, insertHolds, resolveHolds } from '../../db/hold-index.ts'
import { advanceCursor, readCursor, resetCursor, touchCursor } from '../../db/tail.ts'
import type { Deps } from '../deps.ts'

/** The reader that makes the read model. */
export const readModelName = 'read model'

type TailDeps = Pick<Deps, 'db' | 'ledger' | 'nowMs'>

/**
 * Reads one page of what the ledger has committed and enters it into the read model. Answers how many
 * transfers it had; undefined when another process was faster. The pages of all processes together
 * take effect once and in order.
 */
export async function followOnce(deps: TailDeps): Promise<number | undefined> {
  const { ledgerTime } = await readCursor(deps.db, readModelName)
  const readAt = new Date(deps.nowMs())
  const entries = await readTail(deps.ledger, ledgerTime, TransferCode.hold)
  const to = entries.at(-1)?.timestamp
  if (to === undefined) {
    await touchCursor(deps.db, readModelName, { ledgerTime, readAt })
    return 0
  }
  const moved = await advanceCursor(
    deps.db,
    readModelName,
    { from: ledgerTime, to, readAt },
    (trx) => enter(trx, entries),
  )
  return moved ? entries.length : undefined
}

/** Drops the read model; following the ledger makes it again from the beginning. */
export async function dropReadModel(deps: Pick<Deps, 'db'>): Promise<void> {
  await resetCursor(deps.db, readModelName, emptyHoldIndex)
}

/** How the last transfer of a hold in a page leaves it. */
const resolutions = { pending: null, post: 'captured', void: 'voided' } as const

async function enter(trx: Database, holds: readonly TailEntry[]): Promise<void> {
  const opened = holds
    .filter(
      ({ phase, transferId, operationId }) => phase === 'pending' && transferId === operationId,
    )
    .map((entry) => ({
      holdId: entry.operationId,
      payerWalletId: entry.debitAccountId,
      payeeWalletId: entry.creditAccountId,
      openedAt: entry.timestamp,
      deadlineAt: entry.deadline,
    }))
  await insertHolds(trx, opened)
  const last = new Map(holds.map((entry) => [entry.operationId, entry.phase]))
  for (const phase of ['pending', 'post', 'void'] as const) {
    const ids = [...last].filter(([, its]) => its === phase).map(([id]) => id)
    await resolveHolds(trx, ids, resolutions[phase])
  }
}
