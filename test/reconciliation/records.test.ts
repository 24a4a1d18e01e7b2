/** PostgreSQL against the ledger: a world with everything in it is clean, also while money moves. */
import { sql } from 'kysely'
import { readLedgerTime } from '../../accounting/clock.ts'
import { insertApproval } from '../../db/approvals.ts'
import { readSnapshot } from '../../db/snapshot.ts'
import type { Progress } from '../../server/reconciliation/pass.ts'
import { reconcileRecords } from '../../server/reconciliation/records-pass.ts'
import { checkBooks } from '../lib/books.ts'
import { catchUp } from '../lib/catch-up.ts'
import { withConnection } from '../lib/database.ts'
import { type Everything, makeEverything } from '../lib/everything.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('PostgreSQL against the ledger')

let world: World
let fourUrl: string
let all: Everything
/** The ledger can be one that other tests have used. */
let since: bigint

test.before(async () => {
  world = await createWorld({ env: { FOUR_EYES: 'off' } })
  since = await readLedgerTime(world.deps.ledger)
  fourUrl = (await world.startAnother({ env: { FOUR_EYES: 'on' } })).url
  all = await makeEverything(world, fourUrl)
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const anHourMs = 3_600_000

const reconcile = (laterMs = 0, progress?: Progress) => {
  const nowMs = () => Date.now() + laterMs
  return reconcileRecords({ ...world.deps, nowMs }, progress, { since })
}

test('a world with everything in it has no break, and nothing that is left for recovery', async () => {
  assert.equal((await reconcile()).breaks, [])
  await catchUp(world.deps)
  let told = ''
  const { breaks, omitted, counts } = await reconcile(anHourMs, (_part, what) => {
    told = what
  })
  assert.equal([breaks, omitted], [[], {}])
  assert.ok(counts.transfers! > 150)
  assert.is(told, `${counts.transfers} transfers`)
  for (const name of ['wallets', 'declines', 'payroll rows']) assert.ok(counts[name]! > 2, name)
})

test('runs in between of everything that happens are clean', async () => {
  let isOver = false
  const making = makeEverything(world, fourUrl).finally(() => {
    isOver = true
  })
  let runs = 0
  for (; !isOver || runs < 5; runs += 1) assert.equal((await reconcile()).breaks, [], `run ${runs}`)
  await making
})

test('what lost the race for the key of a payout is no break', async () => {
  const { user } = await must(all.operator.get('/v1/session'), 200)
  await insertApproval(world.deps.db, {
    operationId: all.ids.payout!,
    inputHash: 7,
    kind: 'adjustment',
    body: { kind: 'liquidity_funding', amount: '1.00', currency: 'USD' },
    reason: 'under the same key',
    requestedBy: user.id,
  })
  assert.equal((await reconcile()).breaks, [])
})

test('a read model that nobody follows is told when it had time enough', async () => {
  await catchUp(world.deps)
  const { ada, ben } = all
  const input = { to_wallet_id: ben.walletId, amount: '1.00', from_wallet_id: ada.walletId }
  await withConnection(world.deps.config.databaseUrl, async (query) => {
    await query('BEGIN')
    await query('LOCK TABLE tail_cursors IN SHARE MODE')
    const { id } = await must(ada.client.post('/v1/holds', input), 201)
    assert.equal((await reconcile()).breaks, [])
    const [late, ...others] = (await reconcile(anHourMs)).breaks
    assert.equal(others, [])
    assert.equal([late?.kind, late?.ledgerIds], ['read_model_behind', [id]])
    await query('ROLLBACK')
  })
})

test('a snapshot is read by a role that can change nothing and sees no secret', async () => {
  const { db } = world.deps
  const inSnapshot = (text: string) => readSnapshot(db, (trx) => sql.raw(text).execute(trx))
  const { rows } = await inSnapshot('SELECT current_user AS name')
  assert.equal(rows, [{ name: 'kassa_auditor' }])
  for (const text of ['SELECT password_hash FROM users', 'SELECT destination FROM withdrawals']) {
    await assert.rejects(inSnapshot(text), /permission denied/)
  }
  await assert.rejects(inSnapshot('DELETE FROM lifecycles'), /permission denied|read-only/)
  // Not even by the user who is behind it.
  const written = readSnapshot(db, async (trx) => {
    await sql`RESET ROLE`.execute(trx)
    await sql`UPDATE wallets SET closed_at = now()`.execute(trx)
  })
  await assert.rejects(written, /read-only transaction/)
})

test.run()
