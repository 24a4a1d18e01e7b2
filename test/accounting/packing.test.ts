import { setImmediate as turn } from 'node:timers/promises'
import { createPacker } from '../../accounting/packing.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('packing of calls')

class Impossible extends Error {}

/** Doubles its events; 13 is impossible to send, 99 is answered with an error. */
function createSender() {
  const packs: { events: number[]; calls: number }[] = []
  const pack = createPacker<number, number>(
    async (events, calls) => {
      if (events.includes(13)) throw new Impossible()
      packs.push({ events, calls })
      await turn()
      if (events.includes(99)) throw new Error('the server is gone')
      return events.map((event) => event * 2)
    },
    { eventsMax: 4, isFaultOfOne: (error) => error instanceof Impossible },
  )
  return { pack, packs }
}

test('calls of one turn are sent together, and each gets its own results', async () => {
  const { pack, packs } = createSender()
  const answers = await Promise.all([pack([1]), pack([2, 3]), pack([])])
  assert.equal(answers, [[2], [4, 6], []])
  assert.equal(await pack([4]), [8])
  assert.equal(packs, [
    { events: [1, 2, 3], calls: 3 },
    { events: [4], calls: 1 },
  ])
})

test('a pack has its limit, a single call may have more', async () => {
  const { pack, packs } = createSender()
  const calls = [[1, 2, 3], [4, 5], [6, 7, 8, 9, 10], [11]]
  const answers = await Promise.all(calls.map((events) => pack(events)))
  assert.equal(
    answers,
    calls.map((events) => events.map((event) => event * 2)),
  )
  assert.equal(
    packs.map(({ events }) => events),
    calls,
  )
})

test('a call that cannot be sent fails alone', async () => {
  const { pack, packs } = createSender()
  const answers = await Promise.allSettled([pack([1]), pack([13]), pack([2])])
  assert.equal(
    answers.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.equal(packs, [
    { events: [1], calls: 0 },
    { events: [2], calls: 0 },
  ])
})

test('what befalls a pack befalls each of its calls, and nothing is sent again', async () => {
  const { pack, packs } = createSender()
  const answers = await Promise.allSettled([pack([1]), pack([99])])
  for (const answer of answers) assert.is(answer.status, 'rejected')
  assert.is(packs.length, 1)
})

test.run()
