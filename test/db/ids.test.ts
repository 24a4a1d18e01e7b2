import fc from 'fast-check'
import { mintId } from '../../db/ids.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('ids')

const millisecondsOf = (id: string) => Number.parseInt(id.replace('-', '').slice(0, 12), 16)

test('are UUIDs of version 7 that hold the time', () => {
  const now = Date.UTC(2100, 0, 1)
  const id = mintId(now)
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.is(millisecondsOf(id), now)
})

test('grow and are never the same, whatever the clock does', () => {
  const start = Date.UTC(2200, 0, 1)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 200 }), (steps) => {
      let now = start
      const ids = steps.map((step) => {
        now += step
        return mintId(now)
      })
      assert.equal(ids, [...new Set(ids)].sort())
    }),
  )
})

test('many in one millisecond borrow from the next', () => {
  const now = Date.UTC(2300, 0, 1)
  const ids = Array.from({ length: 20_000 }, () => mintId(now))
  assert.equal(ids, [...new Set(ids)].sort())
  assert.ok(millisecondsOf(ids.at(-1) ?? '') - now < 10)
})

test.run()
