import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A script of the project run as a process of its own, as `npm run` would. */
export interface Script {
  readonly process: ChildProcess
  /** Everything that it has written so far. */
  output(): string
  /** Waits until the output matches; rejects when it ends before. */
  writes(pattern: RegExp): Promise<RegExpMatchArray>
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>
}

/** Starts scripts/`name` with these variables, and no address of a server but what they give. */
export function startScript(
  name: string,
  variables: NodeJS.ProcessEnv,
  options: readonly string[] = [],
): Script {
  const path = fileURLToPath(new URL(`../../scripts/${name}`, import.meta.url))
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env
  const child = spawn(process.execPath, [path, ...options], {
    env: { PATH, HOME, NODE_COMPILE_CACHE, BCRYPT_COST: '4', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const watchers = new Set<() => void>()
  const collect = (chunk: Buffer): void => {
    output += chunk
    for (const watch of watchers) watch()
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code))
  })
  const writes = (pattern: RegExp): Promise<RegExpMatchArray> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        const match = output.match(pattern)
        if (match) resolve(match)
      }
      watchers.add(watch)
      watch()
      ended.then((how) => reject(new Error(`${name} ended with ${how}:\n${output}`)))
    })
  return { process: child, output: () => output, writes, ended }
}
