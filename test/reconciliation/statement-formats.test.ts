import fc from 'fast-check'
import {
  type Statement,
  StatementError,
  type StatementLine,
  toReferences,
  toText,
} from '../../server/reconciliation/statement.ts'
import { parseStatements } from '../../server/reconciliation/statement-file.ts'
import { inEachFormat } from '../lib/bank-statements.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('formats of bank statements')

const currency = fc.constantFrom('USD', 'JPY', 'KWD')
const day = fc.integer({ min: 0, max: 40_000 })
const amount = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n })
/** What formats can carry: no control characters, and no blanks around. */
const text = fc
  .string({ unit: fc.constantFrom(...'abzAZ09 &<>";,\'/ä€😀%'), maxLength: 12 })
  .map((it) => it.trim())

const line: fc.Arbitrary<StatementLine> = fc
  .record({ bankId: text, reference: text, currency, amount, day, valueDay: fc.option(day), text })
  .filter(({ amount }) => amount !== 0n)
  .map(({ bankId, reference, amount, day, valueDay, text, ...rest }) => ({
    ...rest,
    bankId: bankId || undefined,
    references: toReferences([reference]),
    amountMinor: amount,
    bookingDay: day,
    valueDay: valueDay ?? undefined,
    text: toText(text),
    fileLine: 0,
  }))

const statement: fc.Arbitrary<Statement> = fc
  .record({
    id: text.map((it) => `s${it}`),
    account: text.map((it) => `a${it}`),
    currency,
    days: fc.tuple(day, day),
    openingMinor: fc.option(amount, { nil: undefined }),
    closingMinor: fc.option(amount, { nil: undefined }),
    lines: fc.array(line, { maxLength: 8 }),
  })
  .map(({ days, ...rest }) => ({
    ...rest,
    from: Math.min(...days),
    to: Math.max(...days),
    skippedCount: 0,
    fileName: 'statement',
    fileLine: 0,
  }))

const read = ([name, source]: ReturnType<typeof inEachFormat>[number], text: string) =>
  parseStatements({ name, text }, source)

test('each format gives back what was written into it, to the last digit', () => {
  fc.assert(
    fc.property(statement, (written) => {
      for (const format of inEachFormat(written)) {
        const [name, { text }] = format
        const [found, ...others] = read(format, text)
        if (!found) throw new Error(`${name}: no statement`)
        assert.is(others.length, 0, name)
        const { fileName, ...rest } = found
        assert.is(fileName, name)
        // CSV has no id of the statement.
        const id = name === 'CSV' ? written.id : found.id
        const lines = found.lines.map((it) => ({ ...it, fileLine: 0 }))
        assert.equal({ ...rest, id, lines, fileLine: 0, fileName: 'statement' }, written, name)
      }
    }),
    { numRuns: 200 },
  )
})

test('whatever a file has become, it is read or its problem is named', () => {
  const damage = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(30),
    put: fc.oneof(
      fc.string({
        unit: fc.constantFrom(...'<>&;"\'\n\r,{}[]/!-:0123456789.eE+\0é'),
        maxLength: 6,
      }),
      fc.constantFrom(
        '<!DOCTYPE a [<!ENTITY b "c">]>',
        '&b;',
        '&#0;',
        '&#xD800;',
        '&#1114112;',
        '<![CDATA[',
        '<__proto__>',
        '<constructor/>',
        '__proto__',
        '{"__proto__":1}',
        'null',
        '-',
        '9'.repeat(70),
        '\ufeff',
      ),
    ),
  })
  let refused = 0
  let count = 0
  fc.assert(
    fc.property(statement, fc.array(damage, { minLength: 1, maxLength: 4 }), (written, damages) => {
      for (const format of inEachFormat(written)) {
        let { text }: { text: string } = format[1]
        for (const { at, length, put } of damages) {
          const start = Math.floor(at * text.length)
          text = text.slice(0, start) + put + text.slice(start + length)
        }
        count += 1
        try {
          read(format, text)
        } catch (error) {
          if (!(error instanceof StatementError)) throw error
          assert.ok(error.message.startsWith(`${format[0]}:`), error.message)
          refused += 1
        }
      }
    }),
    { numRuns: 400 },
  )
  // How many damaged files can still be read is chance, so nothing is said about it.
  assert.ok(refused > count / 4, `${refused} of ${count} were refused`)
})

test.run()
