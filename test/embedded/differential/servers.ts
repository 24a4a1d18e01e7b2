import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, runToEnd, startChild } from '../../../embedded/child.ts'

export interface LedgerServer {
  readonly address: string
  /** Resolves with its last lines when it has ended without being told to. */
  readonly died: Promise<string>
  /** Ends the server and removes its data. */
  stop(): Promise<void>
  /** Kills the server as a crash would and starts it again on the same data and address. */
  restart(): Promise<void>
}

const ledgerMain = fileURLToPath(new URL('../../../embedded/ledger/main.ts', import.meta.url))
const replica = ['--cluster=0', '--replica=0', '--replica-count=1', '--development']
/** A small replica that still takes the largest message. */
const smallReplica = ['--development', '--experimental', '--limit-request=1MiB']

/** A TigerBeetle replica with a data file of its own. */
export async function startTigerbeetle(binary: string): Promise<LedgerServer> {
  const folder = await mkdtemp(join(tmpdir(), 'kassa-compare-real-'))
  const file = join(folder, '0_0.tigerbeetle')
  await runToEnd(binary, ['format', ...replica, file])
  const flags = [...smallReplica, '--memory-lsm-manifest=16MiB', '--addresses=0']
  const child = startChild(binary, ['start', ...flags, file])
  const [port] = await child.line(/^\d+$/)
  // The server keeps the file open; without a name it cannot be left behind.
  await rm(folder, { recursive: true })
  return {
    address: `127.0.0.1:${port}`,
    died: deathOf(child),
    stop: () => child.stop(),
    restart: () => Promise.reject(new Error('only the embedded ledger is killed')),
  }
}

/** The embedded ledger with a data folder of its own. */
export async function startEmbedded(durable: boolean): Promise<LedgerServer> {
  const folder = await mkdtemp(join(tmpdir(), 'kassa-compare-'))
  const { promise: died, resolve } = Promise.withResolvers<string>()
  let killed: Child | undefined
  const start = async (at: string): Promise<{ child: Child; address: string }> => {
    const started = await launch(folder, durable, at)
    deathOf(started.child).then((how) => killed !== started.child && resolve(how))
    return started
  }
  let { child, address } = await start('127.0.0.1:0')
  return {
    address,
    died,
    stop: () => end(child, folder),
    restart: async () => {
      killed = child
      process.kill(child.pid, 'SIGKILL')
      await child.ended
      const next = await start(address)
      child = next.child
    },
  }
}

function deathOf(child: Child): Promise<string> {
  return child.ended.then((how) => [how, ...child.lastLines()].join('\n'))
}

async function launch(
  folder: string,
  durable: boolean,
  at: string,
): Promise<{ child: Child; address: string }> {
  const durability = durable ? 'fsync' : 'none'
  const place = ['--address', at, '--data', join(folder, 'ledger'), '--durability', durability]
  const child = startChild(process.execPath, [ledgerMain, ...place, '--exit-with-stdin'])
  const [, address = ''] = await child.line(/^listening on (127\.0\.0\.1:\d+)$/)
  return { child, address }
}

async function end(child: Child, folder: string): Promise<void> {
  await child.stop()
  await rm(folder, { recursive: true, force: true })
}
