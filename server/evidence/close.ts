import { readNextInterval } from '../../accounting/intervals.ts'
import { appendRecord, readHead } from '../../db/evidence.ts'
import { findFacts } from '../../db/facts.ts'
import type { Deps } from '../deps.ts'
import { toLedgerTime } from '../flows/ledger-time.ts'
import { digestNewTexts, hashFacts } from './facts.ts'
import { noHash, signRecord } from './record.ts'

type CloseDeps = Pick<Deps, 'config' | 'db' | 'ledger' | 'nowMs'>

/** An interval ends before this, so that a moment's transfers are seldom divided. Nothing depends on it. */
const graceMs = 2_000
/** Transfers of an interval. */
export const intervalTransfersMax = 8_000
/** After so many, other jobs come in between. */
const intervalsAtOnce = 10

/**
 * Closes the intervals that are over: a signed record for each, which follows the newest. Nothing without
 * EVIDENCE_KEY. Any number of processes may do it at once. Answers how many were closed here, and whether
 * there may be more.
 */
export async function closeIntervals(deps: CloseDeps): Promise<{ count: number; isMore: boolean }> {
  let count = 0
  while (count < intervalsAtOnce) {
    if (!(await closeNext(deps))) return { count, isMore: false }
    count += 1
  }
  return { count, isMore: true }
}

/** Answers false when there is nothing to close, or another process closes. */
async function closeNext({ config, db, ledger, nowMs }: CloseDeps): Promise<boolean> {
  const { evidenceKey } = config
  if (!evidenceKey) return false
  const head = await readHead(db)
  const interval = await readNextInterval(ledger, {
    fromTime: head?.toTime ?? 0n,
    upTo: toLedgerTime(nowMs() - graceMs),
    countMax: intervalTransfersMax,
  })
  if (!interval) return false
  return appendRecord(db, async (trx, newest) => {
    if (newest?.number !== head?.number) return undefined
    const { facts, digests } = digestNewTexts(await findFacts(trx, interval.names))
    const hashed = hashFacts(facts)
    const said = {
      number: (head?.number ?? 0n) + 1n,
      fromTime: interval.fromTime,
      toTime: interval.toTime,
      transferCount: interval.count,
      transfersHash: interval.hash,
      factCount: hashed.count,
      factsHash: hashed.hash,
      previousHash: head?.hash ?? noHash,
    }
    return { record: signRecord(said, evidenceKey), digests }
  })
}
