/**
 * Finds or starts the two servers. What an address is given for is used as it is; what is missing
 * is started on a free loopback port and ends with this process, however that ends.
 */
import { constants } from 'node:fs'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, runToEnd, startChild } from '../embedded/child.ts'
import { startPostgres } from '../embedded/postgres.ts'

export interface ServerOptions {
  env: NodeJS.ProcessEnv
  /** Where servers that we start keep their data. Made when missing. */
  dataDir: string
  /** False: a power cut may lose everything, for tests. */
  durable: boolean
  /** Called with each line that a server writes. */
  log?: ((line: string) => void) | undefined
}

export interface Server {
  /** The value for DATABASE_URL or TIGERBEETLE_ADDRESSES. */
  readonly address: string
  /** What it is, for people. Without a password. */
  readonly label: string
  /** Resolves with a sentence when a server that we have started ends. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

export interface Servers {
  readonly databaseUrl: string
  readonly tigerbeetleAddresses: string
  /** Whether at least one of them keeps its data in our data folder. */
  readonly keepData: boolean
  /** Resolves with a sentence when a server that we have started ends without being asked to. */
  readonly ended: Promise<string>
  /** A line for each server. */
  describe(): string[]
  stop(): Promise<void>
}

/** Both servers. Throws one clear sentence, with nothing left running, when one cannot start. */
export async function withServers(options: ServerOptions): Promise<Servers> {
  await makeDataDir(options)
  const database = await findDatabase(options)
  const ledger = await findLedger(options).catch(async (error) => {
    await database.stop()
    throw error
  })
  let stopping = false
  const ended = Promise.race([database.ended, ledger.ended])
  return {
    databaseUrl: database.address,
    tigerbeetleAddresses: ledger.address,
    keepData: !hasBothAddresses(options.env),
    ended: new Promise((resolve) => {
      ended.then((how) => stopping || resolve(how))
    }),
    describe: () => [`PostgreSQL   ${database.label}`, `TigerBeetle  ${ledger.label}`],
    stop: async () => {
      stopping = true
      await Promise.all([ledger.stop(), database.stop()])
    },
  }
}

/** PostgreSQL at DATABASE_URL, or the embedded one. */
export async function findDatabase(options: ServerOptions): Promise<Server> {
  const given = options.env.DATABASE_URL
  if (given) return existing(given, withoutPassword(given))
  refuseInProduction(options, 'DATABASE_URL', 'the embedded PostgreSQL')
  const server = await startPostgres(options)
  return {
    address: server.url,
    label: `embedded, ${withoutPassword(server.url)}`,
    ended: server.ended.then((how) => `PostgreSQL has ended: ${how}`),
    stop: server.stop,
  }
}

/** TigerBeetle at TIGERBEETLE_ADDRESSES, or a binary that is installed, or the embedded ledger. */
export async function findLedger(options: ServerOptions): Promise<Server> {
  const given = options.env.TIGERBEETLE_ADDRESSES
  if (given) return existing(given, given)
  refuseInProduction(options, 'TIGERBEETLE_ADDRESSES', 'a ledger of its own')
  const binary = await findBinary(options.env)
  return binary ? startTigerbeetle(binary, options) : startEmbeddedLedger(options)
}

function existing(address: string, label: string): Server {
  return { address, label, ended: new Promise(() => {}), stop: async () => {} }
}

function refuseInProduction({ env }: ServerOptions, variable: string, what: string): void {
  if (env.NODE_ENV !== 'production') return
  throw new Error(`NODE_ENV=production does not start ${what}: set ${variable}.`)
}

function hasBothAddresses(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env.DATABASE_URL && env.TIGERBEETLE_ADDRESSES)
}

async function makeDataDir({ dataDir, env }: ServerOptions): Promise<void> {
  if (hasBothAddresses(env)) return
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o755 })
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(
      `Cannot write to the data folder ${dataDir} (${code}). ` +
        'Make it writable, or choose another one with DATA_DIR.',
    )
  }
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return 'DATABASE_URL'
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}

/** TIGERBEETLE_BINARY, which must then exist, or `tigerbeetle` on PATH. */
async function findBinary(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const isProgram = (path: string): Promise<boolean> =>
    access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
  const named = env.TIGERBEETLE_BINARY
  if (named) {
    if (await isProgram(named)) return named
    throw new Error(`TIGERBEETLE_BINARY is ${named}, which is not a program that can be run.`)
  }
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (folder && (await isProgram(join(folder, 'tigerbeetle')))) return join(folder, 'tigerbeetle')
  }
  return undefined
}

/**
 * One replica for development. With `--addresses=0` TigerBeetle takes a free port, prints it and
 * ends when its standard input closes.
 */
async function startTigerbeetle(binary: string, options: ServerOptions): Promise<Server> {
  const home = join(options.dataDir, 'tigerbeetle')
  const file = join(home, '0_0.tigerbeetle')
  await mkdir(home, { recursive: true })
  const exists = await access(file).then(
    () => true,
    () => false,
  )
  if (!exists) {
    const aside = `${file}.unfinished`
    await rm(aside, { force: true })
    const replica = ['--cluster=0', '--replica=0', '--replica-count=1', '--development']
    await runToEnd(binary, ['format', ...replica, aside])
    await rename(aside, file)
  }
  const child = startChild(binary, ['start', '--development', '--addresses=0', file], {
    log: options.log,
  })
  const [port] = await ready('TigerBeetle', child, /^\d+$/)
  return started('TigerBeetle', child, `127.0.0.1:${port}`, `${binary}, 127.0.0.1:${port}`)
}

/** Kassa's own ledger, which speaks TigerBeetle's client protocol. */
export async function startEmbeddedLedger(
  options: Pick<ServerOptions, 'dataDir' | 'durable' | 'log'>,
): Promise<Server> {
  const main = fileURLToPath(new URL('../embedded/ledger/main.ts', import.meta.url))
  const durability = options.durable ? 'fsync' : 'none'
  const place = ['--address', '127.0.0.1:0', '--data', join(options.dataDir, 'ledger')]
  const flags = [...place, '--exit-with-stdin', '--durability', durability]
  const child = startChild(process.execPath, [main, ...flags], { log: options.log })
  const [, address = ''] = await ready('The ledger', child, /^listening on (127\.0\.0\.1:\d+)$/)
  return started('The ledger', child, address, `embedded ledger, ${address}`)
}

async function ready(name: string, child: Child, pattern: RegExp): Promise<RegExpMatchArray> {
  try {
    return await child.line(pattern)
  } catch (error) {
    throw new Error(`${name} did not start: ${(error as Error).message}`)
  }
}

function started(name: string, child: Child, address: string, label: string): Server {
  return {
    address,
    label,
    ended: child.ended.then((how) => `${name} has ended: ${how}`),
    stop: () => child.stop(),
  }
}
