import { parseArgs } from 'node:util'
import { MemoryLog } from './memory-log.ts'
import { Replica } from './replica.ts'
import { listen } from './server.ts'
import { createStateMachine } from './state-machine.ts'

const { values } = parseArgs({
  options: {
    address: { type: 'string', default: '127.0.0.1:3000' },
    data: { type: 'string' },
    durability: { type: 'string', default: 'fsync' },
    'exit-with-stdin': { type: 'boolean', default: false },
  },
})

function say(line: string): void {
  process.stderr.write(`ledger: ${line}\n`)
}

const separator = values.address.lastIndexOf(':')
const replica = new Replica({
  stateMachine: createStateMachine(),
  log: new MemoryLog(),
  clock: () => BigInt(Date.now()) * 1_000_000n,
})
const server = await listen({
  host: values.address.slice(0, separator),
  port: Number(values.address.slice(separator + 1)),
  replica,
  report: say,
})
if (values.durability !== 'none') say('the journal is not built yet: nothing is kept')
process.stdout.write(`listening on ${server.address}\n`)

async function stop(): Promise<void> {
  await server.close()
  process.exit(0)
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
if (values['exit-with-stdin']) process.stdin.on('close', stop).on('error', stop).resume()
