/**
 * `npm run bench:batches`: batches of 1,000 payments over HTTP, beside TigerBeetle's own client in a loop
 * with batches of the same size. What is told are transfers a second; the books are read after each.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTransferStatus, createClient, type Transfer } from 'tigerbeetle-node'
import { request } from 'undici'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { toLedgerId } from '../../accounting/ids.ts'
import { withServers } from '../with-servers.ts'
import { startChild } from './child.ts'
import { currency } from './population.ts'
import { prepare } from './setting.ts'
import { signInAll } from './sign-in.ts'
import { median } from './stats.ts'
import { pickPair } from './workload.ts'

const transfersPerBatch = 1_000
const batchesPerRound = 20
const rounds = 5
/** Each with ten wallets. */
const users = 50

type SendBatch = () => Promise<void>

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
  (atomic: boolean): SendBatch =>
  async () => {
    const transfers = Array.from({ length: transfersPerBatch }, () => ({
      from_wallet_id: wallets[0],
      to_wallet_id: pickPayee(),
      amount: '0.01',
    }))
    const { body } = await request(`${url}/v1/transfers/batch`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify({ atomic, transfers }),
    })
    const { counts } = (await body.json()) as { counts: { done: number } }
    if (counts.done !== transfersPerBatch) throw new Error(`${counts.done} were paid`)
  }

const client = createClient({
  cluster_id: 0n,
  replica_addresses: env.TIGERBEETLE_ADDRESSES!.split(','),
})
opened.defer(() => client.destroy())

const byClient: SendBatch = async () => {
  const results = await client.createTransfers(
    Array.from({ length: transfersPerBatch }, () => toTransfer(pickPayee())),
  )
  const isDone = results.every(({ status }) => status === CreateTransferStatus.created)
  if (!isDone) throw new Error('not all were created')
}

function toTransfer(payee: string): Transfer {
  return {
    id: toLedgerId(randomUUID()),
    debit_account_id: toLedgerId(wallets[0]!),
    credit_account_id: toLedgerId(payee),
    amount: 1n,
    pending_id: 0n,
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    timeout: 0,
    ledger: assetOf(currency).ledger,
    code: TransferCode.payment,
    flags: 0,
    timestamp: 0n,
  }
}

/** Transfers a second of batches that are sent one after the other. */
async function measure(send: SendBatch): Promise<number> {
  const startMs = performance.now()
  for (let nth = 0; nth < batchesPerRound; nth += 1) await send()
  const seconds = (performance.now() - startMs) / 1_000
  await ledgerBooks.verify(transfersPerBatch * batchesPerRound)
  return (transfersPerBatch * batchesPerRound) / seconds
}

const targets = { independent: overHttp(false), atomic: overHttp(true), client: byClient }
const rates: Record<keyof typeof targets, number[]> = { independent: [], atomic: [], client: [] }
for (let round = 0; round <= rounds; round += 1) {
  for (const name of Object.keys(targets) as (keyof typeof targets)[]) {
    const rate = await measure(targets[name])
    if (round > 0) rates[name].push(rate)
  }
}
const show = (rate: number) => `${Math.round(rate)} transfers/s`
console.log(`client       ${show(median(rates.client))}`)
for (const name of ['independent', 'atomic'] as const) {
  const ratios = rates[name].map((rate, round) => rate / rates.client[round]!)
  console.log(
    `${name.padEnd(12)} ${show(median(rates[name]))}, ${median(ratios).toFixed(2)} of the client's (goal 0.50)`,
  )
}
