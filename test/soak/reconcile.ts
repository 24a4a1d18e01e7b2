/**
 * `npm run soak:reconcile -- [--runs 10] [--seed N] [--rough]`: reconciliations while everything that can
 * happen goes on at two processes, as in the soak; with `--rough` these are killed and cut off as well. Each
 * run has to be clean: the command with all its passes, of which the statement is one of yesterday at a
 * payment system that goes on, and the whole statements of payment systems that have come to their end.
 * Exit code 1: a run was not clean, nothing has moved during it, or Kassa and the model have parted.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { learnCurrencies } from '../../server/reconciliation/currencies.ts'
import type { Pass } from '../../server/reconciliation/pass.ts'
import { judge, type Ran, runPasses } from '../../server/reconciliation/reconcile.ts'
import { toText } from '../../server/reconciliation/report-text.ts'
import { statementPass } from '../../server/reconciliation/statement-pass.ts'
import { randomFrom } from '../embedded/lib/random.ts'
import { toJsonLines } from '../lib/bank-statements.ts'
import { checkBooks } from '../lib/books.ts'
import type { Json } from '../lib/http.ts'
import type { Place } from '../lib/model/cast.ts'
import { startTally } from '../lib/model/tally.ts'
import { startScript } from '../lib/start.ts'
import { until } from '../lib/until.ts'
import type { World } from '../lib/world.ts'
import { type BankBook, createBankBook, dayOf } from './bank-book.ts'
import { type Soak, soakGroup } from './group.ts'
import { startLiveBank } from './live-bank.ts'
import { onOwnServers } from './own-servers.ts'
import { startProcesses } from './processes.ts'
import { tellFailure } from './tell-failure.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    rough: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
const seed = Number(values.seed)
const isRough = values.rough

const processCount = 2
/** Of people at once; with a rough ledger they mostly wait. */
const groupCount = isRough ? 32 : 4
/** A payment system's run may go on over midnight. */
const toleranceDays = 1

async function soak(world: World): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kassa-bank-'))
  const random = randomFrom(seed)
  const processes = await startProcesses(world, { count: processCount, random, log: () => {} })
  if (!isRough) await processes.calm()
  // On a busy machine answers can be lost as well.
  const place: Place = { urls: processes.urls, client: world.client, isRough: true }
  const tally = startTally()
  const book = createBankBook()
  const ended: string[] = []
  let isOver = false
  const plan: Soak = {
    place,
    seed,
    tell(exchange) {
      tally.add(exchange)
      book.tell(exchange)
    },
    finished: ({ systems }) => ended.push(...systems.keys()),
    isOver: () => isOver,
    counts: { runs: 0, rounds: 0, expiries: 0 },
  }
  const bank = await startLiveBank(place)
  const groups = Array.from({ length: groupCount }, (_, i) => soakGroup(plan, i, groupCount))
  const hammer = Promise.all([...groups, bank.ended])
  // What goes wrong in it ends the run that is under way.
  const failed = hammer.then(() => new Promise<never>(() => {}))

  /** One run of everything; answers a line about it. */
  async function reconcile(): Promise<string> {
    await until(() => ended.length > 0)
    const file = join(folder, 'yesterday.jsonl')
    await writeFile(file, toJsonLines([await bank.yesterday()]))
    const before = tally.count + bank.count
    const told = await runCommand(world, file, bank.systemId)
    await learnCurrencies(world.deps.db)
    const systems = ended.splice(0)
    const passes = await Promise.all(systems.map((system) => toPass(folder, book, system)))
    await checkClean(world, passes.flat())
    const moved = tally.count + bank.count - before
    if (moved === 0) throw new Error('nothing has moved meanwhile')
    return `${told}, ${passes.flat().length} whole statements, ${moved} requests meanwhile`
  }

  try {
    for (let run = 1; run <= runs; run += 1) {
      console.log(`run ${run}: clean, ${await Promise.race([reconcile(), failed])}`)
    }
    isOver = true
    bank.stop()
    await hammer
  } finally {
    await processes.stop()
    await rm(folder, { recursive: true })
  }
  const { kills, cuts, blackouts } = processes.counts
  console.log(`\n${tally.table()}\n
seed ${seed}: ${runs} of ${runs} runs are clean during ${tally.count} requests of ${plan.counts.runs} groups
${plan.counts.expiries} holds, requests and quotes ran out; ${kills} kills, ${cuts} cuts, ${blackouts} blackouts
the books of ${(await checkBooks(world.deps.ledger)).length} accounts balance`)
}

/** The command, in a process of its own. Throws unless it says that all is clean. */
async function runCommand({ deps }: World, file: string, systemId: string): Promise<string> {
  const { databaseUrl, tigerbeetleAddresses } = deps.config
  const addresses = {
    DATABASE_URL: databaseUrl,
    TIGERBEETLE_ADDRESSES: tigerbeetleAddresses.join(),
  }
  const words = ['--json', '--statement', file, '--payment-system', systemId]
  const script = startScript('reconcile.ts', addresses, words)
  const code = await script.ended
  if (code !== 0) throw new Error(`the command has ended with ${code}:\n${script.output()}`)
  const { verdict, passes }: Json = JSON.parse(script.output())
  if (verdict !== 'clean' || passes.length !== 3) throw new Error(script.output())
  const { transfers, accounts } = passes[0].counts
  return `${transfers} transfers, ${accounts} accounts, ${passes[2].counts.lines} lines of yesterday`
}

/** What compares all that a payment system has done with the bank's book; nothing when that is nothing. */
async function toPass(folder: string, book: BankBook, system: string): Promise<Pass[]> {
  const today = dayOf(Date.now())
  const statements = book.statementsOf(system, { from: today - 2, to: today + 2 })
  if (statements.length === 0) return []
  const path = join(folder, `${system}.jsonl`)
  await writeFile(path, toJsonLines(statements))
  return [statementPass({ sources: [{ path }], paymentSystem: system, toleranceDays })]
}

async function checkClean({ deps }: World, passes: readonly Pass[]): Promise<void> {
  if (passes.length === 0) return
  const all: Ran[] = await runPasses(deps, passes)
  if (judge(all) !== 'clean') throw new Error(toText(all, (_, text) => text, String))
}

try {
  await onOwnServers(soak)
} catch (error) {
  tellFailure(seed, error)
  process.exit(1)
}
process.exit(0)
