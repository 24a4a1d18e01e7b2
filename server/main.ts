import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createLedger } from '../accounting/client.ts'
import { createAttemptLimit } from '../db/attempts.ts'
import { openDatabase } from '../db/database.ts'
import { createMemoWriter } from '../db/descriptions.ts'
import { migrate } from '../db/migrate.ts'
import { createApp } from './app.ts'
import { bootstrap, type Created } from './bootstrap.ts'
import { type Config, ConfigError, loadConfig } from './config.ts'
import type { Deps } from './deps.ts'
import { createDestinations } from './destinations.ts'
import { answerClientError } from './http/client-errors.ts'
import { startTail } from './jobs/tail.ts'
import { startWorker } from './jobs/worker.ts'
import { createLogger } from './log.ts'
import { createPasswords } from './passwords.ts'
import { routes } from './routes/index.ts'
import { createSessions } from './sessions.ts'
import { createSettings } from './settings.ts'

export interface Kassa {
  /** Where it listens. */
  url: string
  /** Credentials made at this start, to be told once. */
  created: Created[]
  deps: Deps
  /** Stops listening, lets requests finish up to a limit, closes every connection. */
  stop(): Promise<void>
}

/** A whole request arrives within this time. Idle connections outlive those of a proxy in front. */
const serverLimits = { headersTimeout: 15_000, requestTimeout: 30_000, keepAliveTimeout: 65_000 }
const connectionsMax = 10_000

export interface StartOptions {
  /** The clock; milliseconds since 1970. */
  nowMs?: () => number
  /** Puts something around a dependency. */
  adapt?: (deps: Deps) => Deps
}

/**
 * Starts Kassa: brings the schema up to date, creates the first accounts and listens. When a step
 * fails, what was opened before is closed again.
 */
export async function startKassa(config: Config, options: StartOptions = {}): Promise<Kassa> {
  const { nowMs = Date.now, adapt = (deps: Deps) => deps } = options
  await using opened = new AsyncDisposableStack()
  const deps = adapt(await openDeps(config, nowMs, opened))
  if (config.production && !config.evidenceKey) {
    deps.log.warn('EVIDENCE_KEY is not set: no interval of the chain of evidence is closed')
  }
  const created = await bootstrap(deps)
  const worker = startWorker(deps)
  opened.defer(() => worker.stop())
  const tail = startTail(deps)
  opened.defer(() => tail.stop())
  const server = createServer(serverLimits, createApp(deps, routes).callback())
  server.maxConnections = connectionsMax
  server.on('clientError', answerClientError)
  await listen(server, config)
  opened.defer(() => drain(server, config.drainSeconds))
  const { port } = server.address() as AddressInfo
  const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`
  const resources = opened.move()
  return { url, created, deps, stop: () => resources.disposeAsync() }
}

/** Opens what use cases work with; what has to be closed goes onto the stack. */
async function openDeps(
  config: Config,
  nowMs: () => number,
  opened: AsyncDisposableStack,
): Promise<Deps> {
  const log = createLogger(config)
  opened.defer(() => log.flush())
  const database = {
    url: config.databaseUrl,
    poolSize: config.databasePoolSize,
    connectTimeoutMs: config.databaseConnectTimeoutMs,
    onIdleError: (error: Error) => log.warn({ err: error }, 'a connection to PostgreSQL was lost'),
  }
  const migrating = openDatabase(database)
  await migrate(migrating).finally(migrating.close)
  const statementTimeoutMs = config.databaseStatementTimeoutMs
  const { db, pool, close } = openDatabase({ ...database, statementTimeoutMs })
  opened.defer(close)
  const ledger = await createLedger({
    addresses: config.tigerbeetleAddresses,
    clusterId: config.tigerbeetleClusterId,
    deadlineMs: config.ledgerDeadlineMs,
    queueLimit: config.ledgerQueueLimit,
  })
  opened.defer(() => ledger.close())
  const sessions = await createSessions({ db, config, log, nowMs })
  opened.defer(() => sessions.close())
  const settings = await createSettings({ db, databaseUrl: config.databaseUrl, log, nowMs })
  opened.defer(() => settings.close())
  const attempts = (name: string, max: number) =>
    createAttemptLimit(pool, { name, attempts: max, windowSeconds: config.attemptsWindowSeconds })
  return {
    config,
    db,
    ledger,
    memos: createMemoWriter(db),
    destinations: createDestinations(config.destinationKeys),
    log,
    sessions,
    settings,
    passwords: await createPasswords(config),
    accountAttempts: attempts('account', config.accountAttempts),
    addressAttempts: attempts('address', config.addressAttempts),
    signUpAttempts: attempts('sign-up', config.addressSignUps),
    nowMs,
  }
}

function listen(server: Server, { host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Stops listening and lets requests under way finish, at most `seconds`. */
async function drain(server: Server, seconds: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), seconds * 1000)
  await closed
  clearTimeout(timer)
}

async function main(): Promise<void> {
  const kassa = await startKassa(loadConfig())
  process.stdout.write(`Kassa listens on ${kassa.url}\n`)
  for (const { role, email, password } of kassa.created) {
    process.stdout.write(
      `created ${role}: ${email} ${password ?? 'with the password of the settings'}\n`,
    )
  }
  const stop = () => {
    kassa.stop().then(() => process.exit(0))
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error: unknown) => {
    const text = error instanceof ConfigError ? error.message : String(error)
    process.stderr.write(`${text}\n`)
    process.exit(1)
  })
}
