import { TransferCode } from '../../accounting/chart.ts'
import type { ClearingEntry } from '../../server/reconciliation/clearing-entries.ts'
import { parseDay, type StatementLine } from '../../server/reconciliation/statement.ts'
import { addUp } from '../../server/reconciliation/statement-check.ts'
import { compareStatements } from '../../server/reconciliation/statement-comparison.ts'
import { readMapping } from '../../server/reconciliation/statement-csv.ts'
import { parseStatements } from '../../server/reconciliation/statement-file.ts'
import { readDocument } from '../lib/examples.ts'
import { toStatements } from '../lib/statement-histories.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('docs/bank-statements.md')
const document = await readDocument('docs/bank-statements.md')

/** The example in a block of this language. */
const block = (language: string): string =>
  new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'm').exec(document)?.[1] ?? ''

test('the examples of CSV and JSON lines are read, and say the same', () => {
  const mapping = readMapping(JSON.parse(block('json')), 'mapping')
  const csv = parseStatements({ name: 'csv', text: block('csv') }, { mapping })
  const jsonLines = parseStatements({ name: 'jsonl', text: block('jsonl') }, {})
  const [one, other] = [csv, jsonLines].map(([statement, ...others]) => {
    if (!statement || others.length > 0) throw new Error('it is one statement')
    assert.equal(addUp(statement, []), { kind: 'right' })
    return statement.lines.map(({ bankId, references, amountMinor, bookingDay }) => ({
      bankId,
      references,
      amountMinor,
      bookingDay,
    }))
  })
  assert.is(one?.length, 2)
  assert.equal(one, other)
})

const day = (ofNovember: number) => parseDay(`2026-11-${String(ofNovember).padStart(2, '0')}`)!

function line(amountMinor: bigint, reference: string, ofNovember: number): StatementLine {
  return {
    bankId: undefined,
    references: [reference],
    currency: 'EUR',
    amountMinor,
    bookingDay: day(ofNovember),
    valueDay: undefined,
    text: '',
    fileLine: 1,
  }
}

function entry(
  kind: keyof typeof TransferCode,
  amountMinor: bigint,
  references: readonly string[],
  ofNovember = 2,
): ClearingEntry {
  const at = day(ofNovember)
  const transferId = `${kind} ${amountMinor} ${references}`
  const when = { day: at, days: [at], at: new Date(0) }
  const code = TransferCode[kind]
  return { transferId, recordIds: [], code, currency: 'EUR', amountMinor, references, ...when }
}

/** How many lines each rule has matched, and the breaks. */
function compare(lines: StatementLine[], entries: ClearingEntry[], toleranceDays = 0) {
  const statements = toStatements(lines, 0n).map((statement) => ({
    ...statement,
    from: day(1),
    to: day(30),
  }))
  const { breaks, totals } = compareStatements(statements, entries, {
    windowDays: 3,
    toleranceDays,
  })
  const matched = Object.entries(totals[0]?.lines.matched ?? {})
  const used = matched.flatMap(([rule, { count }]) => (count > 0 ? [`${rule} ${count}`] : []))
  return [...used, ...breaks.map(({ kind }) => kind)]
}

test('the examples of the rules are matched as it says', () => {
  const deposit = entry('deposit', 10_000n, ['D-1'])
  const chargeback = entry('chargeback', -1_000n, ['R-7', 'D-1'], 9)
  const byReference = [line(10_000n, 'D-1', 2), line(-1_000n, 'D-1', 9)]
  assert.equal(compare(byReference, [deposit, chargeback]), ['reference 2'])

  const fee = entry('payment_system_fee', -150n, [])
  const price = line(-150n, 'price list', 3)
  assert.equal(compare([price], [fee]), ['amount_and_date 1', 'date_differs'])
  assert.equal(compare([price], [fee], 1), ['amount_and_date 1'])
  assert.equal(compare([{ ...price, bookingDay: day(6) }], [fee]), ['bank_only', 'ledger_only'])

  const named = [entry('deposit', 10_000n, ['D-2']), entry('deposit', 9_000n, ['D-9'])]
  assert.equal(compare([line(9_000n, 'D-2', 2)], named), ['amount_differs', 'ledger_only'])

  const net = [entry('deposit', 10_000n, ['D-3']), entry('payment_system_fee', -150n, ['D-3'])]
  assert.equal(compare([line(9_850n, 'D-3', 2)], net), ['sum 1'])
  const cards = [1_000n, 2_000n, 3_000n].map((minor) => entry('deposit', minor, [`C-${minor}`]))
  assert.equal(compare([line(6_000n, 'cards of 2 November', 2)], cards), ['sum 1'])
  // The only run of them that adds up; two would be one too many.
  assert.equal(compare([line(5_000n, 'cards', 2)], cards), ['sum 1', 'ledger_only'])
  const same = ['A', 'B', 'C'].map((reference) => entry('deposit', 1_000n, [reference]))
  assert.equal(compare([line(2_000n, 'cards', 2)], same), [
    'bank_only',
    ...same.map(() => 'ledger_only'),
  ])
})

test('what is near the end of a statement is undecided only when days are allowed', () => {
  const last = entry('deposit', 10_000n, ['D-1'], 30)
  const other = [line(1n, 'D-5', 15)]
  const entries = [last, entry('deposit', 1n, ['D-5'], 15)]
  assert.equal(compare(other, entries), ['reference 1', 'ledger_only'])
  assert.equal(compare(other, entries, 1), ['reference 1'])
})

test.run()
