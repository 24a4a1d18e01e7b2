/**
 * `npm run bench:batches`: batches of 1,000 payments over HTTP, beside TigerBeetle's own client in a loop
 * with batches of the same size, as many of them under way, each written down before the clock starts.
 * What is told are transfers a second and Kassa's processor time; the books are read after each.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTransferStatus, createClient, type Transfer } from 'tigerbeetle-node'
import { request } from 'undici'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { hashInput, toLedgerId } from '../../accounting/ids.ts'
import { withServers } from '../with-servers.ts'
import { startChild } from './child.ts'
import type { Usage } from './meter.ts'
import { currency } from './population.ts'
import { prepare } from './setting.ts'
import { signInAll } from './sign-in.ts'
import { median } from './stats.ts'
import { pickPair } from './workload.ts'

const transfersPerBatch = 1_000
/** The first round warms up: it takes tens of batches until Node has compiled all that is worth it. */
const batchesPerRound = 60
const rounds = 7
/** Batches under way at once: while the ledger works on one, the next is read. */
const batchesUnderWay = 2
/** Each with ten wallets. */
const users = 50

/** Writes a batch down; what comes back sends it. */
type PrepareBatch = () => () => Promise<void>

await using opened = new AsyncDisposableStack()
const dataDir = await mkdtemp(join(tmpdir(), 'kassa-bench-'))
opened.defer(() => rm(dataDir, { recursive: true }))
const servers = await withServers({ env: process.env, dataDir, durable: true })
opened.defer(servers.stop)
console.log(servers.describe().join('\n'))
const { people, password, ledgerBooks, env } = await prepare({ ...servers, users }, opened)
const { wallets, emails } = people

const kassa = startChild(new URL('servers/kassa.ts', import.meta.url), {
  env,
  profileDir: undefined,
})
opened.defer(kassa.stop)
const { url } = await kassa.call<{ url: string }>('start')
const toRequest = (email: string) => ({ path: '/v1/sessions', body: { email, password } })
const [cookie = ''] = await signInAll(url, emails.slice(0, 1), toRequest)

/** The first user pays from the first wallet. */
const pickPayee = () => wallets[pickPair({ wallets, hot: true }).to]!

const overHttp =
  (atomic: boolean): PrepareBatch =>
  () => {
    const transfers = Array.from({ length: transfersPerBatch }, () => ({
      from_wallet_id: wallets[0],
      to_wallet_id: pickPayee(),
      amount: '0.01',
    }))
    const batch = JSON.stringify({ atomic, transfers })
    return async () => {
      const { body } = await request(`${url}/v1/transfers/batch`, {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
        body: batch,
      })
      const answer = await body.text()
      if (!answer.includes(allDone)) throw new Error(`not all were paid: ${answer.slice(0, 500)}`)
    }
  }

const allDone = JSON.stringify({ counts: { done: transfersPerBatch, refused: 0 } }).slice(1, -1)

const client = createClient({
  cluster_id: 0n,
  replica_addresses: env.TIGERBEETLE_ADDRESSES!.split(','),
})
opened.defer(() => client.destroy())

/** Where Kassa keeps the hash of a request. */
const inputHash = hashInput('bench')

const byClient: PrepareBatch = () => {
  const transfers = Array.from({ length: transfersPerBatch }, () => toTransfer(pickPayee()))
  return async () => {
    const results = await client.createTransfers(transfers)
    const isDone = results.every(({ status }) => status === CreateTransferStatus.created)
    if (!isDone) throw new Error('not all were created')
  }
}

/** With the fields that Kassa gives the leg of a payment. */
function toTransfer(payee: string): Transfer {
  const id = toLedgerId(randomUUID())
  return {
    id,
    debit_account_id: toLedgerId(wallets[0]!),
    credit_account_id: toLedgerId(payee),
    amount: 1n,
    pending_id: 0n,
    user_data_128: id,
    user_data_64: 0n,
    user_data_32: inputHash,
    timeout: 0,
    ledger: assetOf(currency).ledger,
    code: TransferCode.payment,
    flags: 0,
    timestamp: 0n,
  }
}

interface Measured {
  transfersPerSecond: number
  /** Of Kassa's process, milliseconds per 1,000 transfers. */
  cpuMs: number
}

async function measure(prepare: PrepareBatch): Promise<Measured> {
  const batches = Array.from({ length: batchesPerRound }, prepare).values()
  const before = await kassa.call<Usage>('usage')
  const startMs = performance.now()
  const sendOneByOne = async () => {
    for (const send of batches) await send()
  }
  await Promise.all(Array.from({ length: batchesUnderWay }, sendOneByOne))
  const seconds = (performance.now() - startMs) / 1_000
  const after = await kassa.call<Usage>('usage')
  const transfers = transfersPerBatch * batchesPerRound
  await ledgerBooks.verify(transfers)
  return {
    transfersPerSecond: transfers / seconds,
    cpuMs: (after.cpuMicroseconds - before.cpuMicroseconds) / transfers,
  }
}

const targets = { independent: overHttp(false), atomic: overHttp(true), client: byClient }
type Target = keyof typeof targets
const measured: Record<Target, Measured[]> = { independent: [], atomic: [], client: [] }
for (let round = 0; round <= rounds; round += 1) {
  for (const name of Object.keys(targets) as Target[]) {
    const one = await measure(targets[name])
    if (round > 0) measured[name].push(one)
  }
}
const ratesOf = (name: Target) => measured[name].map((one) => one.transfersPerSecond)
const show = (name: Target) => `${Math.round(median(ratesOf(name)))} transfers/s`
console.log(`client       ${show('client')}`)
for (const name of ['independent', 'atomic'] as const) {
  const ratios = ratesOf(name).map((rate, round) => rate / ratesOf('client')[round]!)
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((it) => it.toFixed(2))
  const cpuMs = median(measured[name].map((one) => one.cpuMs)).toFixed(1)
  console.log(
    `${name.padEnd(12)} ${show(name)}, ${median(ratios).toFixed(2)} of the client's ` +
      `(${least} to ${most}; goal 0.50), CPU ms per 1,000 ${cpuMs}`,
  )
}
