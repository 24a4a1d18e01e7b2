/** The two ledgers that are measured beside each other, each as a process of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface MeasuredServer {
  readonly address: string
  /** Resident memory now, bytes. */
  residentBytes(): Promise<number>
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Starts the embedded ledger on `folder`, durable; resolves when it listens. */
export async function startEmbedded(folder: string): Promise<MeasuredServer> {
  const main = join(import.meta.dirname, '../../../embedded/ledger/main.ts')
  const child = spawn(
    process.execPath,
    [main, '--address', '127.0.0.1:0', '--data', folder, '--exit-with-stdin'],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  )
  return measured(child, await printed(child, child.stdout, /listening on (\S+)/))
}

/** Formats a data file in `folder` and starts one replica of the real server on it. */
export async function startReal(binary: string, folder: string): Promise<MeasuredServer> {
  const file = join(folder, '0_0.tigerbeetle')
  const replica = ['--cluster=0', '--replica=0', '--replica-count=1']
  await promisify(execFile)(binary, ['format', ...replica, file])
  const child = spawn(binary, ['start', '--addresses=127.0.0.1:0', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const port = await printed(child, child.stderr, /listening on .*port = (\d+)/)
  return measured(child, `127.0.0.1:${port}`)
}

async function printed(
  child: ChildProcess,
  stream: NodeJS.ReadableStream,
  pattern: RegExp,
): Promise<string> {
  let text = ''
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`${child.spawnfile} did not start:\n${text}`)))
    stream.on('data', (chunk) => {
      if (text.length < 100_000) text += chunk
      const match = pattern.exec(text)
      if (match !== null) resolve(match[1]!)
    })
  })
}

function measured(child: ChildProcess, address: string): MeasuredServer {
  return {
    address,
    async residentBytes() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
    },
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill(signal)
      await exited
    },
  }
}
