import { createHash, randomBytes, randomInt } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { ownLedgerMin } from '../../accounting/chart.ts'
import { openDatabase } from '../../db/database.ts'
import { migrate } from '../../db/migrate.ts'

export interface TestDatabase {
  url: string
  /** Fails when a connection to it is still open. */
  drop(): Promise<void>
}

/** Any number: test processes that make the template wait for each other by it. */
const lockKey = 7_160_204

/** A fresh database with the current schema, in the cluster that the test runner gives. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const clusterUrl = process.env.DATABASE_URL
  if (!clusterUrl) throw new Error('DATABASE_URL is not set: run the tests by `npm test`')
  const name = `kassa_test_${randomBytes(8).toString('hex')}`
  await withConnection(clusterUrl, async (query) => {
    const template = await ensureTemplate(clusterUrl, query)
    await query(`CREATE DATABASE ${name} TEMPLATE ${template}`)
  })
  const url = urlOf(clusterUrl, name)
  await withConnection(url, async (query) => {
    // The ledger can be one that other tests use too: clearing accounts and own assets shall differ.
    const first = randomInt(1, 2_000_000_000)
    await query(`ALTER TABLE payment_systems ALTER COLUMN number RESTART WITH ${first}`)
    const firstOwn = randomInt(ownLedgerMin, 900_000_000)
    await query(`ALTER SEQUENCE own_ledgers RESTART WITH ${firstOwn}`)
  })
  return {
    url,
    drop: () =>
      withConnection(clusterUrl, async (query) => {
        await query(`DROP DATABASE ${name}`)
      }),
  }
}

export type Query = (text: string) => Promise<{ rowCount: number | null }>

/** Works with one connection of its own, so that a transaction can stay open. */
export async function withConnection<T>(
  url: string,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  const { pool, close } = openTestDatabase(url)
  try {
    return await work((text) => pool.query(text))
  } finally {
    await close()
  }
}

const openTestDatabase = (url: string) =>
  openDatabase({ url, poolSize: 1, connectTimeoutMs: 10_000, onIdleError: () => {} })

/** Copying a migrated database is faster than migrating each. Its name changes with the schema. */
async function ensureTemplate(clusterUrl: string, query: Query): Promise<string> {
  const template = `kassa_template_${await hashMigrations()}`
  const exists = () => query(`SELECT FROM pg_database WHERE datname = '${template}'`)
  await query(`SELECT pg_advisory_lock(${lockKey})`)
  if ((await exists()).rowCount === 0) {
    const unfinished = `${template}_unfinished`
    await query(`DROP DATABASE IF EXISTS ${unfinished}`)
    await query(`CREATE DATABASE ${unfinished}`)
    const handle = openTestDatabase(urlOf(clusterUrl, unfinished))
    await migrate(handle).finally(handle.close)
    await query(`ALTER DATABASE ${unfinished} RENAME TO ${template}`)
  }
  await query(`SELECT pg_advisory_unlock(${lockKey})`)
  return template
}

async function hashMigrations(): Promise<string> {
  const folder = new URL('../../db/migrations/', import.meta.url)
  const hash = createHash('sha256')
  for (const file of (await readdir(folder)).sort())
    hash.update(await readFile(new URL(file, folder)))
  return hash.digest('hex').slice(0, 16)
}

function urlOf(clusterUrl: string, name: string): string {
  const url = new URL(clusterUrl)
  url.pathname = `/${name}`
  return url.href
}
