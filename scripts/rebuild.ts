/**
 * `npm run rebuild`: drops the read model in DATABASE_URL and makes it again from the ledger at
 * TIGERBEETLE_ADDRESSES. Kassa may go on running: it and this follow the ledger together.
 */
import { createLedger } from '../accounting/client.ts'
import { openDatabase } from '../db/database.ts'
import { readCursor } from '../db/tail.ts'
import { loadConfig } from '../server/config.ts'
import { followOnce, forget } from '../server/flows/follow.ts'
import { showLedgerTime } from '../server/flows/ledger-time.ts'
import { readModel } from '../server/flows/read-model.ts'
import { explain } from './explain.ts'

const { databaseUrl: url, tigerbeetleAddresses, tigerbeetleClusterId } = readSettings()
const onIdleError = (error: Error): void => console.error(error.message)
const database = openDatabase({ url, poolSize: 2, connectTimeoutMs: 10_000, onIdleError })
const ledger = await createLedger({
  addresses: tigerbeetleAddresses,
  clusterId: tigerbeetleClusterId,
  deadlineMs: 60_000,
  queueLimit: 100,
})

/** Where the two servers are. Other settings are not asked for, and may be missing. */
function readSettings() {
  const { DATABASE_URL, TIGERBEETLE_ADDRESSES, TIGERBEETLE_CLUSTER_ID } = process.env
  try {
    return loadConfig({ DATABASE_URL, TIGERBEETLE_ADDRESSES, TIGERBEETLE_CLUSTER_ID })
  } catch (error) {
    console.error(explain(error))
    process.exit(1)
  }
}

const barWidth = 40

/** On a terminal: how much of the time from the first transfer until now was read. */
function showProgress(first: bigint, at: bigint, events: number): void {
  if (!process.stderr.isTTY) return
  const end = BigInt(Date.now()) * 1_000_000n
  const part = first === 0n || end <= first ? 0 : Number(((at - first) * 100n) / (end - first))
  const full = Math.round((Math.min(part, 100) / 100) * barWidth)
  const bar = '#'.repeat(full).padEnd(barWidth, '-')
  process.stderr.write(`\r[${bar}] ${String(part).padStart(3)} %  ${events} events `)
}

try {
  const deps = { db: database.db, ledger, nowMs: Date.now }
  await forget(deps, readModel)
  let [total, first, at] = [0, 0n, 0n]
  for (let isMore = true; isMore; showProgress(first, at, total)) {
    const page = await followOnce(deps, readModel)
    // A running process may be faster.
    at = page?.ledgerTime ?? (await readCursor(deps.db, readModel.name)).ledgerTime
    first ||= at
    total += page?.count ?? 0
    isMore = page?.isMore ?? true
  }
  if (process.stderr.isTTY) process.stderr.write('\n')
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
