/** Puts people and a history of theirs into both stores, in batches. */
import { CreateTransferStatus } from 'tigerbeetle-node'
import {
  clearingAccount,
  createAccounts,
  feeIncomeAccount,
  walletAccount,
} from '../../../accounting/accounts.ts'
import { assetOf } from '../../../accounting/chart.ts'
import type { Ledger } from '../../../accounting/client.ts'
import { toLedgerId } from '../../../accounting/ids.ts'
import { lookUpAccounts } from '../../../accounting/lookup.ts'
import { provideRights } from '../../../accounting/rights.ts'
import { scanTransfers } from '../../../accounting/scan.ts'
import type { DatabaseHandle } from '../../../db/database.ts'
import { findFeeSchedule, insertFeeSchedule } from '../../../db/fee-schedules.ts'
import { mintId } from '../../../db/ids.ts'
import { insertPaymentSystem } from '../../../db/payment-systems.ts'
import { followOnce } from '../../../server/flows/follow.ts'
import { readModel } from '../../../server/flows/read-model.ts'
import type { Batch, Cast, Rows, WriteBatch } from './history.ts'

export interface Stores {
  database: DatabaseHandle
  ledger: Ledger
}

const walletsPerUser = 10
const currency = 'USD'
/** Nobody signs in. */
const passwordHash = 'none'

/** People with so many wallets, a payment system, and a fee on payments, in both stores. */
export async function createCast(stores: Stores, walletCount: number): Promise<Cast> {
  const { database, ledger } = stores
  for await (const page of scanTransfers(ledger, { after: 0n, upTo: 0n })) {
    throw new Error(`The ledger has ${page.length} transfers or more; this takes an empty one.`)
  }
  const asset = assetOf(currency)
  const users = Array.from({ length: walletCount / walletsPerUser }, (_, place) => ({
    id: mintId(),
    role: 'customer',
    email: `customer-${place}@example.com`,
    password_hash: passwordHash,
  }))
  const wallets = Array.from({ length: walletCount }, (_, place) => ({
    id: mintId(),
    user_id: users[Math.floor(place / walletsPerUser)]!.id,
    number: 1_000_000_000 + place,
    currency,
    account_created_at: new Date(),
  }))
  await insertRows(database, { users, wallets })
  const told = { name: 'First Bank', email: 'bank@example.com', passwordHash }
  const system = await insertPaymentSystem(database.db, told)
  if (typeof system === 'string') throw new Error(`there is a payment system already: ${system}`)
  const clearing = clearingAccount(system.number, asset)
  const accounts = wallets.map(({ id }) => walletAccount(id, asset))
  await createAccounts(ledger, [clearing, feeIncomeAccount(asset), ...accounts])
  await provideRights(ledger, asset)
  // In requests as large as can be: from now on it is known how large that is.
  const ids = accounts.map(({ id }) => toLedgerId(id))
  if ((await lookUpAccounts(ledger, ids)).size !== walletCount) throw new Error('accounts are lost')
  return {
    asset,
    wallets: wallets.map(({ id, user_id: userId }) => ({ id, userId })),
    paymentSystem: { id: system.id, number: system.number, clearingId: clearing.id },
    fee: await setFee(database),
  }
}

async function setFee({ db }: DatabaseHandle): Promise<Cast['fee']> {
  const id = mintId()
  await insertFeeSchedule(db, {
    id,
    inputHash: 1,
    operation: 'payment',
    currency,
    fixedMinor: 1n,
    basisPoints: 10,
    minMinor: null,
    maxMinor: null,
    bearer: 'sender',
    refund: 'none',
    validFrom: new Date(),
  })
  return (await findFeeSchedule(db, { id }))!
}

/**
 * Writes about `count` transfers and what describes them; then the read model follows, by the code of
 * Kassa. What it writes is told now and then. Answers how many transfers there are more.
 */
export async function writeHistory(
  { database, ledger }: Stores,
  writeBatch: WriteBatch,
  { count, progress }: { count: number; progress: (part: number, what: string) => void },
): Promise<number> {
  let made = 0
  while (made < count) {
    const batch = writeBatch(Math.min(ledger.largestRequest(), count - made))
    await insertRows(database, batch.rows)
    made += await submit(ledger, batch)
    progress(made / count, `${made} transfers`)
  }
  const deps = { db: database.db, ledger, nowMs: Date.now }
  for (let isMore = true; isMore; ) {
    isMore = (await followOnce(deps, readModel))?.isMore ?? true
    progress(1, 'the read model follows')
  }
  await database.pool.query('VACUUM ANALYZE')
  return made
}

/** Answers how many transfers were created. */
async function submit(ledger: Ledger, { transfers, expected }: Batch): Promise<number> {
  let created = 0
  for (const [place, { status }] of (await ledger.createTransfers(transfers)).entries()) {
    if (status === CreateTransferStatus.created) created += 1
    if (status === expected[place]) continue
    throw new Error(`a transfer of the history was ${CreateTransferStatus[status]}`)
  }
  return created
}

/** One statement a table, whose one parameter are all rows as JSON. */
async function insertRows({ pool }: DatabaseHandle, rows: Rows): Promise<void> {
  for (const [table, values] of Object.entries(rows)) {
    const columns = Object.keys(values[0]!).join(', ')
    await pool.query(
      `INSERT INTO ${table} (${columns})
        SELECT ${columns} FROM json_populate_recordset(NULL::${table}, $1)`,
      [JSON.stringify(values)],
    )
  }
}
