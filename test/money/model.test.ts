/**
 * Random requests by several people at once against two Kassas, compared with a plain model. The
 * requests of one round are on their way together: their answers are right when there is an order of
 * them in which the model answers the same (linearizability). A longer run:
 * `MODEL_SECONDS=600 TEST_FILE_SECONDS=900 npm test -- money/model`; fast-check prints the seed of a
 * failure, `MODEL_SEED` repeats it. `npm run soak` does it with cut connections and killed processes.
 */
import fc from 'fast-check'
import { readLedgerTime } from '../../accounting/clock.ts'
import { reconcileRecords } from '../../server/reconciliation/records-pass.ts'
import { checkBooks } from '../lib/books.ts'
import { makeStaff, signInOperator } from '../lib/model/cast.ts'
import { type Action, action } from '../lib/model/drafts.ts'
import { openMarket } from '../lib/model/market.ts'
import { compareEverything, perform, startRun } from '../lib/model/run.ts'
import { Difference, textOf } from '../lib/model/search.ts'
import { startTally } from '../lib/model/tally.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('model of the money API')

const seconds = Number(process.env.MODEL_SECONDS ?? 12)
const seed = process.env.MODEL_SEED === undefined ? {} : { seed: Number(process.env.MODEL_SEED) }
const runsMax = 1_000_000
const tally = startTally()

let world: World
let urls: string[]
/** The ledger can be one that other tests have used. */
let since: bigint

test.before(async () => {
  world = await createWorld()
  since = await readLedgerTime(world.deps.ledger)
  const { url } = await world.startAnother()
  urls = [world.url, url]
})

test.after(() => world.stop())

test('whatever several people do at once, Kassa answers as the model does', async () => {
  const place = { urls: () => urls, client: world.client, isRough: false }
  const market = await openMarket(place, await signInOperator(place))
  const actions = fc.array(action, { minLength: 20, maxLength: 150, size: 'max' })
  let last: Promise<void> | undefined
  const property = fc.asyncProperty(actions, (steps) => {
    last = tryOut(steps)
    return last
  })
  const tryOut = async (steps: readonly Action[]) => {
    const run = await startRun(place, { ...(await makeStaff(place)), market, tell: tally.add })
    for (const step of steps) await perform(run, step)
    await compareEverything(run)
  }
  const limits = { numRuns: runsMax, interruptAfterTimeLimit: seconds * 1_000 }
  const report = await fc.check(property, { ...limits, ...seed, includeErrorInReport: true })
  const { counterexample, errorInstance } = report
  if (errorInstance instanceof Difference) {
    console.error(`the model before:\n${textOf(errorInstance.model)}`)
  }
  if (counterexample) throw new Error(fc.defaultReportMessage(report))
  // The run that was under way when the time was over is a run like the others, be it the only one.
  await last
  if (process.env.MODEL_TABLE) console.log(`\n${tally.table()}\n${tally.count} requests`)
})

test('PostgreSQL agrees with the ledger after all of it', async () => {
  const { breaks } = await reconcileRecords(world.deps, undefined, { since })
  assert.equal(breaks, [])
})

test('the books balance after all of it', async () => {
  const accounts = await checkBooks(world.deps.ledger)
  assert.ok(accounts.length > 2)
})

test.run()
