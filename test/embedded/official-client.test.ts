import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createClient } from 'tigerbeetle-node'
import { type Server, startEmbeddedLedger } from '../../scripts/with-servers.ts'
import { assert, suite } from '../lib/suite.ts'
import { firstDifference } from './lib/trace-difference.ts'
import { readTrace } from './lib/trace-file.ts'
import { replay } from './lib/trace-replay.ts'

/**
 * Traces in which nothing hangs on how long a call takes, nor on whether the client's thread wakes up between
 * two calls of one tick (parallel-1 does). All others run in traces.test.ts.
 */
const wireTraces = ['edge-cases', 'large-1', 'imported-2']

const test = suite('the official client against the embedded ledger')
let dataDir: string
let server: Server

// Each test wants an empty ledger.
test.before.each(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'kassa-official-'))
  server = await startEmbeddedLedger({ dataDir, durable: false })
})
test.after.each(async () => {
  await server.stop()
  await rm(dataDir, { recursive: true })
})

test("the client's own test suite", async () => {
  const file = createRequire(import.meta.url).resolve('tigerbeetle-node/dist/test.js')
  const env = { ...process.env, TB_ADDRESS: server.address }
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env })
  const written = (await readFile(file, 'utf8')).match(/^test\(/gm) ?? []
  const passed = stdout.match(/: PASSED$/gm) ?? []
  assert.ok(written.length > 0)
  assert.is(passed.length, written.length)
})

for (const name of wireTraces) {
  test(`recorded answers: ${name}`, async () => {
    const connect = () => createClient({ cluster_id: 0n, replica_addresses: [server.address] })
    let client = connect()
    const { steps, answers } = readTrace(name)
    const actual = await replay(steps, {
      client: () => client,
      reconnect: async () => {
        client.destroy()
        client = connect()
      },
      sleep: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
    })
    client.destroy()
    assert.is(firstDifference(steps, answers, actual), '')
  })
}

test.run()
