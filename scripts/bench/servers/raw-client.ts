/**
 * TigerBeetle's own client in a loop, with as many calls under way as the HTTP load has
 * connections: the most that any server on this client can do here.
 */
import { randomBytes } from 'node:crypto'
import { type Client, CreateTransferStatus, createClient, TransferFlags } from 'tigerbeetle-node'
import { answerCalls } from '../child.ts'
import type { Load, LoadResult } from '../load.ts'
import { createMeter } from '../meter.ts'
import { type Latency, openLoop, type Pace } from '../open-loop.ts'
import { pickPair } from '../workload.ts'

export interface RawSetup {
  addresses: readonly string[]
  wallets: readonly string[]
  ledger: number
  code: number
}

const meter = createMeter((succeeded) => succeeded === true)
let client: Client | undefined
let send: () => Promise<boolean>

function start({ addresses, wallets, ledger, code }: RawSetup) {
  const own = createClient({ cluster_id: 0n, replica_addresses: [...addresses] })
  client = own
  const ids = wallets.map((id) => BigInt(`0x${id.replaceAll('-', '')}`))
  const pairs = { wallets, hot: false }

  async function transfer(): Promise<boolean> {
    const { from, to } = pickPair(pairs)
    const [result] = await own.createTransfers([
      {
        id: randomBytes(16).readBigUInt64LE() | (BigInt(Date.now()) << 64n),
        debit_account_id: ids[from]!,
        credit_account_id: ids[to]!,
        amount: 1n,
        pending_id: 0n,
        user_data_128: 0n,
        user_data_64: 0n,
        user_data_32: 0,
        timeout: 0,
        ledger,
        code,
        flags: TransferFlags.none,
        timestamp: 0n,
      },
    ])
    return result?.status === CreateTransferStatus.created
  }
  send = () => meter.count(transfer())
}

async function saturate({ connections, seconds }: Load): Promise<LoadResult> {
  let answers = 0
  let failures = 0
  const startMs = performance.now()
  const endMs = startMs + seconds * 1_000
  const loop = async () => {
    while (performance.now() < endMs) {
      if (await send()) answers += 1
      else failures += 1
    }
  }
  await Promise.all(Array.from({ length: connections }, loop))
  return { answers, failures, seconds: (performance.now() - startMs) / 1_000 }
}

const pace = (at: Pace): Promise<Latency> => openLoop(at, send)

answerCalls({ start, saturate, pace, usage: meter.usage }, async () => client?.destroy())
