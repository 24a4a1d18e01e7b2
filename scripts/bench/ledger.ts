/**
 * Measures the embedded ledger, and beside it, in alternating rounds, the real server when
 * TIGERBEETLE_BINARY is given. BENCH_ROUNDS (3), BENCH_MILLIONS (1: transfers inside when restart,
 * memory and latency are measured), BENCH_SECONDS (60: of the steady load). Writes
 * bench-results/ledger.json.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from 'tigerbeetle-node'
import { type MeasuredServer, startEmbedded, startReal } from './ledger/servers.ts'
import {
  createAccounts,
  fill,
  large,
  official,
  payOnce,
  scan,
  singles,
  verifyBooks,
} from './ledger/workloads.ts'
import { openLoop } from './open-loop.ts'
import { median } from './stats.ts'

const { TIGERBEETLE_BINARY: binary, BENCH_ROUNDS, BENCH_MILLIONS, BENCH_SECONDS } = process.env
const rounds = Number(BENCH_ROUNDS ?? 3)
const transfersInside = Number(BENCH_MILLIONS ?? 1) * 1_000_000
const steadySeconds = Number(BENCH_SECONDS ?? 60)
const steadyRate = 1_000

/** Events a second, and the ratio to the real server that is aimed at. */
const workloads: Record<string, { run: (client: Client) => Promise<number>; goal: number }> = {
  'official benchmark (batches of 253)': { run: official, goal: 0.5 },
  'batches of 8,000': { run: large, goal: 0.4 },
  'single calls, 64 in flight': { run: (c) => singles(c, 64, false), goal: 0.6 },
  'single calls, 64 in flight, hot': { run: (c) => singles(c, 64, true), goal: 0.6 },
  'single calls, 256 in flight': { run: (c) => singles(c, 256, false), goal: 0.6 },
  'single calls, 256 in flight, hot': { run: (c) => singles(c, 256, true), goal: 0.6 },
  'scan by query_transfers': { run: (c) => scan(c, 500_000), goal: 0.4 },
}

type Rates = Record<string, number>
type Start = (folder: string) => Promise<MeasuredServer>

const kinds: Record<string, Start> = { embedded: startEmbedded }
if (binary) kinds.real = (folder) => startReal(binary, folder)

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'kassa-bench-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function connect(server: MeasuredServer): Client {
  return createClient({ cluster_id: 0n, replica_addresses: [server.address] })
}

/** One round of all workloads on a fresh server. */
async function measureRates(start: Start): Promise<Rates> {
  return inFolder(async (folder) => {
    const server = await start(folder)
    const client = connect(server)
    const rates: Rates = {}
    try {
      await createAccounts(client)
      for (const [name, { run }] of Object.entries(workloads)) rates[name] = await run(client)
      await verifyBooks(client)
    } finally {
      client.destroy()
      await server.stop()
    }
    return rates
  })
}

interface Inside {
  readonly fillPerSecond: number
  readonly bytesPerTransfer: number
  readonly restartSeconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** The embedded ledger with many transfers inside: memory, restart after kill -9, steady load. */
async function measureInside(history: boolean): Promise<Inside> {
  return inFolder(async (folder) => {
    let server = await startEmbedded(folder)
    let client = connect(server)
    await createAccounts(client, history)
    const before = await server.residentBytes()
    const fillPerSecond = await fill(client, transfersInside)
    client.destroy()
    await server.stop('SIGKILL')
    const killed = performance.now()
    server = await startEmbedded(folder)
    const restartSeconds = (performance.now() - killed) / 1_000
    const bytesPerTransfer = ((await server.residentBytes()) - before) / transfersInside
    client = connect(server)
    await verifyBooks(client)
    const pace = { ratePerSecond: steadyRate, seconds: steadySeconds }
    let maxMs = 0
    const steady = await openLoop(pace, async () => {
      const sent = performance.now()
      const paid = await payOnce(client)
      maxMs = Math.max(maxMs, performance.now() - sent)
      return paid
    })
    client.destroy()
    await server.stop()
    return { fillPerSecond, bytesPerTransfer, restartSeconds, ...steady, maxMs }
  })
}

function printRates(all: Record<string, Rates[]>): Record<string, Rates> {
  const medians: Record<string, Rates> = {}
  for (const name of Object.keys(workloads)) {
    const of = (kind: string) => median((all[kind] ?? []).map((rates) => rates[name]!))
    const embedded = of('embedded')
    const real = of('real')
    const ratio = embedded / real
    medians[name] = { embedded, ...(all.real ? { real, ratio } : {}) }
    const beside = all.real
      ? `  real ${perSecond(real)}  ratio ${ratio.toFixed(2)} (goal ${workloads[name]!.goal})`
      : ''
    console.log(`${name.padEnd(38)} embedded ${perSecond(embedded)}${beside}`)
  }
  return medians
}

function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString('en')}/s`.padStart(10)
}

function printInside(title: string, inside: Inside): void {
  console.log(`\n${title}`)
  console.log(`  filled at ${perSecond(inside.fillPerSecond).trim()}`)
  console.log(`  ${Math.round(inside.bytesPerTransfer)} bytes resident for each transfer`)
  console.log(`  open again ${inside.restartSeconds.toFixed(2)} s after kill -9`)
  const { p50Ms, p99Ms, maxMs } = inside
  const latency = [p50Ms, p99Ms, maxMs].map((ms) => `${ms.toFixed(1)} ms`)
  console.log(`  at ${steadyRate} single calls/s: p50 ${latency[0]}, p99 ${latency[1]}`)
  console.log(`  longest call ${latency[2]}`)
}

const all: Record<string, Rates[]> = {}
for (let round = 0; round < rounds; round++) {
  for (const [kind, start] of Object.entries(kinds)) {
    const rates = await measureRates(start)
    all[kind] = [...(all[kind] ?? []), rates]
  }
}
const medians = printRates(all)
const plain = await measureInside(false)
printInside(`${transfersInside.toLocaleString('en')} transfers inside`, plain)
const history = await measureInside(true)
printInside('the same, with a balance kept of both accounts for each transfer', history)
await mkdir('bench-results', { recursive: true })
await writeFile(
  'bench-results/ledger.json',
  `${JSON.stringify({ medians, plain, history }, null, 2)}\n`,
)
