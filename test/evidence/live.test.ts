/** The chain is closed by several processes while money moves, and nothing of it is a false alarm. */
import { sql } from 'kysely'
import { scanTransfers } from '../../accounting/scan.ts'
import { listRecords, readHead } from '../../db/evidence.ts'
import type { Deps } from '../../server/deps.ts'
import { closeIntervals } from '../../server/evidence/close.ts'
import type { Kassa } from '../../server/main.ts'
import { checkBooks } from '../lib/books.ts'
import { killCrashChildren, startCrashChild } from '../lib/crash.ts'
import { withConnection } from '../lib/database.ts'
import { assertSame, closeAll, evidenceKey, evidenceKeyText, verify } from '../lib/evidence.ts'
import { type Client, sameSession } from '../lib/http.ts'
import { fund, pay } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('the chain of evidence while money moves')

let world: World
let other: Kassa
let bank: Client
let ada: Person
let grace: Person

test.before(async () => {
  // Without the key: only these tests close, and the process that is killed.
  world = await createWorld()
  other = await world.startAnother()
  bank = await world.paymentSystem()
  ada = await world.signUp()
  grace = await world.signUp()
  await fund(bank, ada.walletId, '1000.00')
})
test.after(async () => {
  await killCrashChildren()
  await checkBooks(world.deps.ledger)
  await world.stop()
})

/** What closes is given the key. */
const withKey = (deps: Deps): Deps => ({ ...deps, config: { ...deps.config, evidenceKey } })

const input = (memo: string) => ({ to_wallet_id: grace.walletId, amount: '0.01', memo })

test('two processes close and verify during payments in both, without a false alarm', async () => {
  const there = sameSession(ada.client, world.client(other.url))
  let isOver = false
  const payments = Array.from({ length: 8 }, async (_, worker) => {
    for (let count = 0; count < 15; count += 1) {
      await must(pay(count % 2 ? there : ada.client, input(`${worker} ${count}`)), 201)
    }
  })
  const closing = [world.deps, other.deps].map(withKey).map(async (deps) => {
    // As if it was later: what was committed a moment ago is closed at once.
    const nowMs = () => Date.now() + 3_600_000
    while (!isOver) await closeIntervals({ ...deps, nowMs })
  })
  const erasing = until(async () => {
    await sql`UPDATE memos SET memo = NULL WHERE memo LIKE '0 %'`.execute(world.deps.db)
    return isOver
  })
  const verifying = until(async () => {
    await assertSame(world.deps)
    return isOver
  })
  await Promise.all(payments).finally(() => {
    isOver = true
  })
  await Promise.all([...closing, erasing, verifying])
  await closeAll(withKey(world.deps))
  const { intervals, transfers, differences } = await verify(world.deps)
  assert.equal(differences, [])
  assert.ok(intervals > 3n, `${intervals} intervals`)
  let count = 0n
  for await (const page of scanTransfers(world.deps.ledger, { after: 0n, upTo: 0n })) {
    count += BigInt(page.length)
  }
  assert.is(transfers, count)
})

test('a process that is killed while it closes leaves nothing, and another one closes', async () => {
  const { config, db } = world.deps
  await must(pay(ada.client, input('killed')), 201)
  const before = (await readHead(db))?.number
  const child = await startCrashChild(config, { settings: { EVIDENCE_KEY: evidenceKeyText } })
  await withConnection(config.databaseUrl, async (query) => {
    await query('BEGIN')
    // Digests can be written, the record must wait.
    await query('LOCK TABLE evidence_records IN SHARE MODE')
    await until(async () => {
      await sql`SELECT graphile_worker.add_job('evidence', '{}', NULL, NULL, 1)`.execute(db)
      const { rows } = await sql`
        SELECT FROM pg_locks WHERE NOT granted AND relation = 'evidence_records'::regclass
      `.execute(db)
      return rows.length > 0
    })
    await child.kill()
    await query('ROLLBACK')
  })
  await until(async () => {
    await closeAll(withKey(world.deps))
    return (await readHead(db))?.number !== before
  })
  await assertSame(world.deps)
  const records = await listRecords(db, { after: 0n, upTo: 10_000n, limit: 10_000 })
  assert.equal(
    records.map(({ number }) => number),
    records.map((_, index) => BigInt(index) + 1n),
  )
})

test('without a key nothing is closed', async () => {
  await must(pay(ada.client, input('later')), 201)
  const nowMs = () => Date.now() + 3_600_000
  assert.equal(await closeIntervals({ ...world.deps, nowMs }), { count: 0, isMore: false })
})

test.run()
