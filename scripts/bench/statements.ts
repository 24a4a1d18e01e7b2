/**
 * `npm run bench:statements [-- --entries 1000000]`: one wallet with that many entries, and its statement in
 * every format that streams, over HTTP and by `npm run export`, each from a process of its own. Told are
 * seconds until the first byte and until the last, and the most memory that the process has had. It fails
 * when an entry is missing, and when a process has needed more memory than it may.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CreateTransferStatus } from 'tigerbeetle-node'
import { request } from 'undici'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { createLedger, requestEventsMax } from '../../accounting/client.ts'
import { toTransfer } from '../../accounting/legs.ts'
import { openDatabase } from '../../db/database.ts'
import { insertMemos } from '../../db/descriptions.ts'
import { mintId } from '../../db/ids.ts'
import { loadConfig } from '../../server/config.ts'
import type { StatementFormatName } from '../../server/statements/formats.ts'
import { withServers } from '../with-servers.ts'
import { startChild } from './child.ts'
import { currency } from './population.ts'
import { prepare } from './setting.ts'
import { signInAll } from './sign-in.ts'

const { values } = parseArgs({ options: { entries: { type: 'string', default: '1000000' } } })
const entryCount = Number(values.entries)

/** What every entry has once in a file, and nothing else has. */
const marks = {
  json: '"balance":',
  csv: ',payment,',
  'camt.053': '<Ntry>',
  hledger: '; time: ',
} as const satisfies Partial<Record<StatementFormatName, string>>
type Format = keyof typeof marks

/** More than this is no constant memory. */
const memoryMax = 512 * 1024 * 1024
/** One of so many entries has a memo. */
const memoEvery = 10
const inputHash = 1
const msPerDay = 86_400_000

await using opened = new AsyncDisposableStack()
const dataDir = await mkdtemp(join(tmpdir(), 'kassa-bench-'))
opened.defer(() => rm(dataDir, { recursive: true }))
const servers = await withServers({ env: process.env, dataDir, durable: false })
opened.defer(servers.stop)
console.log(servers.describe().join('\n'))
const { people, password, env } = await prepare({ ...servers, users: 1 }, opened)
const [walletId = '', otherId = ''] = people.wallets
await fill()
const period = {
  from: new Date(Date.now() - msPerDay).toISOString(),
  to: new Date(Date.now() + msPerDay).toISOString(),
}

/** Payments from the wallet and to it, in turn, as Kassa makes them, some with a memo. */
async function fill(): Promise<void> {
  const config = loadConfig(env)
  const { databaseUrl: url, tigerbeetleAddresses: addresses } = config
  const database = openDatabase({ url, poolSize: 1, connectTimeoutMs: 5_000, onIdleError() {} })
  const ledger = await createLedger({
    addresses,
    clusterId: config.tigerbeetleClusterId,
    deadlineMs: 30_000,
    queueLimit: 10,
  })
  const asset = assetOf(currency)
  // The first entry is the deposit that the people of the bench begin with.
  for (let made = 1; made < entryCount; ) {
    const count = Math.min(requestEventsMax, entryCount - made)
    const transfers = Array.from({ length: count }, (_, index) => {
      const id = mintId()
      const [from, to] = index % 2 === 0 ? [walletId, otherId] : [otherId, walletId]
      const money = { amountMinor: 1n, asset, code: TransferCode.payment }
      const leg = { debitAccountId: from, creditAccountId: to, ...money }
      return { id, transfer: toTransfer(leg, { id, operationId: id, inputHash }) }
    })
    const described = transfers.filter((_, index) => index % memoEvery === 0)
    await insertMemos(
      database.db,
      described.map(({ id }) => ({ operationId: id, inputHash, memo: 'a memo, "quoted"' })),
    )
    const results = await ledger.createTransfers(transfers.map(({ transfer }) => transfer))
    if (results.some(({ status }) => status !== CreateTransferStatus.created)) {
      throw new Error('not all were created')
    }
    made += count
  }
  ledger.close()
  await database.close()
}

interface Measured {
  firstByteSeconds: number
  seconds: number
  bytes: number
  peakBytes: number
}

/** Counts a text in what comes in pieces. */
function createCounter(text: string) {
  let rest = ''
  let count = 0
  return {
    add(piece: string): void {
      const all = rest + piece
      count += all.split(text).length - 1
      rest = all.slice(Math.max(0, all.length - text.length + 1))
    },
    check(): void {
      if (count < entryCount - 1 || count > entryCount) {
        throw new Error(`${count} entries in place of ${entryCount}`)
      }
    },
  }
}

async function overHttp(format: Format): Promise<Measured> {
  const kassa = startChild(new URL('servers/kassa.ts', import.meta.url), { env })
  try {
    const { url } = await kassa.call<{ url: string }>('start')
    const toRequest = (email: string) => ({ path: '/v1/sessions', body: { email, password } })
    const [cookie = ''] = await signInAll(url, people.emails.slice(0, 1), toRequest)
    const startMs = performance.now()
    const query = new URLSearchParams({ ...period, format })
    const path = `${url}/v1/wallets/${walletId}/statement?${query}`
    const { statusCode, body } = await request(path, {
      headers: { cookie },
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    if (statusCode !== 200) throw new Error(await body.text())
    const firstByteSeconds = (performance.now() - startMs) / 1_000
    const counter = createCounter(marks[format])
    let bytes = 0
    for await (const piece of body as AsyncIterable<Buffer>) {
      bytes += piece.length
      counter.add(piece.toString('latin1'))
    }
    counter.check()
    const seconds = (performance.now() - startMs) / 1_000
    return { firstByteSeconds, seconds, bytes, peakBytes: await kassa.call<number>('peakBytes') }
  } finally {
    await kassa.stop()
  }
}

/** Tells the most memory that a process has had, in KiB, when it ends. */
const tellPeak = 'process.on("exit",()=>console.error("peak",process.resourceUsage().maxRSS))'

/** `npm run export` with these words; answers its seconds and the most memory it has had. */
async function byExport(words: readonly string[]): Promise<{ seconds: number; peakBytes: number }> {
  const script = fileURLToPath(new URL('../export.ts', import.meta.url))
  const watch = ['--import', `data:text/javascript,${tellPeak}`]
  const folder = ['--folder', dataDir]
  const startMs = performance.now()
  const child = spawn(process.execPath, [...watch, script, ...words, ...folder], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let told = ''
  child.stderr.on('data', (piece) => {
    told += piece
  })
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.once('close', resolve)
  const code = await promise
  const seconds = (performance.now() - startMs) / 1_000
  const peak = /^peak (\d+)$/m.exec(told)?.[1]
  if (code !== 0 || peak === undefined) throw new Error(told)
  return { seconds, peakBytes: Number(peak) * 1_024 }
}

const mebibytes = (bytes: number) => `${Math.round(bytes / 1_024 / 1_024)} MiB`

function show(
  name: string,
  { seconds, peakBytes, ...more }: Pick<Measured, 'seconds' | 'peakBytes'> & Partial<Measured>,
): void {
  const first = more.firstByteSeconds?.toFixed(1)
  const cells = [
    name.padEnd(26),
    `${seconds.toFixed(1)} s`,
    `${Math.round(entryCount / seconds)} entries/s`,
    `at most ${mebibytes(peakBytes)}`,
    ...(first === undefined ? [] : [`first byte after ${first} s`]),
    ...(more.bytes === undefined ? [] : [mebibytes(more.bytes)]),
  ]
  console.log(cells.join(', '))
  if (peakBytes > memoryMax) throw new Error(`that is more than ${mebibytes(memoryMax)}`)
}

console.log(`${entryCount} entries`)
const moments = ['--from', period.from, '--to', period.to]
for (const format of Object.keys(marks) as Format[]) {
  show(`HTTP ${format}`, await overHttp(format))
  const words = ['--wallet', walletId, ...moments, '--format', format]
  show(`export ${format}`, await byExport(words))
}
show('export of the whole ledger', await byExport(['--format', 'hledger']))
