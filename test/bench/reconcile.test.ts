import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHistory } from '../../scripts/bench/reconcile/history.ts'
import { type Round, renderMemory, renderRates } from '../../scripts/bench/reconcile/report.ts'
import { createCast, type Stores, writeHistory } from '../../scripts/bench/reconcile/store.ts'
import { connectToBoth } from '../../scripts/both-servers.ts'
import { startEmbeddedLedger } from '../../scripts/with-servers.ts'
import { ledgerPass } from '../../server/reconciliation/ledger-pass.ts'
import type { Pass } from '../../server/reconciliation/pass.ts'
import { recordsPass } from '../../server/reconciliation/records-pass.ts'
import { createTestDatabase, withConnection } from '../lib/database.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('the bench of reconciliations, in small')

const walletCount = 100
const transferCount = 3_000

let opened: AsyncDisposableStack
let databaseUrl: string
let stores: Stores
let made: number

test.before(async () => {
  opened = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'kassa-test-'))
  opened.defer(() => rm(dataDir, { recursive: true }))
  // The history wants a ledger in which nothing else is.
  const server = await startEmbeddedLedger({ dataDir, durable: false })
  opened.defer(server.stop)
  const database = await createTestDatabase()
  opened.defer(database.drop)
  databaseUrl = database.url
  const env = { DATABASE_URL: databaseUrl, TIGERBEETLE_ADDRESSES: server.address }
  stores = await connectToBoth(env, { writes: true })
  opened.defer(stores.database.close)
  opened.defer(() => stores.ledger.close())
  const writeBatch = createHistory(await createCast(stores, walletCount))
  const options = { count: transferCount, progress: () => {} }
  made = await writeHistory(stores, writeBatch, options)
})

test.after(() => opened.disposeAsync())

function run(pass: Pass) {
  const { database, ledger } = stores
  return pass.run({ db: database.db, ledger, nowMs: Date.now }, () => {})
}

test('a history is one that Kassa could have', async () => {
  assert.ok(made >= transferCount, `${made} transfers`)
  for (const pass of [ledgerPass, recordsPass]) {
    const { breaks, counts } = await run(pass)
    assert.equal(breaks, [])
    assert.is(counts.transfers, made)
  }
})

test('and each of its tables is compared: a row that is deleted is missed', async () => {
  // Not of one withdrawal both: that would be told once.
  const tables = [
    ['lifecycles', 'min', 'read_model_differs'],
    ['withdrawal_outcomes', 'max', 'withdrawal_without_record'],
    ['withdrawals', 'min', 'withdrawal_without_record'],
    ['deposits', 'min', 'deposit_without_record'],
    ['wallets', 'min', 'account_without_owner'],
  ] as const
  const expected: string[] = []
  for (const [table, end, kind] of tables) {
    await withConnection(databaseUrl, async (query) => {
      // As in a replica, triggers and foreign keys do nothing.
      await query('SET session_replication_role = replica')
      await query(`DELETE FROM ${table} WHERE ctid = (SELECT ${end}(ctid) FROM ${table})`)
    })
    expected.push(kind)
    const kinds = (await run(recordsPass)).breaks.map((it) => it.kind)
    assert.equal(kinds.sort(), expected.toSorted(), table)
  }
})

const measured = { count: 1_000, seconds: 1, cpuSeconds: 0.5, peakBytes: 100 * 2 ** 20 }
const round: Round = {
  scan: measured,
  copy: { ...measured, seconds: 0.1 },
  ledger: { ...measured, seconds: 1.6 },
  records: { ...measured, seconds: 4, peakBytes: 600 * 2 ** 20 },
}

test('what was measured is held to the goals', () => {
  const rates = renderRates([round, round])
  assert.match(rates, /ledger \/ scan +0\.63 +0\.63 to 0\.63 +at least 0\.50 +reached/)
  assert.match(rates, /records \/ COPY +0\.03 .*missed/)
  const later = { ...measured, count: 3_000, peakBytes: 130 * 2 ** 20 }
  const memory = renderMemory([round], { ledger: later })
  assert.match(memory, /ledger +1000 +100 +reached/)
  assert.match(memory, /ledger +3000 +130 +1\.30 +missed/)
  assert.match(memory, /records +1000 +600 +missed/)
})

test.run()
