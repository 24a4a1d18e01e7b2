/**
 * `npm run bench:reconcile`: how fast the passes of a reconciliation are, and how much memory they take,
 * beside the least that anybody can do who reads the same. docs/benchmarks.md explains it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { migrate } from '../../db/migrate.ts'
import { connectToBoth } from '../both-servers.ts'
import { endProgress, showProgress } from '../progress-bar.ts'
import { withServers } from '../with-servers.ts'
import { startChild } from './child.ts'
import { describeMachine } from './machine.ts'
import { createHistory } from './reconcile/history.ts'
import type { Measured, TargetName } from './reconcile/measured.ts'
import { passNames, type Round, renderMemory, renderRates } from './reconcile/report.ts'
import { createCast, writeHistory } from './reconcile/store.ts'
import { resultsDir, saveResults } from './results.ts'
import { createDatabase } from './setting.ts'

const walletCount = 10_000

const usage = `npm run bench:reconcile [-- options]
  --transfers N  in the ledger, at least ${walletCount} (1000000)
  --rounds N     each of them carries out everything once (3)
  --memory       measures the passes again with three times as many transfers
  --profile      writes a processor profile of each process beside the results`

interface Options {
  transfers: number
  rounds: number
  memory: boolean
  profile: boolean
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      transfers: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '3' },
      memory: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return undefined
  const [transfers, rounds] = [Number(values.transfers), Number(values.rounds)]
  if (!Number.isInteger(transfers) || transfers < walletCount || transfers > 100_000_000) {
    throw new Error(usage)
  }
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) throw new Error(usage)
  return { transfers, rounds, memory: values.memory, profile: values.profile }
}

const names: readonly TargetName[] = ['scan', 'ledger', 'copy', 'records']

async function bench({ transfers, rounds, memory, profile }: Options): Promise<void> {
  await using opened = new AsyncDisposableStack()
  const stop = () => void opened.disposeAsync().finally(() => process.exit(1))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const dataDir = await mkdtemp(join(tmpdir(), 'kassa-bench-'))
  opened.defer(() => rm(dataDir, { recursive: true }))
  const servers = await withServers({ env: process.env, dataDir, durable: true })
  opened.defer(servers.stop)
  console.log(servers.describe().join('\n'))
  const env = {
    DATABASE_URL: await createDatabase(servers.databaseUrl, 'reconcile', opened),
    TIGERBEETLE_ADDRESSES: servers.tigerbeetleAddresses,
  }
  const stores = await connectToBoth(env, { writes: true })
  opened.defer(stores.database.close)
  opened.defer(() => stores.ledger.close())
  await migrate(stores.database)
  const writeBatch = createHistory(await createCast(stores, walletCount))

  async function write(count: number): Promise<void> {
    await writeHistory(stores, writeBatch, { count, progress: showProgress })
    endProgress()
  }

  async function measure(name: TargetName): Promise<Measured> {
    const program = new URL('reconcile/measured.ts', import.meta.url)
    const child = startChild(program, { env, profileDir: profile ? resultsDir : undefined })
    return child.call<Measured>('measure', name).finally(child.stop)
  }

  async function measureAll(number: number): Promise<Round> {
    const round = {} as Round
    const order = number % 2 === 0 ? names.toReversed() : names
    for (const name of order) round[name] = await measure(name)
    const told = names.map((name) => `${name} ${round[name].seconds.toFixed(2)} s`)
    const load = loadavg()[0]!.toFixed(1)
    console.log(`round ${number} of ${rounds}: ${told.join(', ')}; load ${load}; no breaks`)
    return round
  }

  const startedAt = new Date().toISOString()
  await write(transfers)
  const measured: Round[] = []
  while (measured.length < rounds) measured.push(await measureAll(measured.length + 1))
  console.log(`\n${renderRates(measured)}\n`)
  const threefold: Partial<Round> = {}
  if (memory) {
    await write(2 * transfers)
    for (const name of passNames) threefold[name] = await measure(name)
  }
  console.log(renderMemory(measured, threefold))
  const facts = { startedAt, servers: servers.describe(), machine: describeMachine() }
  await saveResults('reconcile', { ...facts, measured, threefold })
}

try {
  const options = readOptions()
  if (options) await bench(options)
  else console.log(usage)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
