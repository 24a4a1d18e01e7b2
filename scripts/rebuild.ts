/**
 * `npm run rebuild`: drops the read model in DATABASE_URL and makes it again from the ledger at
 * TIGERBEETLE_ADDRESSES. Kassa may go on running: it and this follow the ledger together.
 */
import { createLedger } from '../accounting/client.ts'
import { openDatabase } from '../db/database.ts'
import { loadConfig } from '../server/config.ts'
import { dropReadModel, followOnce } from '../server/flows/read-model.ts'
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

/** On a terminal: how many transfers were read so far. */
function showProgress(count: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${count} transfers read `)
}

try {
  const deps = { db: database.db, ledger, nowMs: Date.now }
  await dropReadModel(deps)
  let total = 0
  for (let count: number | undefined; count !== 0; showProgress(total)) {
    count = await followOnce(deps)
    total += count ?? 0
  }
  if (process.stderr.isTTY) process.stderr.write('\r')
  console.log(`The read model is made again from ${total} transfers.`)
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
} finally {
  ledger.close()
  await database.close()
}
