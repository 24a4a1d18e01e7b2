import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const main = join(import.meta.dirname, '../../../embedded/ledger/main.ts')

/** The embedded ledger as a process of its own. */
export class LedgerProcess {
  readonly address: string
  readonly #child: ChildProcess
  readonly #output: string[]

  private constructor(child: ChildProcess, address: string, output: string[]) {
    this.#child = child
    this.address = address
    this.#output = output
  }

  /** Starts it and waits for its ready line; rejects with what it said when it ends before that. */
  static start(dataDir: string, address = '127.0.0.1:0'): Promise<LedgerProcess> {
    return LedgerProcess.run(['--address', address, '--data', dataDir, '--exit-with-stdin'])
  }

  /** The same with any arguments. */
  static async run(args: readonly string[]): Promise<LedgerProcess> {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    const output: string[] = []
    child.stderr.on('data', (chunk) => output.push(String(chunk)))
    let ready = ''
    for await (const chunk of child.stdout) {
      ready += chunk
      const match = /^listening on (\S+)\n/.exec(ready)
      if (match !== null) return new LedgerProcess(child, match[1]!, output)
    }
    if (child.exitCode === null) await once(child, 'exit')
    throw new Error(output.join(''))
  }

  /** What it said to people so far. */
  get said(): string {
    return this.#output.join('')
  }

  /** Ends it and returns its exit code, null after SIGKILL. */
  async end(signal: 'SIGKILL' | 'SIGTERM' | 'stdin'): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode
    const exited = once(this.#child, 'exit')
    if (signal === 'stdin') this.#child.stdin?.end()
    else this.#child.kill(signal)
    await exited
    return this.#child.exitCode
  }
}

/** Runs `inspect` on a data folder; its exit code and what it printed. */
export async function inspectFolder(dataDir: string): Promise<{ code: number; text: string }> {
  const args = [main, 'inspect', '--data', dataDir]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  child.stderr.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  return { code: child.exitCode ?? 1, text }
}
