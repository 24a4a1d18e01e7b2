import fc from 'fast-check'
import { computeFee, computeFeeRefund, type FeeRule } from '../../accounting/fees.ts'
import { amountMaxMinor } from '../../accounting/money.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('fees')

const rule = (changes: Partial<FeeRule> = {}): FeeRule => ({
  number: 1n,
  fixedMinor: 0n,
  basisPoints: 0,
  minMinor: null,
  maxMinor: null,
  bearer: 'sender',
  ...changes,
})

test('a fee is the fixed part and the basis points, rounded up, within its bounds', () => {
  const recipient = { bearer: 'recipient' } as const
  for (const [changes, amountMinor, feeMinor] of [
    [{}, 1_000n, 0n],
    [{ fixedMinor: 30n }, 1_000n, 30n],
    [{ basisPoints: 290 }, 10_000n, 290n],
    [{ basisPoints: 290, fixedMinor: 30n }, 10_000n, 320n],
    [{ basisPoints: 1 }, 1n, 1n],
    [{ basisPoints: 1 }, 10_000n, 1n],
    [{ basisPoints: 1 }, 10_001n, 2n],
    [{ basisPoints: 10_000 }, 77n, 77n],
    [{ basisPoints: 100, minMinor: 50n }, 100n, 50n],
    [{ basisPoints: 100, maxMinor: 50n }, 100_000n, 50n],
    [{ basisPoints: 100, maxMinor: 0n }, 100_000n, 0n],
    [{ minMinor: 5n }, 3n, 5n],
    [{ minMinor: 5n, ...recipient }, 3n, 3n],
    [{ fixedMinor: 30n, ...recipient }, 10n, 10n],
    [{ fixedMinor: amountMaxMinor, basisPoints: 10_000 }, amountMaxMinor, amountMaxMinor],
  ] as const) {
    assert.is(computeFee(rule(changes), amountMinor), feeMinor, `${Object.keys(changes)}`)
  }
})

const minor = fc.bigInt({ min: 0n, max: 10n ** 12n })
const bounds = fc.tuple(minor, minor).map(([a, b]) => (a < b ? [a, b] : [b, a]))
const rules = fc
  .record({
    fixedMinor: minor,
    basisPoints: fc.integer({ min: 0, max: 10_000 }),
    bounds: fc.option(bounds),
    bearer: fc.constantFrom('sender', 'recipient'),
  })
  .map(({ bounds: within, ...parts }) =>
    rule({ ...parts, minMinor: within?.[0] ?? null, maxMinor: within?.[1] ?? null }),
  )
const amounts = fc.bigInt({ min: 1n, max: amountMaxMinor })

test('a fee grows with the amount and stays within its bounds', () => {
  fc.assert(
    fc.property(rules, amounts, amounts, (some, a, b) => {
      const [less, more] = a < b ? [a, b] : [b, a]
      const feeMinor = computeFee(some, less)
      assert.ok(feeMinor >= 0n && feeMinor <= amountMaxMinor)
      assert.ok(feeMinor <= computeFee(some, more))
      if (some.bearer === 'recipient') assert.ok(feeMinor <= less)
      if (some.maxMinor !== null) assert.ok(feeMinor <= some.maxMinor)
      const isCut = some.bearer === 'recipient' && feeMinor === less
      if (some.minMinor !== null && !isCut) assert.ok(feeMinor >= some.minMinor)
    }),
  )
})

test('without bounds a fee is the least whole number that is not under the exact one', () => {
  fc.assert(
    fc.property(rules, fc.bigInt({ min: 1n, max: 10n ** 30n }), (some, amountMinor) => {
      const free = { ...some, minMinor: null, maxMinor: null, bearer: 'sender' } as const
      const exact = free.fixedMinor * 10_000n + amountMinor * BigInt(free.basisPoints)
      const above = computeFee(free, amountMinor) * 10_000n - exact
      assert.ok(above >= 0n && above < 10_000n)
    }),
  )
})

test('the parts of a fee that go back are never more than the fee, and all of it at once is', () => {
  const parts = fc.array(fc.bigInt({ min: 1n, max: 10n ** 9n }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(parts, minor, (each, feeMinor) => {
      const wholeMinor = each.reduce((sum, part) => sum + part, 0n)
      const back = (partMinor: bigint) => computeFeeRefund(feeMinor, { partMinor, wholeMinor })
      const sum = each.reduce((total, part) => total + back(part), 0n)
      assert.ok(sum <= feeMinor && sum > feeMinor - BigInt(each.length))
      assert.is(back(wholeMinor), feeMinor)
    }),
  )
})

test.run()
