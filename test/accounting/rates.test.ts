import fc from 'fast-check'
import type { Asset } from '../../accounting/chart.ts'
import {
  canonicalRate,
  isFarFromLast,
  priceExchange,
  type RateTerms,
  showRatio,
} from '../../accounting/rates.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('exchange rates')

test('a rate is a plain positive decimal with up to 18 digits on each side', () => {
  const most = '9'.repeat(18)
  const texts: [string, string | undefined][] = [
    ['1.0843', '1.0843'],
    ['001.50', '1.5'],
    ['1', '1'],
    [`${most}.${most}`, `${most}.${most}`],
    [`0.${'0'.repeat(17)}1`, `0.${'0'.repeat(17)}1`],
    [`0.${'0'.repeat(18)}1`, undefined],
    [`1${most}`, undefined],
    ['0', undefined],
    ['0.000', undefined],
    ['-1', undefined],
    ['-0', undefined],
    ['1e3', undefined],
    ['NaN', undefined],
    ['', undefined],
    ['1,5', undefined],
  ]
  for (const [text, rate] of texts) assert.is(canonicalRate(text), rate, text)
})

test('ratios are shown with twelve digits, rounded down', () => {
  const shown: [bigint, bigint, string][] = [
    [1n, 3n, '0.333333333333'],
    [2n, 3n, '0.666666666666'],
    [1n, 300n, '0.00333333333333'],
    [1n, 100n, '0.01'],
    [99_999n, 100_000n, '0.99999'],
    [10_843n, 10_000n, '1.0843'],
    [123_456_789_012_345n, 1n, '123456789012345'],
    [1_234_567_890_129n, 10n, '123456789012'],
    [1n, 1n, '1'],
    [100n, 1n, '100'],
  ]
  for (const [numerator, denominator, text] of shown) {
    assert.is(showRatio({ numerator, denominator }), text)
  }
})

test('what is far from the last rate is so in both directions', () => {
  const last = { base: 'EUR', mid: '1.10' }
  const cases: [base: string, mid: string, isFar: boolean][] = [
    ['EUR', '1.21', false],
    ['EUR', '1.2100000001', true],
    ['EUR', '0.99', false],
    ['EUR', '0.9899999999', true],
    ['USD', '0.9', false],
    ['USD', '1', false],
    ['USD', '1.1', true],
    ['USD', '110', true],
  ]
  for (const [base, mid, isFar] of cases) {
    assert.is(isFarFromLast(last, { base, mid }, 10), isFar, `${base} ${mid}`)
  }
})

const dollar = { currency: 'USD', ledger: 840, scale: 2 }
const yen = { currency: 'JPY', ledger: 392, scale: 0 }
const dinar = { currency: 'KWD', ledger: 414, scale: 3 }
const coin = { currency: 'COIN', ledger: 1_000_000, scale: 6 }

test('the amounts of some exchanges', () => {
  const rate: RateTerms = { base: 'USD', mid: '150.25', spreadBasisPoints: 50 }
  const priced = (from: Asset, to: Asset, side: 'sell' | 'buy', amountMinor: bigint) =>
    priceExchange(rate, { from, to, side, amountMinor })
  // 100.00 USD are 15025 JPY, less half a percent 14949.875.
  assert.equal(priced(dollar, yen, 'sell', 100_00n), {
    fromMinor: 100_00n,
    toMinor: 14_949n,
    spreadMinor: 76n,
  })
  // For 14950 JPY it takes 100.000836... USD, which are worth 15026.5 JPY.
  assert.equal(priced(dollar, yen, 'buy', 14_950n), {
    fromMinor: 100_01n,
    toMinor: 14_950n,
    spreadMinor: 76n,
  })
  assert.equal(priced(yen, dollar, 'sell', 15_025n), {
    fromMinor: 15_025n,
    toMinor: 99_50n,
    spreadMinor: 50n,
  })
  assert.is(priced(yen, dollar, 'sell', 1n), 'amount_too_small')
  assert.is(priced(dollar, yen, 'sell', 2n ** 127n), 'amount_too_large')
  assert.is(priced(yen, dollar, 'buy', 2n ** 127n), 'amount_too_large')
})

const assets = [dollar, yen, dinar, coin]
const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{0,${max}}$`))
const mids = fc
  .tuple(digits(18), digits(18))
  .map(([whole, fraction]) => canonicalRate(`${whole || '0'}${fraction && `.${fraction}`}`))
  .filter((mid) => mid !== undefined)
const pairs = fc
  .tuple(fc.constantFrom(...assets), fc.constantFrom(...assets))
  .filter(([from, to]) => from !== to)

/** An exchange in either direction of a rate. */
const orders = fc.record({
  pair: pairs,
  isInverse: fc.boolean(),
  mid: mids,
  spreadBasisPoints: fc.integer({ min: 0, max: 5_000 }),
  side: fc.constantFrom('sell' as const, 'buy' as const),
  amountMinor: fc.oneof(fc.bigInt(1n, 10_000n), fc.bigInt(1n, 2n ** 127n)),
})

test('no rounding is in favour of the customer, and the house never pays for the spread', () => {
  let priced = 0
  fc.assert(
    fc.property(orders, ({ pair: [from, to], isInverse, mid, spreadBasisPoints, ...order }) => {
      const base = (isInverse ? to : from).currency
      const amounts = priceExchange({ base, mid, spreadBasisPoints }, { from, to, ...order })
      if (typeof amounts === 'string') return
      priced += 1
      const { fromMinor, toMinor, spreadMinor } = amounts
      assert.is(order.side === 'sell' ? fromMinor : toMinor, order.amountMinor)
      assert.ok(fromMinor > 0n && toMinor > 0n && spreadMinor >= 0n)
      // mid as a fraction of integers, written here once more and in another way.
      const [whole = '', fraction = ''] = mid.split('.')
      const [m, one] = [BigInt(whole + fraction), 10n ** BigInt(fraction.length)]
      const [n, d] = isInverse ? [one, m] : [m, one]
      const unitsFrom = 10n ** BigInt(from.scale)
      const unitsTo = 10n ** BigInt(to.scale)
      const part = 10_000n - BigInt(spreadBasisPoints)
      // to / from <= mid * (1 - spread), in major units.
      const got = toMinor * unitsFrom * d * 10_000n
      const fair = fromMinor * unitsTo * n * part
      assert.ok(got <= fair, 'better than the rate')
      // Rounded by less than a minor unit of what is not named.
      if (order.side === 'sell') assert.ok(fair - got < unitsFrom * d * 10_000n)
      else assert.ok(fair - got < unitsTo * n * part)
      // All that leaves the liquidity is worth no more than what comes in.
      const out = (toMinor + spreadMinor) * unitsFrom * d
      assert.ok(out <= fromMinor * unitsTo * n)
    }),
    { numRuns: 3_000 },
  )
  assert.ok(priced > 500, `${priced} were priced`)
})

test('nobody gains by going there and back', () => {
  let tried = 0
  fc.assert(
    fc.property(orders, ({ pair: [from, to], isInverse, mid, spreadBasisPoints, ...order }) => {
      const base = (isInverse ? to : from).currency
      const terms = { base, mid, spreadBasisPoints }
      const there = priceExchange(terms, { from, to, ...order })
      if (typeof there === 'string') return
      for (const side of ['sell', 'buy'] as const) {
        const amountMinor = side === 'sell' ? there.toMinor : there.fromMinor
        const back = priceExchange(terms, { from: to, to: from, side, amountMinor })
        if (typeof back === 'string') continue
        tried += 1
        if (side === 'sell') assert.ok(back.toMinor <= there.fromMinor)
        else assert.ok(back.fromMinor >= there.toMinor)
      }
    }),
    { numRuns: 3_000 },
  )
  assert.ok(tried > 500, `${tried} were tried`)
})

test.run()
