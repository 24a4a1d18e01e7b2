/** Starts everything that is compared, with the same people and wallets in each. */
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { createLedger } from '../../accounting/client.ts'
import { type DatabaseHandle, openDatabase } from '../../db/database.ts'
import { migrate } from '../../db/migrate.ts'
import { loadConfig } from '../../server/config.ts'
import { createPasswords } from '../../server/passwords.ts'
import { type Books, openLedgerBooks, openRowLockBooks } from './books.ts'
import { type Child, startChild } from './child.ts'
import { type LoadResult, pace, type Saturate } from './load.ts'
import type { Usage } from './meter.ts'
import type { Latency } from './open-loop.ts'
import { createPopulation, currency, type Population } from './population.ts'
import type { Target } from './rounds.ts'
import type { RowLockBooks, RowLockSetup } from './servers/bare-koa-pg.ts'
import type { RawSetup } from './servers/raw-client.ts'
import { signInAll } from './sign-in.ts'
import type { Workload } from './workload.ts'

export interface TargetOptions {
  databaseUrl: string
  tigerbeetleAddresses: string
  saturate: Saturate
  /** Each with ten wallets. */
  users: number
  profileDir: string | undefined
}

/** Cheap to check, because a thousand people sign in; it has no part in what is measured. */
const bcryptCost = '4'
const password = 'correct horse battery'

/** Everything that is measured; `opened` gets what is to be closed. */
export async function startTargets(
  options: TargetOptions,
  opened: AsyncDisposableStack,
): Promise<Target[]> {
  const start = (name: string, env: NodeJS.ProcessEnv = {}): Child => {
    const { profileDir } = options
    const child = startChild(new URL(`servers/${name}.ts`, import.meta.url), { env, profileDir })
    opened.defer(child.stop)
    return child
  }
  const { people, ledgerBooks, env } = await prepare(options, opened)
  const { wallets, emails } = people

  const bare = start('bare-koa')
  const { url: bareUrl } = await bare.call<{ url: string }>('start')
  const kassa = start('kassa', env)
  const { url: kassaUrl } = await kassa.call<{ url: string }>('start')
  const databaseUrl = await createDatabase(options.databaseUrl, 'row_locks', opened)
  const pg = start('bare-koa-pg')
  const setup: RowLockSetup = { databaseUrl, wallets, users: options.users }
  const { url: pgUrl } = await pg.call<{ url: string }>('start', setup)
  const pgBooks = await openRowLockBooks(() => pg.call<RowLockBooks>('books'))
  const raw = start('raw-client')
  await raw.call('start', {
    addresses: options.tigerbeetleAddresses.split(','),
    wallets,
    ledger: assetOf(currency).ledger,
    code: TransferCode.payment,
  } satisfies RawSetup)

  const signInBare = (url: string) =>
    signInAll(url, emails, (_, user) => ({ path: `/sessions/${user}`, body: {} }))
  const cookies = {
    bare: await signInBare(bareUrl),
    pg: await signInBare(pgUrl),
    kassa: await signInAll(kassaUrl, emails, (email) => ({
      path: '/v1/sessions',
      body: { email, password },
    })),
  }
  const atBare = { url: bareUrl, path: '/', cookies: cookies.bare, wallets, hot: false }
  const atKassa = { url: kassaUrl, path: '/v1/transfers', cookies: cookies.kassa, wallets }
  const atPg = { url: pgUrl, path: '/', cookies: cookies.pg, wallets }
  const over = (child: Child, workload: Workload, books?: Books) =>
    overHttp(child, workload, options.saturate, books)

  const all = `${wallets.length} wallets`
  return [
    { name: 'a', title: 'bare Koa, a constant', ...over(bare, atBare) },
    {
      name: "a'",
      title: "Kassa's middleware, a constant",
      ...over(kassa, { ...atKassa, path: '/v1/constant', hot: false }),
    },
    {
      name: 'b',
      title: `Kassa, ${all}`,
      ...over(kassa, { ...atKassa, hot: false }, ledgerBooks),
    },
    {
      name: 'c',
      title: 'Kassa, one hot wallet',
      ...over(kassa, { ...atKassa, hot: true }, ledgerBooks),
    },
    {
      name: 'd',
      title: `row locks, ${all}`,
      ...over(pg, { ...atPg, hot: false }, pgBooks),
    },
    {
      name: 'd hot',
      title: 'row locks, one hot wallet',
      ...over(pg, { ...atPg, hot: true }, pgBooks),
    },
    {
      name: 'e',
      title: 'raw client, no HTTP',
      saturate: (load) => raw.call<LoadResult>('saturate', load),
      pace: (at) => raw.call<Latency>('pace', at),
      usage: () => raw.call<Usage>('usage'),
      verify: ledgerBooks.verify,
      moves: true,
    },
  ]
}

/** Without books it is one that moves no money. */
function overHttp(
  child: Child,
  workload: Workload,
  saturate: Saturate,
  books?: Books,
): Omit<Target, 'name' | 'title'> {
  return {
    saturate: (load) => saturate(workload, load),
    pace: (at, connections) => pace(workload, connections, at),
    usage: () => child.call<Usage>('usage'),
    verify: async (moved) => books?.verify(moved),
    moves: books !== undefined,
  }
}

interface Prepared {
  people: Population
  ledgerBooks: Books
  /** The settings of Kassa. */
  env: NodeJS.ProcessEnv
}

async function prepare(options: TargetOptions, opened: AsyncDisposableStack): Promise<Prepared> {
  const env = {
    DATABASE_URL: await createDatabase(options.databaseUrl, 'kassa', opened),
    TIGERBEETLE_ADDRESSES: options.tigerbeetleAddresses,
    BCRYPT_COST: bcryptCost,
    PORT: '0',
  }
  const config = loadConfig(env)
  const ledger = await createLedger({
    addresses: config.tigerbeetleAddresses,
    clusterId: config.tigerbeetleClusterId,
    deadlineMs: 30_000,
    queueLimit: config.ledgerQueueLimit,
  })
  opened.defer(() => ledger.close())
  const { db, close } = openOne(config.databaseUrl)
  opened.defer(close)
  await migrate(db)
  const passwords = await createPasswords(config)
  const people = await createPopulation(
    { db, ledger },
    { users: options.users, passwordHash: await passwords.hash(password) },
  )
  return { people, ledgerBooks: await openLedgerBooks(ledger), env }
}

/** A database of this run alone, dropped at its end. */
async function createDatabase(
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
