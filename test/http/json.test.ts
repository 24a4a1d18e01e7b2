import fc from 'fast-check'
import { parseJson, textOrNumber } from '../../server/http/json.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('exact JSON')

const read = (text: string) => textOrNumber.parse(parseJson(text))

test('a number keeps its text, whatever a JavaScript number would make of it', () => {
  for (const text of ['0', '-0', '115.60', '0.10', '1e3', '1E+3', '9007199254740993', '1e400']) {
    assert.is(read(text), text)
  }
  const number = fc
    .tuple(
      fc.constantFrom('', '-'),
      fc.bigInt({ min: 0n, max: 10n ** 40n }),
      fc.option(fc.stringMatching(/^[0-9]{1,30}$/), { nil: undefined }),
      fc.constantFrom('', 'e5', 'E-7', 'e+300'),
    )
    .map(([sign, whole, decimals, power]) => {
      const fraction = decimals === undefined ? '' : `.${decimals}`
      return `${sign}${whole}${fraction}${power}`
    })
  fc.assert(
    fc.property(number, (text) => {
      assert.is(read(text), text)
      assert.is(read(`"${text}"`), text)
    }),
  )
})

test('a safe integer in its plain form is a JavaScript number, deep inside too', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      assert.equal(parseJson(`{"a":[{"b":${value}}]}`), { a: [{ b: value }] })
    }),
  )
})

test('what has no numbers and only storable text is parsed as JSON.parse does', () => {
  const text = fc
    .jsonValue({ maxDepth: 4 })
    .map((value) => JSON.stringify(value))
    .filter((json) => !/\d|\\u/.test(json))
  fc.assert(fc.property(text, (json) => assert.equal(parseJson(json), JSON.parse(json))))
})

test('whether a text is looked at value by value makes no difference', () => {
  const text = fc.record({
    value: fc.jsonValue({ maxDepth: 4 }),
    gap: fc.constantFrom('', '\n\t '),
  })
  fc.assert(
    fc.property(text, ({ value, gap }) => {
      const json = JSON.stringify(value, null, gap)
      const lookedAt = parseJson(`{"value":${json},"number":1}`)
      assert.equal({ value: parseJson(json), number: 1 }, lookedAt)
    }),
  )
  for (const gap of ['', ' ', '\n\n']) {
    for (const number of ['0.10', '-0', '1e3']) {
      for (const json of [`[${gap}${number}]`, `["",${gap}${number}]`, `{"":${gap}${number}}`]) {
        assert.ok(JSON.stringify(parseJson(json)).includes(`{"source":"${number}"}`), json)
      }
    }
  }
})

test('refuses what is nested too deeply', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  parseJson(nested(32))
  for (const depth of [33, 1_000_000]) {
    assert.throws(
      () => parseJson(nested(depth)),
      (error: unknown) => error instanceof RangeError,
    )
  }
})

test('refuses text with NUL and with half a character, as a value and as a name', () => {
  for (const text of [
    '"\\u0000"',
    '{"\\u0000":1}',
    '"\\udc00"',
    '["a\\ud800b"]',
    '{"\\ud800":1}',
  ]) {
    assert.throws(() => parseJson(text), /not text/)
  }
  assert.is(parseJson('"\\ud83d\\ude00"'), '😀')
})

test('refuses values that are neither text nor a number', () => {
  for (const text of ['null', 'true', '[]', '{}', '[1]', '{"source":"5"}']) {
    assert.not.ok(textOrNumber.safeParse(parseJson(text)).success, text)
  }
})

test.run()
