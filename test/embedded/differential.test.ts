import { createStateMachine } from '../../embedded/ledger/state-machine.ts'
import { assert, suite } from '../lib/suite.ts'
import { Coverage } from './differential/coverage.ts'
import { ExpiryWindows } from './differential/expiry-windows.ts'
import { generateTrace } from './differential/generate.ts'
import type { Topic } from './differential/profile.ts'
import { shrink } from './differential/shrink.ts'
import { machineClient, VirtualClock } from './lib/machine-client.ts'
import type { TraceStep } from './lib/trace-file.ts'
import { Player } from './lib/trace-replay.ts'

const test = suite('random traces and their comparison')

async function collect(seed: number, topic: Topic, chapters: number): Promise<TraceStep[]> {
  const steps: TraceStep[] = []
  for await (const step of generateTrace({ seed, topic, chapters, stepsPerChapter: 25 })) {
    steps.push(step)
  }
  return steps
}

test('the same seed gives the same trace, another one another', async () => {
  const first = await collect(1, 'mixed', 2)
  assert.equal(await collect(1, 'mixed', 2), first)
  assert.not.equal(await collect(2, 'mixed', 2), first)
})

test('random traces provoke every status that a client can provoke', async () => {
  const coverage = new Coverage()
  const topics: readonly (readonly [Topic, number])[] = [
    ['faults', 24],
    ['imported', 10],
    ['limits', 8],
    ['two-phase', 3],
    ['timeouts', 2],
  ]
  for (const [topic, chapters] of topics) {
    const clock = new VirtualClock()
    const client = machineClient(createStateMachine(), clock)
    const player = new Player({
      client: () => client,
      reconnect: async () => clock.advance(500),
      sleep: async (milliseconds) => clock.advance(milliseconds),
    })
    for (const step of await collect(1, topic, chapters)) {
      coverage.add(step, await player.play(step))
    }
  }
  assert.equal(coverage.missing(), [])
})

test('shrinking leaves only what a difference needs', async () => {
  const event = (id: number) => ({ id: String(id), ledger: 1, code: 1 })
  const steps: TraceStep[] = Array.from({ length: 20 }, (_, index) => ({
    op: 'create_accounts',
    events: [1, 2, 3, 4, 5].map((number) => event(index * 5 + number)),
  }))
  const needs = [event(8), event(92)].map((one) => JSON.stringify(one))
  const differs = async (candidate: readonly TraceStep[]): Promise<boolean> =>
    needs.every((need) => JSON.stringify(candidate).includes(need))
  assert.equal(await shrink(steps, differs, 500), [
    { op: 'create_accounts', events: [event(8)] },
    { op: 'create_accounts', events: [event(92)] },
  ])
})

test('a call while a transfer may be expiring makes the rest uncertain', () => {
  const pending: TraceStep = { op: 'create_transfers', events: [{ id: '1', flags: 2, timeout: 1 }] }
  const created = { op: 'create_transfers', results: ['created'] }
  const lookup: TraceStep = { op: 'lookup_accounts', ids: ['1'] }
  const found = { op: 'lookup_accounts', objects: [] }
  const windows = new ExpiryWindows()
  windows.note(pending, created, 0, 10)
  windows.note(lookup, found, 500, 510)
  windows.note(lookup, found, 1_500, 1_510)
  assert.is(windows.uncertain, false)
  windows.note(pending, created, 2_000, 2_010)
  windows.note(lookup, found, 3_005, 3_006)
  assert.is(windows.uncertain, true)
})

test.run()
