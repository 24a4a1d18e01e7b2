/** What a pass says of itself that went on from a checkpoint. */
import type { StoredCheckpoint } from '../../db/checkpoints.ts'
import { fromLedgerTime } from '../flows/ledger-time.ts'
import type { PassResult } from './pass.ts'

/** It has not looked at what was before, so what was found there has not gone because it finds nothing. */
export function scopeSince(
  since: StoredCheckpoint | undefined,
): Pick<PassResult, 'scope' | 'since'> {
  if (!since) return {}
  return { scope: [`since ${since.moment}`], since: fromLedgerTime(since.moment) }
}
