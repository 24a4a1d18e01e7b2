import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Schema } from './schema.ts'

export type Database = Kysely<Schema>

export interface DatabaseOptions {
  url: string
  /** How many connections this process opens at most. */
  poolSize: number
  /** How long a request waits for a free connection, or for the server to accept one. */
  connectTimeoutMs: number
  /** How long a statement may take; without it as long as it likes. */
  statementTimeoutMs?: number
  /** What a new connection carries out before it is used: SQL. */
  setUp?: string
  /** A connection that was lost while idle; the pool replaces it by itself. */
  onIdleError: (error: Error) => void
}

export interface DatabaseHandle {
  db: Database
  /** The same pool for a library that speaks pg itself. */
  pool: pg.Pool
  /** Closes every connection; the handle is of no use afterwards. */
  close(): Promise<void>
}

/** int8 as bigint: a JavaScript number would lose digits, pg's own default is a string. */
const int8Oid = 20
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8Oid && format !== 'binary' ? BigInt : pg.types.getTypeParser(oid, format),
}

/** Opens a pool of connections. Nothing is asked of the server until the first query. */
export function openDatabase({ setUp, ...options }: DatabaseOptions): DatabaseHandle {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    connectionTimeoutMillis: options.connectTimeoutMs,
    statement_timeout: options.statementTimeoutMs ?? false,
    keepAlive: true,
    ...(setUp !== undefined && { onConnect: (client) => client.query(setUp) }),
    application_name: 'kassa',
    types,
  })
  pool.on('error', options.onIdleError)
  // The pool hears idle connections only, a query its own errors: one that breaks while it is lent but
  // between queries would end the process. Whatever is asked of it next fails.
  pool.on('connect', (client) => client.on('error', () => {}))
  const db: Database = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  return {
    db,
    pool,
    async close() {
      await db.destroy()
      // Kysely leaves a pool alone that it has not used yet.
      if (!pool.ended) await pool.end()
    },
  }
}

/** Asks the server for a sign of life. */
export async function pingDatabase(db: Database): Promise<void> {
  await db.selectNoFrom((eb) => eb.lit(1).as('one')).execute()
}
