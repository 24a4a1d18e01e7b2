/**
 * A process that carries out one of the things that are measured, once: what it holds in memory at most
 * is then of nothing else.
 */

import type { Submittable } from 'pg'
import { createClient } from 'tigerbeetle-node'
import { ledgerPass } from '../../../server/reconciliation/ledger-pass.ts'
import type { Pass } from '../../../server/reconciliation/pass.ts'
import { recordsPass } from '../../../server/reconciliation/records-pass.ts'
import { connectToBoth } from '../../both-servers.ts'
import { answerCalls } from '../child.ts'
import { readTransfers } from '../ledger/workloads.ts'

export interface Measured {
  /** Transfers or rows. */
  count: number
  seconds: number
  /** Processor time of all threads of this process. */
  cpuSeconds: number
  /** Resident memory at most, bytes. */
  peakBytes: number
}

/** The columns that the pass reads, of the tables that the history has rows in. */
const copied: Readonly<Record<string, string>> = {
  wallets: 'id, user_id, currency, created_at, account_created_at, closed_at',
  deposits: 'id, input_hash, payment_system_id, reference, named_wallet',
  withdrawals: 'id, input_hash, wallet_id, payment_system_id',
  withdrawal_outcomes: 'withdrawal_id, input_hash, reference, reason',
  declines: 'operation_id, attempt, code, created_at',
  lifecycles:
    'kind, id, debit_account_id, credit_account_id, input_hash, opened_at, deadline_at, state, changed_at',
}

const { database, ledger } = await connectToBoth(process.env)

/** By TigerBeetle's own client, page after page. */
async function scan(): Promise<number> {
  const replica_addresses = process.env.TIGERBEETLE_ADDRESSES!.split(',')
  const client = createClient({ cluster_id: 0n, replica_addresses })
  const count = await readTransfers(client, Number.POSITIVE_INFINITY)
  client.destroy()
  return count
}

/** By the same driver as the pass, which hands over each row as the bytes that it is. */
async function copy(): Promise<number> {
  let count = 0
  for (const [table, columns] of Object.entries(copied)) {
    count += await copyOut(`COPY (SELECT ${columns} FROM ${table}) TO STDOUT`)
  }
  return count
}

async function copyOut(text: string): Promise<number> {
  const client = await database.pool.connect()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let count = 0
  client.query({
    submit: (connection) => connection.query(text),
    handleCopyData: () => {
      count += 1
    },
    handleCommandComplete: () => {},
    handleReadyForQuery: () => resolve(count),
    handleError: reject,
  } as Submittable)
  return promise.finally(() => client.release())
}

/** Answers how many transfers it has read; a break is an error. */
const runs = (pass: Pass) => async (): Promise<number> => {
  const { breaks, counts } = await pass.run({ db: database.db, ledger, nowMs: Date.now }, () => {})
  const [first] = breaks
  if (first) throw new Error(`${breaks.length} breaks; ${first.kind}: ${first.detail}`)
  return counts.transfers!
}

const targets = { scan, copy, ledger: runs(ledgerPass), records: runs(recordsPass) }

export type TargetName = keyof typeof targets

async function measure(name: TargetName): Promise<Measured> {
  const startMs = performance.now()
  const before = process.cpuUsage()
  const count = await targets[name]()
  const seconds = (performance.now() - startMs) / 1_000
  const { user, system } = process.cpuUsage(before)
  const cpuSeconds = (user + system) / 1_000_000
  return { count, seconds, cpuSeconds, peakBytes: process.resourceUsage().maxRSS * 1_024 }
}

answerCalls({ measure }, async () => {
  ledger.close()
  await database.close()
})
