/** What all that is measured stands on: databases of this run, people with money, the books. */
import { createLedger } from '../../accounting/client.ts'
import { type Database, type DatabaseHandle, openDatabase } from '../../db/database.ts'
import { insertFeeSchedule } from '../../db/fee-schedules.ts'
import { mintId } from '../../db/ids.ts'
import { migrate } from '../../db/migrate.ts'
import { loadConfig } from '../../server/config.ts'
import { createPasswords } from '../../server/passwords.ts'
import { type Books, openLedgerBooks } from './books.ts'
import {
  createPopulation,
  currency,
  feeCurrency,
  type Group,
  type Population,
} from './population.ts'

export interface SettingOptions {
  databaseUrl: string
  tigerbeetleAddresses: string
  /** Each with ten wallets. */
  users: number
}

export interface Setting {
  people: Population
  /** As many again, who have a limit. */
  limited: Population
  password: string
  ledgerBooks: Books
  /** Of the currency with fees. */
  feeBooks: Books
  /** The settings of Kassa. */
  env: NodeJS.ProcessEnv
  /** A database for the app with row locks. */
  rowLocksUrl: string
}

/** Cheap to check, because so many sign in; it has no part in what is measured. */
const bcryptCost = '4'
const password = 'correct horse battery'

/** How long creating the people may wait for the ledger. */
const deadlineMs = 30_000

/** Prepares a run; `opened` gets what is to be closed after it. */
export async function prepare(
  { databaseUrl, tigerbeetleAddresses, users }: SettingOptions,
  opened: AsyncDisposableStack,
): Promise<Setting> {
  const rowLocksUrl = await createDatabase(databaseUrl, 'row_locks', opened)
  const env = {
    DATABASE_URL: await createDatabase(databaseUrl, 'kassa', opened),
    TIGERBEETLE_ADDRESSES: tigerbeetleAddresses,
    BCRYPT_COST: bcryptCost,
    PORT: '0',
    RECONCILE_CRON: 'off',
  }
  const config = loadConfig(env)
  const database = openOne(config.databaseUrl)
  opened.defer(database.close)
  await migrate(database)
  const { db } = database
  const ledger = await createLedger({
    addresses: config.tigerbeetleAddresses,
    clusterId: config.tigerbeetleClusterId,
    deadlineMs,
    queueLimit: config.ledgerQueueLimit,
  })
  opened.defer(() => ledger.close())
  const passwordHash = await (await createPasswords(config)).hash(password)
  const populate = (group: Group) =>
    createPopulation({ db, ledger }, { users, passwordHash, group })
  const [people, limited] = [await populate('payer'), await populate('limited')]
  await setFee(db)
  const ledgerBooks = await openLedgerBooks(ledger, currency)
  const feeBooks = await openLedgerBooks(ledger, feeCurrency, 1n + feeMinor)
  return { people, limited, password, ledgerBooks, feeBooks, env, rowLocksUrl }
}

/** What every payment in the currency with fees costs. */
const feeMinor = 1n

async function setFee(db: Database): Promise<void> {
  await insertFeeSchedule(db, {
    id: mintId(),
    inputHash: 1,
    operation: 'payment',
    currency: feeCurrency,
    fixedMinor: feeMinor,
    basisPoints: 0,
    minMinor: null,
    maxMinor: null,
    bearer: 'sender',
    refund: 'none',
    validFrom: new Date(),
  })
}

/** A database of this run alone, dropped at its end. */
export async function createDatabase(
  databaseUrl: string,
  name: string,
  opened: AsyncDisposableStack,
): Promise<string> {
  const own = `bench_${name}_${process.pid}`
  await query(databaseUrl, `CREATE DATABASE ${own}`)
  opened.defer(() => query(databaseUrl, `DROP DATABASE ${own} WITH (FORCE)`))
  const url = new URL(databaseUrl)
  url.pathname = own
  return url.href
}

async function query(databaseUrl: string, text: string): Promise<void> {
  const { pool } = openOne(databaseUrl)
  await pool.query(text).finally(() => pool.end())
}

function openOne(url: string): DatabaseHandle {
  return openDatabase({
    url,
    poolSize: 1,
    connectTimeoutMs: 5_000,
    // It is closed when it has answered: what becomes of the connection then is of no interest.
    onIdleError: () => {},
  })
}
