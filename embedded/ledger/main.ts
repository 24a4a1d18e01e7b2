import { parseArgs } from 'node:util'
import { wallClock } from './clock.ts'
import { openFolder } from './folder-storage.ts'
import { inspect } from './inspect.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { lockFolder } from './lock.ts'
import { Replica } from './replica.ts'
import { listen } from './server.ts'
import { createStateMachine } from './state-machine.ts'

const usage = `Usage:
  npm run ledger -- --address HOST:PORT --data FOLDER [--durability fsync|none] [--exit-with-stdin]
  npm run ledger -- inspect --data FOLDER

PORT 0 takes a free port. --durability none keeps everything in memory, for throwaway tests.
--exit-with-stdin ends the ledger when its standard input is closed, so that it dies with its parent.`

/** Something that the person who started the ledger can put right: one line, no stack. */
class UsageError extends Error {}

/** Lines for people go to stderr; stdout has nothing but the ready line, for programs. */
function say(line: string): void {
  process.stderr.write(`ledger: ${line}\n`)
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        address: { type: 'string', default: '127.0.0.1:3000' },
        data: { type: 'string' },
        durability: { type: 'string', default: 'fsync' },
        'exit-with-stdin': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}\n${usage}`)
  }
}

function parseAddress(address: string): { host: string; port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(address)
  const port = Number(match?.[2])
  if (match === null || port > 65_535) throw new UsageError(`--address ${address} is not HOST:PORT`)
  return { host: match[1]!.replace(/^\[(.*)\]$/, '$1'), port }
}

async function openDurable(folder: string): Promise<Ledger> {
  const storage = await openFolder(folder)
  const unlock = lockFolder(folder)
  const onFailure = (error: Error) => {
    say(`the disk failed, so nothing more can be acknowledged: ${error.message}`)
    process.exit(1)
  }
  const ledger = await openLedger({ storage, clock: wallClock, report: say, onFailure })
  return {
    ...ledger,
    async close() {
      await ledger.close()
      unlock()
    },
  }
}

function openInMemory(): Pick<Ledger, 'replica' | 'close'> {
  say('durability none: all data is in memory only and is gone when this process ends')
  const replica = new Replica({ stateMachine: createStateMachine(), clock: wallClock })
  return { replica, close: async () => {} }
}

async function serve(values: ReturnType<typeof readArguments>['values']): Promise<void> {
  const { host, port } = parseAddress(values.address)
  if (values.durability !== 'fsync' && values.durability !== 'none') {
    throw new UsageError(`--durability is fsync or none, not ${values.durability}`)
  }
  if (values.durability === 'fsync' && values.data === undefined) {
    throw new UsageError(`--data is missing\n${usage}`)
  }
  if (values.durability === 'fsync') say(`data in ${values.data}`)
  const ledger = values.durability === 'none' ? openInMemory() : await openDurable(values.data!)
  const server = await listen({ host, port, replica: ledger.replica, report: say })
  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    await server.close()
    await ledger.close()
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  if (values['exit-with-stdin']) process.stdin.on('close', stop).on('error', stop).resume()
  process.stdout.write(`listening on ${server.address}\n`)
}

async function main(): Promise<void> {
  // Whoever reads the lines may be gone first; that must not end a ledger that is closing its files.
  process.stderr.on('error', () => {})
  const { values, positionals } = readArguments()
  if (values.help) {
    process.stdout.write(`${usage}\n`)
    return
  }
  if (positionals.length === 0) return serve(values)
  if (positionals[0] !== 'inspect' || positionals.length > 1) throw new UsageError(usage)
  if (values.data === undefined) throw new UsageError(`--data is missing\n${usage}`)
  const clean = await inspect(values.data, (line) => process.stdout.write(`${line}\n`))
  process.exitCode = clean ? 0 : 1
}

try {
  await main()
} catch (error) {
  const plain = error instanceof UsageError || explainable(error)
  say(
    error instanceof Error ? (plain ? error.message : (error.stack ?? error.message)) : `${error}`,
  )
  process.exit(1)
}

/** Errors whose message says all: damage, a lock, a busy port, a folder that cannot be written. */
function explainable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return /^(Damage|Format|Locked)Error$/.test(error.name) || 'syscall' in error
}
