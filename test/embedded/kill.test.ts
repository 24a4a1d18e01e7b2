import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Account,
  AccountFlags,
  type Client,
  CreateTransferStatus,
  createClient,
  type Transfer,
  TransferFlags,
} from 'tigerbeetle-node'
import { assert, suite } from '../lib/suite.ts'
import { inspectFolder, LedgerProcess } from './lib/ledger-process.ts'
import { type Random, randomFrom } from './lib/random.ts'

/** The suite's share; the soak asks for more. */
const kills = Number(process.env.KILLS ?? 50)
const accounts = 10
const clientCount = 2
const callersPerClient = 8
const lookupsAtOnce = 8_000

const test = suite('kill -9 under load')
const firstSeed = Number(process.env.KILL_SEED ?? 1)
/** Most of the time of a kill is waiting for clients to come back, so two ledgers share it. */
const ledgers = 2

/** What callers did: every transfer sent is in exactly one of these when its call has returned. */
interface Book {
  /** Acknowledged transfers, with the timestamp (nanoseconds) of the acknowledgement. */
  readonly created: Map<bigint, { readonly transfer: Transfer; readonly timestamp: bigint }>
  /** Legs of chains that had to fail: none of them may ever be there. */
  readonly refused: bigint[]
  nextId: bigint
  stopped: boolean
  /** Called whenever calls have returned. */
  onProgress: () => void
}

test(`${kills} kills: all that was acknowledged is there, once`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kassa-kill-'))
  await Promise.all(
    Array.from({ length: ledgers }, (_, i) => {
      const random = randomFrom(firstSeed * ledgers + i)
      return killAgainAndAgain(join(folder, `data-${i}`), Math.ceil(kills / ledgers), random)
    }),
  )
  await rm(folder, { recursive: true })
})

test('it ends with its parent, cleanly, and is alone in its folder', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'kassa-kill-'))
  const ledger = await LedgerProcess.start(dataDir)
  const second = await LedgerProcess.start(dataDir).catch((error) => String(error))
  assert.match(String(second), /in use by another ledger/)
  assert.is(await ledger.end('stdin'), 0)
  const again = await LedgerProcess.start(dataDir)
  assert.is(await again.end('SIGTERM'), 0)
  await rm(dataDir, { recursive: true })
})

test.run()

/** Kills and restarts a ledger under load, then verifies it, online and offline. */
async function killAgainAndAgain(dataDir: string, times: number, random: Random): Promise<void> {
  let ledger = await LedgerProcess.start(dataDir)
  const { address } = ledger
  const clients = Array.from({ length: clientCount }, () => {
    return createClient({ cluster_id: 0n, replica_addresses: [address] })
  })
  const book: Book = {
    created: new Map(),
    refused: [],
    nextId: 1n,
    stopped: false,
    onProgress: () => {},
  }
  await clients[0]!.createAccounts(Array.from({ length: accounts }, (_, i) => account(i + 1)))
  const callers = clients.flatMap((client) => {
    return Array.from({ length: callersPerClient }, () => keepCalling(client, book, random))
  })
  const failed = Promise.race(callers)
  for (let kill = 0; kill < times; kill++) {
    const enough = book.created.size + 1 + random.below(5_000)
    await Promise.race([failed, acknowledged(book, enough)])
    await ledger.end('SIGKILL')
    ledger = await LedgerProcess.start(dataDir, address)
  }
  book.stopped = true
  await Promise.all(callers)
  await verify(clients[0]!, book)
  for (const client of clients) client.destroy()
  assert.is(await ledger.end('SIGTERM'), 0)
  const inspected = await inspectFolder(dataDir)
  assert.is(inspected.code, 0, inspected.text)
}

async function keepCalling(client: Client, book: Book, random: Random): Promise<void> {
  while (!book.stopped) {
    const { transfers, fails } = compose(random, book)
    const results = await client.createTransfers(transfers)
    for (const [i, { status, timestamp }] of results.entries()) {
      const transfer = transfers[i]!
      if (fails) {
        assert.is.not(status, CreateTransferStatus.created, `chain leg ${transfer.id}`)
        book.refused.push(transfer.id)
        continue
      }
      // Had the request been executed twice, the second time would have said `exists`.
      assert.is(status, CreateTransferStatus.created, `transfer ${transfer.id}`)
      book.created.set(transfer.id, { transfer, timestamp })
    }
    book.onProgress()
  }
}

/** A call: one transfer, a batch, or a chain which holds or fails as a whole. */
function compose(r: Random, book: Book): { transfers: Transfer[]; fails: boolean } {
  const kind = r.below(10)
  const count = kind < 5 ? 1 : kind === 9 && r.chance(0.3) ? 4_000 : 1 + r.below(50)
  const chained = kind === 7 || kind === 8
  const fails = kind === 8
  const transfers = Array.from({ length: count }, (_, i) => {
    const debit = r.below(accounts)
    const linked = chained && i < count - 1
    return {
      id: book.nextId++,
      debit_account_id: BigInt(debit + 1),
      credit_account_id: BigInt(((debit + 1 + r.below(accounts - 1)) % accounts) + 1),
      amount: BigInt(1 + r.below(100)),
      pending_id: 0n,
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      timeout: 0,
      ledger: 1,
      code: fails && i === count - 1 ? 0 : 1,
      flags: linked ? TransferFlags.linked : TransferFlags.none,
      timestamp: 0n,
    }
  })
  return { transfers, fails }
}

/** Every acknowledged transfer is there as acknowledged, and accounts hold just the sum of them. */
async function verify(client: Client, book: Book): Promise<void> {
  const ids = [...book.created.keys()]
  const debits = new Map<bigint, bigint>()
  for (let at = 0; at < ids.length; at += lookupsAtOnce) {
    const some = ids.slice(at, at + lookupsAtOnce)
    const found = await client.lookupTransfers(some)
    assert.is(found.length, some.length, 'acknowledged transfers are there')
    for (const transfer of found) {
      const { timestamp } = book.created.get(transfer.id)!
      assert.is(transfer.timestamp, timestamp, `timestamp of ${transfer.id}`)
      const sum = debits.get(transfer.debit_account_id) ?? 0n
      debits.set(transfer.debit_account_id, sum + transfer.amount)
    }
  }
  for (let at = 0; at < book.refused.length; at += lookupsAtOnce) {
    const found = await client.lookupTransfers(book.refused.slice(at, at + lookupsAtOnce))
    assert.is(found.length, 0, 'no leg of a failed chain is there')
  }
  const all = Array.from({ length: accounts }, (_, i) => BigInt(i + 1))
  for (const { id, debits_posted } of await client.lookupAccounts(all)) {
    assert.is(debits_posted, debits.get(id) ?? 0n, `debits of account ${id}`)
  }
}

function account(id: number): Account {
  return {
    id: BigInt(id),
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
    flags: AccountFlags.none,
    timestamp: 0n,
  }
}

function acknowledged(book: Book, count: number): Promise<void> {
  return new Promise((resolve) => {
    book.onProgress = () => {
      if (book.created.size >= count) resolve()
    }
  })
}
