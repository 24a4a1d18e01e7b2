import { createStateMachine } from '../../embedded/ledger/state-machine.ts'
import { assert, suite } from '../lib/suite.ts'
import { machineClient, VirtualClock } from './lib/machine-client.ts'
import { firstDifference } from './lib/trace-difference.ts'
import { readTrace, traceNames } from './lib/trace-file.ts'
import { replay } from './lib/trace-replay.ts'

// Some transfers live one second, so what a trace was answered depends on how long its calls took
// when it was recorded: about a millisecond each, and half a second for a new client.
const reconnectMilliseconds = 500

const traces = suite('recorded TigerBeetle answers, in this process')

for (const name of traceNames()) {
  traces(name, async () => {
    const { steps, answers } = readTrace(name)
    const clock = new VirtualClock()
    const client = machineClient(createStateMachine(), clock)
    const actual = await replay(steps, {
      client: () => client,
      reconnect: async () => clock.advance(reconnectMilliseconds),
      sleep: async (milliseconds) => clock.advance(milliseconds),
    })
    assert.is(firstDifference(steps, answers, actual), '')
  })
}

traces.run()
