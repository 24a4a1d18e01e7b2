/** PostgreSQL against the ledger: a world with everything in it is clean, also while money moves. */
import { readLedgerTime } from '../../accounting/clock.ts'
import { reconcileRecords } from '../../server/reconciliation/records-pass.ts'
import { checkBooks } from '../lib/books.ts'
import { catchUp } from '../lib/catch-up.ts'
import { type Everything, makeEverything } from '../lib/everything.ts'
import { pay } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('PostgreSQL against the ledger')

let world: World
let all: Everything
/** The ledger can be one that other tests have used. */
let since: bigint

test.before(async () => {
  world = await createWorld({ env: { FOUR_EYES: 'off' } })
  since = await readLedgerTime(world.deps.ledger)
  const four = await world.startAnother({ env: { FOUR_EYES: 'on' } })
  all = await makeEverything(world, four.url)
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

test('a world with everything in it has no break', async () => {
  const result = await reconcileRecords(world.deps, { since })
  assert.equal(result.breaks, [])
  await catchUp(world.deps)
  const nowMs = () => Date.now() + 3_600_000
  assert.equal((await reconcileRecords({ ...world.deps, nowMs }, { since })).breaks, [])
  assert.ok(result.transfers > 150)
  void all
  void pay
})

test.run()
