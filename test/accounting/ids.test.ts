import fc from 'fast-check'
import { clearingAccount } from '../../accounting/accounts.ts'
import { assetOf } from '../../accounting/chart.ts'
import {
  computeUuid,
  hashInput,
  isUuid,
  placeId,
  toLedgerId,
  toUuid,
} from '../../accounting/ids.ts'
import { mintId } from '../../db/ids.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('ids')

const parts = fc.array(fc.string({ maxLength: 8 }), { maxLength: 4 })

test('computed ids are version 8, minted ones version 7, and never taken for each other', () => {
  fc.assert(
    fc.property(fc.string(), parts, (name, values) => {
      const id = computeUuid(name, ...values)
      assert.ok(isUuid(id, 8))
      assert.not.ok(isUuid(id, 7))
      assert.is(toUuid(toLedgerId(id)), id)
    }),
  )
  assert.ok(isUuid(mintId(), 7))
  assert.not.ok(isUuid(mintId().toUpperCase(), 7))
  assert.not.ok(isUuid(`${mintId()}\n`, 7))
})

test('different parts give different ids, however they are cut', () => {
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const same = a.length === b.length && a.every((value, index) => value === b[index])
      assert.is(computeUuid('x', ...a) === computeUuid('x', ...b), same)
    }),
  )
})

test('each place of something has an id of its own, in their order', () => {
  const place = fc.nat({ max: 0xffff_ffff })
  fc.assert(
    fc.property(parts, place, place, (values, a, b) => {
      const id = computeUuid('batch', ...values)
      assert.ok(isUuid(placeId(id, a), 8))
      const [first, second] = [toLedgerId(placeId(id, a)), toLedgerId(placeId(id, b))]
      assert.is(first - second, BigInt(a) - BigInt(b))
    }),
  )
})

test('the hash of an input is 32 bits, never 0, and tells null from its name', () => {
  fc.assert(
    fc.property(parts, (values) => {
      const hash = hashInput(...values)
      assert.ok(Number.isInteger(hash) && hash > 0 && hash <= 0xffff_ffff)
    }),
  )
  assert.is.not(hashInput(null), hashInput('null'))
})

test('a system account has the same id on every start', () => {
  assert.is(clearingAccount(1, assetOf('USD')).id, computeUuid('account', 840, 10, 1))
  assert.is(clearingAccount(1, assetOf('USD')).id, '8d6fbea2-357f-85ce-89af-91657bf3ed4c')
})

test.run()
