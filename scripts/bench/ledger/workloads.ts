/** What is measured, through the official client. All rates are events a second. */
import {
  type Account,
  AccountFlags,
  type Client,
  CreateAccountStatus,
  CreateTransferStatus,
  QueryFilterFlags,
  type Transfer,
} from 'tigerbeetle-node'

/** As many as one request holds. */
export const batchEvents = 8_189
const accountCount = 1_000
const officialTransfers = 51_200
const officialBatch = 253
const largeBatch = 8_000

let nextId = 1n

/** Makes the accounts that all workloads use; `history` keeps a balance for every transfer. */
export async function createAccounts(client: Client, history = false): Promise<void> {
  const flags = history ? AccountFlags.history : AccountFlags.none
  const accounts = Array.from({ length: accountCount }, (_, i) => account(BigInt(i + 1), flags))
  const results = await client.createAccounts(accounts)
  if (results.some(({ status }) => status !== CreateAccountStatus.created)) {
    throw new Error('accounts are there already')
  }
}

/** The official client's benchmark: batches of 253 between two accounts, one at a time. */
export function official(client: Client): Promise<number> {
  return batches(client, officialTransfers, officialBatch, hotPair)
}

/** Batches of 8,000, one at a time. */
export function large(client: Client): Promise<number> {
  return batches(client, 30 * largeBatch, largeBatch, uniformPair)
}

/** One transfer a call, `inFlight` calls at once. */
export async function singles(client: Client, inFlight: number, hot: boolean): Promise<number> {
  const pair = hot ? hotPair : uniformPair
  const total = 60_000
  let left = total
  return rate(total, async () => {
    const caller = async () => {
      while (left-- > 0) check(await client.createTransfers([transfer(pair)]))
    }
    await Promise.all(Array.from({ length: inFlight }, caller))
  })
}

/** Reads up to `limit` transfers in the order of time, as a tail does. */
export async function scan(client: Client, limit: number): Promise<number> {
  let seen = 0
  const seconds = await secondsOf(async () => {
    seen = await readTransfers(client, limit)
  })
  return seen / seconds
}

/** Reads transfers page by page until there are `limit` of them or no more; answers how many there were. */
export async function readTransfers(client: Client, limit: number): Promise<number> {
  let seen = 0
  let from = 0n
  while (seen < limit) {
    const page = await client.queryTransfers({
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      ledger: 0,
      code: 0,
      timestamp_min: from,
      timestamp_max: 0n,
      limit: batchEvents,
      flags: QueryFilterFlags.none,
    })
    const last = page.at(-1)
    if (!last) break
    seen += page.length
    from = last.timestamp + 1n
  }
  return seen
}

/** Adds transfers until there are `count` more, as fast as it goes. */
export async function fill(client: Client, count: number): Promise<number> {
  return batches(client, count, batchEvents, uniformPair)
}

/** One transfer between two of the accounts. */
export async function payOnce(client: Client): Promise<boolean> {
  check(await client.createTransfers([transfer(uniformPair)]))
  return true
}

/** Debits and credits are equal, and as many as transfers were made (each is of 1). */
export async function verifyBooks(client: Client): Promise<void> {
  const ids = Array.from({ length: accountCount }, (_, i) => BigInt(i + 1))
  let debits = 0n
  let credits = 0n
  for (const found of await client.lookupAccounts(ids)) {
    debits += found.debits_posted
    credits += found.credits_posted
  }
  if (debits !== credits) throw new Error(`debits ${debits}, credits ${credits}`)
}

async function batches(
  client: Client,
  total: number,
  size: number,
  pair: () => Pair,
): Promise<number> {
  const made: Transfer[][] = []
  for (let left = total; left > 0; left -= size) {
    made.push(Array.from({ length: Math.min(size, left) }, () => transfer(pair)))
    // Objects for millions of transfers at once would measure the memory of this process.
    if (made.length === 64 && left > size) break
  }
  const count = made.reduce((sum, batch) => sum + batch.length, 0)
  const seconds = await secondsOf(async () => {
    for (const batch of made) check(await client.createTransfers(batch))
  })
  if (count === total) return total / seconds
  const rest = await batches(client, total - count, size, pair)
  return total / (seconds + (total - count) / rest)
}

async function rate(events: number, work: () => Promise<void>): Promise<number> {
  return events / (await secondsOf(work))
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1_000
}

type Pair = readonly [debit: bigint, credit: bigint]

function hotPair(): Pair {
  return [1n, 2n]
}

function uniformPair(): Pair {
  const debit = Math.floor(Math.random() * accountCount)
  const credit = (debit + 1 + Math.floor(Math.random() * (accountCount - 1))) % accountCount
  return [BigInt(debit + 1), BigInt(credit + 1)]
}

function check(results: readonly { status: CreateTransferStatus }[]): void {
  for (const { status } of results) {
    if (status !== CreateTransferStatus.created) throw new Error(`a transfer has status ${status}`)
  }
}

function transfer(pair: () => Pair): Transfer {
  const [debit, credit] = pair()
  return {
    id: nextId++,
    debit_account_id: debit,
    credit_account_id: credit,
    amount: 1n,
    pending_id: 0n,
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    timeout: 0,
    ledger: 1,
    code: 1,
    flags: 0,
    timestamp: 0n,
  }
}

function account(id: bigint, flags: number): Account {
  return {
    id,
    debits_pending: 0n,
    debits_posted: 0n,
    credits_pending: 0n,
    credits_posted: 0n,
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    reserved: 0,
    ledger: 1,
    code: 1,
    flags,
    timestamp: 0n,
  }
}
