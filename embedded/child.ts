/**
 * A server run as a child process that cannot outlive us: it ends when its standard input closes,
 * which the kernel sees to even after kill -9. It has a process group of its own, so that a Ctrl-C
 * on the terminal reaches only us and the server stays until requests are drained.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const lastLinesLimit = 20

export interface Child {
  readonly pid: number
  /** Resolves when the process has ended, with a sentence saying how. Never rejects. */
  readonly ended: Promise<string>
  /** The newest lines that it wrote, for an error message. */
  lastLines(): string[]
  /** Waits for a line of output that matches. Rejects when the process ends before. */
  line(pattern: RegExp): Promise<RegExpMatchArray>
  /** Closes its standard input and waits; after `limitMs` the whole group is killed. */
  stop(limitMs?: number): Promise<void>
}

export interface ChildOptions {
  uid?: number
  gid?: number
  env?: NodeJS.ProcessEnv
  /** Called with each line that it writes. */
  log?: ((line: string) => void) | undefined
}

/** Starts a program that must itself end when its standard input closes. */
export function startChild(command: string, args: string[], options: ChildOptions = {}): Child {
  const { log, ...spawnOptions } = options
  const child = spawn(command, args, { ...spawnOptions, detached: true, stdio: 'pipe' })
  const lines: string[] = []
  const watchers = new Set<(line: string) => void>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      if (lines.length > lastLinesLimit) lines.shift()
      log?.(line)
      for (const watch of watchers) watch(line)
    })
  }
  child.stdin.on('error', () => {}) // it ended by itself before we closed its input
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(signal ? `ended by ${signal}` : `exit ${code}`))
  })

  return {
    pid: child.pid ?? 0,
    ended,
    lastLines: () => [...lines],
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = (line: string): void => {
          const match = line.match(pattern)
          if (!match) return
          watchers.delete(watch)
          resolve(match)
        }
        watchers.add(watch)
        lines.forEach(watch)
        ended.then((how) => reject(new Error(reasonOf(how, lines))))
      }),
    stop: async (limitMs = 15_000) => {
      child.stdin.end()
      const timer = setTimeout(() => killGroup(child), limitMs)
      await ended
      clearTimeout(timer)
    },
  }
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // the last process of the group has just ended
  }
}

/** Of what a program wrote before it failed, the lines that call themselves an error, or else the last. */
function reasonOf(how: string, lines: readonly string[]): string {
  const errors = lines.filter((line) => /error|fatal|panic|detail:|hint:/i.test(line))
  const telling = errors.length > 0 ? errors : lines.slice(-1)
  return telling.length > 0 ? telling.join('\n  ') : how
}

/** Runs a program to its end. Rejects with what it wrote when it does not exit with 0. */
export async function runToEnd(
  command: string,
  args: string[],
  options: ChildOptions = {},
): Promise<void> {
  const child = startChild(command, args, options)
  const how = await child.ended
  if (how !== 'exit 0') throw new Error(reasonOf(how, child.lastLines()))
}
