import { runAutocannon } from '../../scripts/bench/cannon.ts'
import { render, summarize } from '../../scripts/bench/report.ts'
import { runRounds, type Target } from '../../scripts/bench/rounds.ts'
import { startTargets } from '../../scripts/bench/targets.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('bench, in small')

let opened: AsyncDisposableStack
let targets: Target[]

test.before(async () => {
  opened = new AsyncDisposableStack()
  targets = await startTargets(
    {
      databaseUrl: process.env.DATABASE_URL!,
      tigerbeetleAddresses: process.env.TIGERBEETLE_ADDRESSES!,
      saturate: runAutocannon,
      users: 20,
      profileDir: undefined,
    },
    opened,
  )
})

test.after(() => opened.disposeAsync())

test('rounds measure and find the books right', async () => {
  const options = { rounds: 1, connections: 4, seconds: 1, ratePerSecond: 50 }
  const some = targets.filter(({ name }) => ['b', 'd', 'f', 'g', 'h', 'i'].includes(name))
  const lines: string[] = []
  const rounds = await runRounds(some, options, (line) => lines.push(line))
  assert.is(rounds.length, 1)
  assert.is(lines.length, 2)
  for (const { name } of some) {
    const { requestsPerSecond, cpuMsPerThousand, p50Ms, p99Ms } = rounds[0]![name]!
    assert.ok(requestsPerSecond > 0 && cpuMsPerThousand > 0, name)
    assert.ok(p50Ms > 0 && p99Ms >= p50Ms, name)
  }
  const summary = summarize(rounds, 'real')
  assert.equal(
    summary.ratios.map(({ name }) => name),
    ['b / d', 'f / b', 'g / b', 'h / b', 'i / b'],
  )
  assert.match(render(summary, some), /b +Kassa, 200 wallets +\d+/)
})

test('what is not HTTP, or moves nothing, is measured alike', async () => {
  for (const { name, pace, usage, verify, answersPerPayment } of targets) {
    const before = await usage()
    const { failures } = await pace({ ratePerSecond: 100, seconds: 0.1 }, 4)
    assert.is(failures, 0, name)
    const { moved } = await usage()
    const answers = (moved - before.moved) * answersPerPayment
    // When a second request is due depends on when the first is answered.
    if (answersPerPayment < 2) assert.is(answers, 10 * answersPerPayment, name)
    else assert.ok(answers <= 10, name)
    await verify(moved - before.moved)
  }
})

test('books that do not fit the answers are told', async () => {
  for (const name of ['c', 'd hot', 'e']) {
    const { verify } = targets.find((target) => target.name === name)!
    await assert.rejects(verify(1), /0 minor units are in the books, 1 were answered/)
  }
})

test.run()
