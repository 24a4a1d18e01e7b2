/**
 * `npm run bench`: what Kassa's money path costs, compared with a bare Koa app, with row locks in
 * PostgreSQL and with TigerBeetle's client alone. docs/benchmarks.md explains it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { withServers } from '../with-servers.ts'
import { findLoadGenerator } from './load.ts'
import { describeMachine } from './machine.ts'
import { render, summarize } from './report.ts'
import { resultsDir, saveResults } from './results.ts'
import { type RoundOptions, runRounds } from './rounds.ts'
import { startTargets, targetNames } from './targets.ts'

/** With ten wallets each: 10,000 wallets. */
const users = 1_000

const usage = `npm run bench [-- options]
  --rounds N        rounds that count, after one to warm up (7)
  --seconds N       of load, and again at the fixed rate, each time (3)
  --connections N   under load, each with one request under way (64)
  --rate N          requests a second for the latencies (500)
  --only NAMES      for example a,b: leaves out the others
  --profile         writes a processor profile of each server beside the results
  --quick           3 rounds of 1 second, to see that it works`

const numberMax = 10_000

interface Options extends RoundOptions {
  only: readonly string[]
  profile: boolean
}

function readOptions(): Options | undefined {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      rounds: text,
      seconds: text,
      connections: text,
      rate: text,
      only: text,
      profile: { type: 'boolean' },
      quick: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return undefined
  const whole = (value: string | undefined, otherwise: number): number => {
    const number = Number(value ?? otherwise)
    if (Number.isInteger(number) && number > 0 && number <= numberMax) return number
    throw new Error(`${value} is not a whole number from 1 to ${numberMax}.\n${usage}`)
  }
  const only = values.only?.split(',') ?? targetNames
  const unknown = only.filter((name) => !targetNames.includes(name))
  if (unknown.length > 0) {
    throw new Error(`${unknown.join(', ')}: not measured; there are ${targetNames.join(', ')}.`)
  }
  return {
    rounds: whole(values.rounds, values.quick ? 3 : 7),
    seconds: whole(values.seconds, values.quick ? 1 : 3),
    connections: whole(values.connections, 64),
    ratePerSecond: whole(values.rate, 500),
    only,
    profile: values.profile ?? false,
  }
}

async function bench(options: Options): Promise<void> {
  await using opened = new AsyncDisposableStack()
  const stop = () => void opened.disposeAsync().finally(() => process.exit(1))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const dataDir = await mkdtemp(join(tmpdir(), 'kassa-bench-'))
  opened.defer(() => rm(dataDir, { recursive: true }))
  const servers = await withServers({ env: process.env, dataDir, durable: true })
  opened.defer(servers.stop)
  const generator = await findLoadGenerator()
  console.log([...servers.describe(), `load by      ${generator.name}`, ''].join('\n'))

  const all = await startTargets(
    {
      ...servers,
      saturate: generator.saturate,
      users,
      profileDir: options.profile ? resultsDir : undefined,
    },
    opened,
  )
  const targets = all.filter(({ name }) => options.only.includes(name))
  const startedAt = new Date().toISOString()
  const rounds = await runRounds(targets, options, console.log)

  const ledger = servers.describe().some((line) => line.includes('embedded ledger'))
    ? 'embedded'
    : 'real'
  const summary = summarize(rounds, ledger)
  console.log(`\n${render(summary, targets)}`)
  const facts = { startedAt, ledger, load: generator.name, machine: describeMachine(), options }
  await saveResults('http', { ...facts, ...summary, rounds })
}

try {
  const options = readOptions()
  if (options) await bench(options)
  else console.log(usage)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
