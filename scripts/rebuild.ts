/**
 * `npm run rebuild`: drops the read model in DATABASE_URL and makes it again from the ledger at
 * TIGERBEETLE_ADDRESSES. Kassa may go on running: it and this follow the ledger together.
 */
import { readCursor } from '../db/tail.ts'
import { followOnce, forget } from '../server/flows/follow.ts'
import { showLedgerTime } from '../server/flows/ledger-time.ts'
import { readModel } from '../server/flows/read-model.ts'
import { connectToBoth } from './both-servers.ts'
import { explain } from './explain.ts'
import { endProgress, showProgress } from './progress-bar.ts'

const { database, ledger } = await connectToBoth(process.env, { writes: true }).catch(
  (error: unknown) => {
    console.error(explain(error))
    process.exit(1)
  },
)

/** How much of the time from the first transfer until now was read. */
function partOf(first: bigint, at: bigint): number {
  const end = BigInt(Date.now()) * 1_000_000n
  return first === 0n || end <= first ? 0 : Number(((at - first) * 100n) / (end - first)) / 100
}

try {
  const deps = { db: database.db, ledger, nowMs: Date.now }
  await forget(deps, readModel)
  let [total, first, at] = [0, 0n, 0n]
  for (let isMore = true; isMore; showProgress(partOf(first, at), `${total} events`)) {
    const page = await followOnce(deps, readModel)
    // A running process may be faster.
    at = page?.ledgerTime ?? (await readCursor(deps.db, readModel.name)).ledgerTime
    first ||= at
    total += page?.count ?? 0
    isMore = page?.isMore ?? true
  }
  endProgress()
  const upTo = showLedgerTime(at)
  console.log(`The read model is made again up to ${upTo}; ${total} events were read here.`)
} catch (error) {
  console.error(explain(error))
  // Closing could wait for what is broken.
  process.exit(1)
} finally {
  ledger.close()
  await database.close()
}
