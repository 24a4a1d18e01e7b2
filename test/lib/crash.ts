import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Config } from '../../server/config.ts'
import type { Command, Told } from './crash-child.ts'
import { destinationKeys } from './world.ts'

const childFile = fileURLToPath(new URL('crash-child.ts', import.meta.url))

/** A Kassa in a process of its own, on the servers of a world. */
export interface CrashChild {
  readonly url: string
  /** The steps since the last `stopAt`. */
  readonly steps: readonly string[]
  /** Counts steps from now on; the process stops at this one. */
  stopAt(step: number): Promise<void>
  /** Resolves with the step that the process has stopped at. */
  stopped(): Promise<string>
  /** SIGKILL: nothing is finished, closed or written any more. */
  kill(): Promise<void>
}

const living = new Set<CrashChild>()

/** Ends every process that is still there. */
export async function killCrashChildren(): Promise<void> {
  await Promise.all([...living].map((child) => child.kill()))
}

export interface CrashChildOptions {
  /** Settings that differ from those of other processes. */
  settings?: Readonly<Record<string, string>>
  /** Takes each line that it writes besides; left out, its errors are shown. */
  log?: (line: string) => void
}

/** Starts a process; it is ready for requests when this resolves. */
export async function startCrashChild(
  config: Config,
  { settings = {}, log }: CrashChildOptions = {},
): Promise<CrashChild> {
  const child = spawn(process.execPath, [childFile], {
    stdio: ['pipe', 'pipe', log ? 'pipe' : 'inherit'],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: config.databaseUrl,
      DATABASE_POOL_SIZE: '5',
      DATABASE_CONNECT_TIMEOUT_MS: '60000',
      LEDGER_DEADLINE_MS: '60000',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      TIGERBEETLE_ADDRESSES: config.tigerbeetleAddresses.join(),
      SESSION_SECRETS: config.sessionSecrets.join(),
      DESTINATION_KEYS: destinationKeys,
      BCRYPT_COST: String(config.bcryptCost),
      FOUR_EYES: config.fourEyes ? 'on' : 'off',
      RECONCILE_CRON: 'off',
      LOG_LEVEL: 'silent',
      PORT: '0',
      ...settings,
    },
  })
  const steps: string[] = []
  const ready = Promise.withResolvers<string>()
  const stopped = Promise.withResolvers<string>()
  let counting = Promise.withResolvers<void>()
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const told: Told | { level: number } = JSON.parse(line)
    if ('level' in told) return log?.(line)
    if ('ready' in told) return ready.resolve(told.ready)
    if ('counting' in told) {
      steps.length = 0
      return counting.resolve()
    }
    steps.push(told.step)
    if (told.stopped) stopped.resolve(told.step)
  })
  const { stderr } = child
  if (log && stderr) createInterface({ input: stderr }).on('line', log)
  const ended = once(child, 'close').then(() => {
    for (const { reject } of [ready, stopped]) reject(new Error('the process has ended'))
  })
  // Nobody need wait for them.
  for (const { promise } of [ready, stopped]) promise.catch(() => {})
  const crashChild: CrashChild = {
    url: await ready.promise,
    steps,
    async stopAt(step) {
      counting = Promise.withResolvers()
      command(child, { stopAt: step })
      await Promise.race([counting.promise, stopped.promise])
    },
    stopped: () => stopped.promise,
    async kill() {
      child.kill('SIGKILL')
      await ended
      living.delete(crashChild)
    },
  }
  living.add(crashChild)
  return crashChild
}

function command(child: ChildProcess, told: Command): void {
  child.stdin?.write(`${JSON.stringify(told)}\n`)
}
