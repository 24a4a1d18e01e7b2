/** The life of breaks: runs of made-up passes, at random against a model, and the edges one by one. */
import fc from 'fast-check'
import type { Client, Json } from '../lib/http.ts'
import {
  breaksOf,
  eventsOf,
  failingPass,
  madeUp,
  newestRun,
  passOf,
  record,
} from '../lib/recorded.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('the life of breaks')

let world: World
let operator: Client

test.before(async () => {
  world = await createWorld()
  operator = await world.operator()
})
test.after(() => world.stop())

const standing = async () =>
  (await breaksOf(operator)).filter(({ state }: Json) => state !== 'closed')

/** The break of a subject that is not closed. */
const find = async (subject: string): Promise<Json> =>
  (await standing()).find((it: Json) => it.subject === subject)

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('found'), which: fc.integer({ max: 7, min: 0 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('omitted'), which: fc.integer({ max: 7, min: 0 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('failed'), which: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('absent'), which: fc.constant(0) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('closed'), which: fc.integer({ max: 2, min: 0 }) }),
  },
)

let histories = 0

test('for all histories: one that stands for each that was found and not seen to be gone', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
    histories += 1
    const subjects = [0, 1, 2].map((index) => `${histories}/${index}`)
    /** Of each subject how many breaks there have been, and whether the last one stands. */
    const model = new Map(subjects.map((subject) => [subject, { count: 0, stands: false }]))
    for (const { kind, which } of steps) {
      if (kind === 'closed') {
        const subject = subjects[which]!
        const it = await find(subject)
        if (it) await must(operator.post(`/v1/breaks/${it.id}/close`, { reason: 'model' }), 200)
        model.get(subject)!.stands = false
        continue
      }
      const found = subjects.filter((_, index) => which & (1 << index))
      if (kind === 'failed') await record(world, failingPass)
      if (kind === 'absent') await record(world, { ...passOf([]), name: 'another' })
      if (kind !== 'found' && kind !== 'omitted') continue
      const omitted = { made_up: kind === 'omitted' ? 1 : 0 }
      await record(
        world,
        passOf(
          found.map((subject) => madeUp(subject)),
          { omitted },
        ),
      )
      for (const [subject, it] of model) {
        const isFound = found.includes(subject)
        if (isFound && !it.stands) it.count += 1
        it.stands = isFound || (it.stands && kind === 'omitted')
      }
    }
    const all = await breaksOf(operator)
    for (const [subject, { count, stands }] of model) {
      const [last, ...earlier] = all.filter((it: Json) => it.subject === subject)
      assert.is(count, last ? earlier.length + 1 : 0)
      if (!last) continue
      assert.is(last.state !== 'closed', stands)
      assert.ok(earlier.every(({ state }: Json) => state === 'closed'))
      // Each names the one before it.
      const chain = [last, ...earlier].map(({ earlier_id }: Json) => earlier_id)
      assert.equal(chain, [...earlier.map(({ id }: Json) => id), null])
    }
    // What stays is in the way of the next history's page.
    await record(world, passOf([]))
  })
  await fc.assert(property, { numRuns: 15 })
})

test('it is told again when it is another difference, not when both amounts have moved', async () => {
  const amounts = (expected: bigint, found: bigint) => ({ currency: 'USD', expected, found })
  const tell = (more: object) => record(world, passOf([madeUp('told', more)]))
  await tell(amounts(100n, 90n))
  await tell(amounts(300n, 290n))
  const { id, expected, found } = await find('told')
  assert.equal([expected, found], ['3.00', '2.90'])
  await tell(amounts(300n, 280n))
  await tell({ ...amounts(300n, 280n), ledgerIds: ['another'] })
  assert.equal(await eventsOf(operator, id), ['found', 'seen_differently', 'seen_differently'])
  const { events } = await must(operator.get(`/v1/breaks/${id}`), 200)
  assert.equal(events[1].details, {
    pass: 'made_up',
    kind: 'made_up',
    subject: 'told',
    currency: 'USD',
    expected: '3.00',
    found: '2.80',
    detail: 'It is.',
  })
})

test('what a pass was not given to look at has not gone', async () => {
  const run = (scope: string[], ...subjects: string[]) =>
    record(
      world,
      passOf(
        subjects.map((subject) => madeUp(subject)),
        { scope },
      ),
    )
  await run(['may', 'june'], 'of may')
  await run(['june'])
  assert.ok(await find('of may'))
  await run(['june', 'july', 'may'])
  assert.is(await find('of may'), undefined)
})

test('odd breaks are stored: twice the same, very long, or with characters that are no text', async () => {
  const long = 'long '.repeat(2_000)
  const run = await record(
    world,
    passOf([madeUp('twice'), madeUp('twice'), madeUp(long), madeUp('zero\0 and \ud800')]),
  )
  assert.is(run?.newCount, 3)
  const again = await record(
    world,
    passOf([madeUp('twice'), madeUp(long), madeUp('zero\0 and \ud800')]),
  )
  assert.equal([again?.newCount, again?.foundCount, again?.goneCount], [0, 3, 0])
})

test('thousands are stored, and gone, in one go', async () => {
  const many = Array.from({ length: 2_500 }, (_, index) => madeUp(`many ${index}`))
  assert.is((await record(world, passOf(many)))?.newCount, 2_500)
  assert.is((await record(world, passOf(many)))?.newCount, 0)
  assert.is((await record(world, passOf([])))?.goneCount, 2_500)
})

test('what cannot be stored whole is not stored at all', async () => {
  await record(world, passOf([madeUp('stays')]))
  const before = await newestRun(operator)
  const strange = madeUp('strange', { currency: 'NOTHING', found: 1n })
  const refused = await record(world, passOf([strange])).catch(String)
  assert.match(String(refused), /NOTHING/)
  assert.equal(await newestRun(operator), before)
  assert.is((await find('stays')).last_seen, before.id)
  assert.is(await find('strange'), undefined)
})

test.run()
