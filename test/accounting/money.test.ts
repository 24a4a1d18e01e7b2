import fc from 'fast-check'
import { assetOf } from '../../accounting/chart.ts'
import { iso4217 } from '../../accounting/iso-4217.ts'
import { amountMaxMinor, formatAmount, parseAmount } from '../../accounting/money.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('money')

const usd = assetOf('USD')
const jpy = assetOf('JPY')
const kwd = assetOf('KWD')

test('reads plain decimal text into minor units', () => {
  for (const [text, asset, minor] of [
    ['115.60', usd, 11_560n],
    ['115.6', usd, 11_560n],
    ['7', usd, 700n],
    ['007', usd, 700n],
    ['0.01', usd, 1n],
    ['1', jpy, 1n],
    ['0.001', kwd, 1n],
    ['90071992547409.93', usd, 9_007_199_254_740_993n],
  ] as const) {
    assert.is(parseAmount(text, asset), minor, text)
  }
})

test('names the fault of a text that is no amount', () => {
  for (const [text, asset, fault] of [
    ['', usd, 'amount_malformed'],
    [' 1', usd, 'amount_malformed'],
    ['1,5', usd, 'amount_malformed'],
    ['1e3', usd, 'amount_malformed'],
    ['NaN', usd, 'amount_malformed'],
    ['Infinity', usd, 'amount_malformed'],
    ['+1', usd, 'amount_malformed'],
    ['1.', usd, 'amount_malformed'],
    ['.5', usd, 'amount_malformed'],
    ['0x10', usd, 'amount_malformed'],
    ['1_000', usd, 'amount_malformed'],
    ['١', usd, 'amount_malformed'],
    ['1\n', usd, 'amount_malformed'],
    ['1'.repeat(65), usd, 'amount_malformed'],
    ['0', usd, 'amount_not_positive'],
    ['0.00', usd, 'amount_not_positive'],
    ['-1', usd, 'amount_not_positive'],
    ['1.001', usd, 'amount_too_precise'],
    ['1.000', usd, 'amount_too_precise'],
    ['1.0', jpy, 'amount_too_precise'],
    [String(2n ** 127n), usd, 'amount_too_large'],
    [String(2n ** 127n + 1n), jpy, 'amount_too_large'],
  ] as const) {
    assert.is(parseAmount(text, asset), fault, JSON.stringify(text))
  }
  assert.is(parseAmount(String(2n ** 127n), jpy), amountMaxMinor)
})

test('writes what it reads: every amount of every currency survives the way there and back', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...iso4217).map(([currency]) => assetOf(currency)),
      fc.bigInt({ min: 1n, max: amountMaxMinor }),
      (asset, minor) => parseAmount(formatAmount(minor, asset), asset) === minor,
    ),
  )
  assert.is(formatAmount(0n, usd), '0.00')
  assert.is(formatAmount(-5n, usd), '-0.05')
  assert.is(formatAmount(5n, jpy), '5')
})

test('any text is either an amount or has a named fault', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const read = parseAmount(text, usd)
      if (typeof read === 'bigint') assert.match(text, /^\d+(\.\d{1,2})?$/)
      else assert.match(read, /^amount_/)
    }),
  )
})

test.run()
