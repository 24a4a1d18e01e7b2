/** The data folder of an embedded PostgreSQL: made once, whole or not at all, and never repaired. */
import { randomBytes } from 'node:crypto'
import { chown, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { runToEnd } from './child.ts'
import { asOrdinaryUser, type OrdinaryUser } from './ordinary-user.ts'

export interface Cluster {
  /** Whom the server must run as. */
  readonly user: OrdinaryUser
  /** PostgreSQL's own data directory. */
  readonly directory: string
  readonly password: string
}

export interface ClusterOptions {
  /** Made when missing. Holds the cluster and, readable by its owner alone, the password. */
  dataDir: string
  /** False: nothing survives a power cut. For tests on a throwaway folder. */
  durable: boolean
  log?: ((line: string) => void) | undefined
}

/** How long a server that must stop may take to begin with it, and to end with it. */
const noticeMs = 1_000
const shutdownMs = 30_000

/** Opens the cluster in `dataDir`, or makes one. Throws one clear sentence when it cannot be used. */
export async function openCluster(initdb: string, options: ClusterOptions): Promise<Cluster> {
  const home = join(options.dataDir, 'postgres')
  await mkdir(options.dataDir, { recursive: true })
  const user = await asOrdinaryUser(home)
  if (!(await exists(home))) await createCluster(initdb, user, options, home)
  await checkCluster(home)
  const password = (await readFile(join(home, 'password'), 'utf8')).trim()
  return { user, directory: join(home, 'cluster'), password }
}

/**
 * Waits for the server of a Kassa that has just been killed. False when it shows no sign of stopping
 * within a second, or does not end in half a minute: then the cluster is in use.
 */
export async function hasEnded(directory: string, pid: number): Promise<boolean> {
  const started = performance.now()
  for (let limitMs = noticeMs; performance.now() - started < limitMs; await setTimeout(50)) {
    if (!isAlive(pid)) return true
    const status = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '')
    if (/^stopping/m.test(status)) limitMs = shutdownMs
  }
  return false
}

/**
 * Makes a cluster aside and renames it, so that a crash leaves nothing that looks finished. When
 * another process was faster, its cluster stays.
 */
async function createCluster(
  initdb: string,
  user: OrdinaryUser,
  options: ClusterOptions,
  home: string,
): Promise<void> {
  await removeUnfinished(options.dataDir)
  const aside = `${home}.unfinished-${process.pid}`
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
    const text = (error as Error).message
    if (user.ids.uid === undefined || !/EACCES|Permission denied/.test(text)) {
      throw new Error(`PostgreSQL could not make its data in ${aside}: ${text}`)
    }
    throw new Error(
      `PostgreSQL does not run as root, and user ${user.ids.uid} cannot enter ${aside} or the ` +
        'project. Start Kassa as an ordinary user, or move both out of private folders.',
    )
  }
  try {
    await rename(aside, home)
  } catch (error) {
    if (!(await exists(home))) throw error
    await rm(aside, { recursive: true })
  }
}

/** Removes what processes that are no more have left. */
async function removeUnfinished(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    const [, maker] = name.match(/^postgres\.unfinished-(\d+)$/) ?? []
    if (maker && (Number(maker) === process.pid || !isAlive(Number(maker)))) {
      await rm(join(dataDir, name), { recursive: true })
    }
  }
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Only what a program needs to run: libpq variables of the caller's shell must not reach it. */
export function environment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
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
