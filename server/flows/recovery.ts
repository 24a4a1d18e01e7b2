import { burnId } from '../../accounting/transfers.ts'
import { findUnsettled, type IntentTable, markSettled } from '../../db/intents.ts'
import { resumePayrolls } from '../../db/payroll-runs.ts'
import type { Deps } from '../deps.ts'
import { recoverApproved } from './approval-effects.ts'
import { giveBackExpired } from './budget-returns.ts'
import { recoverClosings } from './close-wallet.ts'
import { recoverWallets } from './open-wallet.ts'
import { keepDecline } from './settle.ts'

type RecoveryDeps = Pick<
  Deps,
  'config' | 'db' | 'ledger' | 'log' | 'nowMs' | 'passwords' | 'sessions' | 'settings'
>

/** Younger intents are surely still being worked on; it would do no harm to settle them as well. */
const ageMs = 60_000
const batchMax = 500

/** Everything that can be cut off between PostgreSQL and the ledger or runs out, and what settles it. */
const recoveries: Readonly<Record<string, (deps: RecoveryDeps) => Promise<number>>> = {
  wallets: recoverWallets,
  closings: (deps) => recoverClosings(deps, cutOffBefore(deps)),
  requests: (deps) => giveUp(deps, 'payment_requests'),
  withdrawals: (deps) => giveUp(deps, 'withdrawals'),
  budgets: giveBackExpired,
  payrolls: (deps) => resumePayrolls(deps.db, { before: cutOffBefore(deps), limit: batchMax }),
  approvals: recoverApproved,
}

/**
 * Settles what was cut off: what the ledger has is finished, what it does not have can never happen
 * afterwards. Answers how many of each kind there were; kinds without any are left out. A kind that
 * fails does not keep the others waiting: the error is logged, and the next round tries again.
 */
export async function recover(deps: RecoveryDeps): Promise<Record<string, number>> {
  // Wallets can be in an own asset that another process has registered.
  await deps.settings.read()
  const counts: Record<string, number> = {}
  for (const [kind, settle] of Object.entries(recoveries)) {
    try {
      const count = await settle(deps)
      if (count > 0) counts[kind] = count
    } catch (error) {
      deps.log.warn({ err: error, kind }, 'what was cut off could not be settled')
    }
  }
  return counts
}

const cutOffBefore = ({ nowMs }: Pick<Deps, 'nowMs'>) => new Date(nowMs() - ageMs)

/**
 * Finds what the ledger has of the intents of a table. What it does not have gets its id burnt, so that
 * a late submission of it cannot happen either; who sends it again with its key is told so.
 */
async function giveUp(deps: RecoveryDeps, table: IntentTable): Promise<number> {
  const before = cutOffBefore(deps)
  const ids = [...new Set(await findUnsettled(deps.db, table, { before, limit: batchMax }))]
  for (const operationId of ids) {
    const happened = await burnId(deps.ledger, operationId)
    // By whichever input it is asked for again.
    if (!happened)
      await keepDecline(deps, { operationId, inputHash: 0, attempt: 0, code: 'abandoned' })
  }
  await markSettled(deps.db, table, ids)
  return ids.length
}
