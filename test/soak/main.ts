/**
 * `npm run soak -- [--operations 10000] [--seed N] [--prove]`: the model test of the money API at length, against
 * two Kassas in processes of their own, of which one is killed now and then, with a ledger whose answers
 * are late and whose connections break. In the end everything that was cut off is recovered, nothing is
 * stuck, PostgreSQL agrees with the ledger, the books balance and so do the house's. With `--prove` the
 * commands that prove it to an auditor agree as well, which needs hledger. It prints what it covered.
 * Exit code 1: Kassa and the model have parted.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { readLedgerTime } from '../../accounting/clock.ts'
import { recover } from '../../server/flows/recovery.ts'
import { reconcileRecords } from '../../server/reconciliation/records-pass.ts'
import { randomFrom } from '../embedded/lib/random.ts'
import { checkBooks } from '../lib/books.ts'
import { catchUp } from '../lib/catch-up.ts'
import { textOf } from '../lib/model/search.ts'
import { startTally, type Tally } from '../lib/model/tally.ts'
import { must, type World } from '../lib/world.ts'
import { type Soak, soakGroup } from './group.ts'
import { onOwnServers } from './own-servers.ts'
import { type Processes, startProcesses } from './processes.ts'
import { tellFailure } from './tell-failure.ts'

const { values } = parseArgs({
  options: {
    /** Requests, over all people together. */
    operations: { type: 'string', default: '10000' },
    /** What people do is the same for the same seed; when it happens is not. */
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    /** Whether the commands reconcile and check:hledger come last. */
    prove: { type: 'boolean', default: false },
  },
})
const operations = Number(values.operations)
const seed = Number(values.seed)

const processCount = 2
/** Groups of people at once, which know nothing of each other. Mostly they wait for a rough ledger. */
const groupCount = 64
/** Without a single answer in this time something is stuck; comparing in the end takes its time. */
const silenceMsMax = 120_000
const barWidth = 40

/** What the processes wrote last, but for what is done to them on purpose. */
const written: string[] = []
const writtenMax = 30

const onPurpose = /message_bus|the ledger does not answer|no answer from the ledger/

function log(line: string): void {
  if (onPurpose.test(line)) return
  written.push(line)
  if (written.length > writtenMax) written.shift()
}

async function soak(world: World): Promise<void> {
  const since = await readLedgerTime(world.deps.ledger)
  const random = randomFrom(seed)
  const processes = await startProcesses(world, { count: processCount, random, log })
  const tally = startTally()
  const counts = { runs: 0, rounds: 0, expiries: 0 }
  const place = { urls: processes.urls, client: world.client, isRough: true }
  const isOver = () => tally.count >= operations
  const plan: Soak = { place, tell: tally.add, isOver, seed, counts }
  const startedAt = performance.now()
  const watch = watchProgress(tally)
  try {
    const groups = Array.from({ length: groupCount }, (_, i) => soakGroup(plan, i, groupCount))
    await Promise.race([Promise.all(groups), watch.stuck])
  } finally {
    watch.stop()
    await processes.stop()
  }
  const seconds = (performance.now() - startedAt) / 1_000
  const recovered = await recoverAll(world)
  const compared = await checkRecords(world, since)
  const accounts = await checkBooks(world.deps.ledger)
  console.log(tally.table())
  report(tally, counts, processes, seconds)
  console.log(`recovered in the end: ${JSON.stringify(recovered)}; nothing is stuck`)
  console.log(`PostgreSQL agrees with ${compared} transfers of the ledger`)
  console.log(`the books of ${accounts.length} accounts balance`)
  console.log(`the house's books balance in ${await checkHouse(world)} currencies`)
  if (values.prove) for (const name of ['reconcile', 'check-hledger']) await runCommand(world, name)
}

/** Runs one of the commands on the servers of a world. Rejects unless it finds that all is well. */
async function runCommand({ deps: { config } }: World, name: string): Promise<void> {
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, [`scripts/${name}.ts`], {
    env: {
      PATH,
      HOME,
      DATABASE_URL: config.databaseUrl,
      TIGERBEETLE_ADDRESSES: config.tigerbeetleAddresses.join(),
    },
    stdio: 'inherit',
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${name} has ended with ${code}`)
}

/** Compares PostgreSQL with what the ledger has since a time. Answers how many transfers there are. */
async function checkRecords({ deps }: World, since: bigint): Promise<number> {
  await catchUp(deps)
  const later = { ...deps, nowMs: () => Date.now() + 2 * aheadMs }
  const { breaks, counts } = await reconcileRecords(later, undefined, { since })
  if (breaks.length > 0) throw new Error(`PostgreSQL and the ledger differ: ${textOf(breaks)}`)
  return counts.transfers ?? 0
}

/** Assets are liabilities, equity and what was earned in each currency. Answers how many there are. */
async function checkHouse(world: World): Promise<number> {
  const operator = await world.operator()
  const { data } = await must(operator.get('/v1/house'), 200)
  for (const { currency, difference } of data) {
    if (Number(difference) !== 0) throw new Error(`the house in ${currency}: ${difference}`)
  }
  return data.length
}

function report(
  tally: Tally,
  { runs, rounds, expiries }: Soak['counts'],
  processes: Processes,
  seconds: number,
): void {
  const { kills, cuts, delays, blackouts } = processes.counts
  const rate = Math.round(tally.count / seconds)
  console.log(`
seed ${seed}: ${tally.count} operations in ${rounds} rounds of ${runs} runs
${tally.resolved} outcomes were unknown at first; ${expiries} holds, requests and quotes ran out
${kills} kills, ${cuts} cuts, ${delays} delays, ${blackouts} blackouts
${seconds.toFixed(0)} s, ${rate} operations/s`)
}

/** A bar on a terminal, elsewhere a line for each twentieth, and an eye on whether anything is answered at all. */
function watchProgress(tally: Tally) {
  const stuck = Promise.withResolvers<never>()
  let seen = 0
  let silentMs = 0
  let told = 0
  const intervalMs = 500
  const timer = setInterval(() => {
    silentMs = tally.count === seen ? silentMs + intervalMs : 0
    seen = tally.count
    if (silentMs > silenceMsMax) stuck.reject(new Error(`no answer for ${silenceMsMax} ms`))
    if (process.stderr.isTTY) process.stderr.write(`\r${bar(tally.count)} `)
    else if (tally.count >= told + operations / 20) {
      told = tally.count
      console.error(bar(told))
    }
  }, intervalMs)
  return {
    stuck: stuck.promise,
    stop() {
      clearInterval(timer)
      if (process.stderr.isTTY) process.stderr.write('\n')
    },
  }
}

function bar(count: number): string {
  const part = Math.min(count / operations, 1)
  const full = '#'.repeat(Math.round(part * barWidth)).padEnd(barWidth, '-')
  return `[${full}] ${String(Math.floor(part * 100)).padStart(3)} %  ${count} operations`
}

/** So far ahead everything that was cut off is old enough to be recovered. */
const aheadMs = 10 * 60_000
const recoveriesMax = 100

/** Settles what was cut off until there is nothing. Answers how many there were of each kind. */
async function recoverAll({ deps }: World): Promise<Record<string, number>> {
  const later = { ...deps, nowMs: () => Date.now() + aheadMs }
  const total: Record<string, number> = {}
  for (let round = 0; round < recoveriesMax; round += 1) {
    const counts = Object.entries(await recover(later))
    if (counts.length === 0) return total
    for (const [kind, count] of counts) total[kind] = (total[kind] ?? 0) + count
  }
  throw new Error(`after ${recoveriesMax} recoveries something is still cut off`)
}

try {
  await onOwnServers(soak)
} catch (error) {
  tellFailure(seed, error)
  if (written.length > 0) console.error(`the processes wrote:\n${written.join('\n')}`)
  process.exit(1)
}
process.exit(0)
