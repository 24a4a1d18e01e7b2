import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLedgerTime } from '../../accounting/clock.ts'
import {
  type Day,
  parseDay,
  type Statement,
  StatementError,
  type StatementLine,
  showDay,
} from '../../server/reconciliation/statement.ts'
import { sumOf } from '../../server/reconciliation/statement-check.ts'
import type { StatementSource } from '../../server/reconciliation/statement-file.ts'
import { reconcileStatements, statementPass } from '../../server/reconciliation/statement-pass.ts'
import { Refusal } from '../../server/refusals.ts'
import { inEachFormat, toCamt, toJsonLines } from '../lib/bank-statements.ts'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json } from '../lib/http.ts'
import { addPaymentSystem, fund, openWallet, unique } from '../lib/money.ts'
import { breaksOf, record } from '../lib/recorded.ts'
import { assert, suite } from '../lib/suite.ts'
import { adjust } from '../lib/treasury.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('bank statement against clearing')

let world: World
let folder: string
let bank: Client
let bankName: string
/** What the bank tells of the dollars and the yen, written down by hand. */
let dollars: Statement
let yen: Statement

const dayOf = (time: string): Day => parseDay(time.slice(0, 10))!
const places = { USD: 2, JPY: 0 }

/** A line of the bank: it books on the day on which Kassa has it. */
function line(reference: string, amount: string, time: string, currency: 'USD' | 'JPY' = 'USD') {
  const amountMinor = BigInt(amount.replace('.', ''))
  assert.is((amount.split('.')[1] ?? '').length, places[currency])
  return {
    bankId: undefined,
    references: [reference],
    currency,
    amountMinor,
    bookingDay: dayOf(time),
    valueDay: undefined,
    text: `about ${reference}`,
    fileLine: 0,
  } satisfies StatementLine
}

function toStatement(lines: readonly StatementLine[], days: { from: Day; to: Day }): Statement {
  const [first] = lines
  if (!first) throw new Error('a statement of no line')
  const openingMinor = 100_000n
  return {
    id: unique('statement'),
    account: 'of the house',
    currency: first.currency,
    ...days,
    openingMinor,
    closingMinor: openingMinor + sumOf(lines),
    lines,
    skippedCount: 0,
    fileName: '',
    fileLine: 0,
  }
}

async function withdraw(person: Client, walletId: string, amount: string): Promise<Json> {
  const { id } = (await must(bank.get('/v1/session'), 200)).user
  const order = { wallet_id: walletId, amount, payment_system: id, destination: 'an account' }
  const withdrawal = await must(person.post('/v1/withdrawals', order), 201)
  await must(bank.send('POST', `/v1/withdrawals/${withdrawal.id}/take`), 200)
  return withdrawal
}

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa-statements-'))
  world = await createWorld({ env: { FOUR_EYES: 'off' } })
  bank = await world.paymentSystem()
  const operator = await world.operator()
  const ada = await world.signUp()
  bankName = (await must(operator.get('/v1/payment-systems'), 200)).data[0].name

  const deposit = (amount: string) => fund(bank, ada.walletId, amount)
  const [first, second] = [await deposit('100.00'), await deposit('60.00')]
  const earlier = new Date(Date.now() - 2 * 86_400_000).toISOString()
  const old = { wallet_id: ada.walletId, amount: '7.00', currency: 'USD', occurred_at: earlier }
  await must(bank.post('/v1/deposits', { ...old, reference: 'told late' }), 201)
  const nobody = '01900000-0000-7000-8000-000000000000'
  const lost = { wallet_id: nobody, currency: 'USD', on_unmatched: 'suspense' }
  const suspended = async (amount: string) =>
    must(bank.post('/v1/deposits', { ...lost, amount, reference: unique('lost') }), 201)
  const [returned, reversed, kept] = [
    await suspended('25.00'),
    await suspended('26.00'),
    await suspended('27.00'),
  ]
  const back = await must(
    operator.post(`/v1/suspense/${returned.id}/return`, { reason: 'test' }),
    200,
  )
  const take = (id: string, reference: string, amount?: string) =>
    must(
      bank.post(`/v1/deposits/${id}/reversals`, {
        reference,
        reason: 'stolen',
        ...(amount === undefined ? {} : { amount }),
      }),
      201,
    )
  const out = await take(reversed.id, 'reversal of what was lost')
  const chargeback = await take(second.id, 'charge-back', '10.00')
  const confirmed = await withdraw(ada.client, ada.walletId, '30.00')
  const paid = await must(
    bank.post(`/v1/withdrawals/${confirmed.id}/confirm`, { reference: 'paid 1' }),
    200,
  )
  const failed = await withdraw(ada.client, ada.walletId, '31.00')
  await must(bank.post(`/v1/withdrawals/${failed.id}/fail`, { reason: 'no such account' }), 200)
  await withdraw(ada.client, ada.walletId, '32.00')
  const own = async (kind: string, amount: string, reference?: string): Promise<Json> =>
    must(adjust(operator, { kind, amount, payment_system: bankName, reference }), 201)
  const settled = await own('settlement', '40.00', 'to our bank')
  const charged = await own('payment_system_fee', '1.50')
  const interest = await own('payment_system_income', '0.75')
  const prefunded = await own('prefunding', '5.00', 'from our bank')
  const { id: yenWallet } = await openWallet(ada.client, 'JPY')
  const inYen = await fund(bank, yenWallet, '5000', 'JPY')

  const lines = [
    line(first.reference, '100.00', first.created_at),
    line(second.reference, '60.00', second.created_at),
    line('told late', '7.00', earlier),
    line(returned.reference, '25.00', returned.created_at),
    line(reversed.reference, '26.00', reversed.created_at),
    line(kept.reference, '27.00', kept.created_at),
    line(returned.reference, '-25.00', back.changed_at),
    line('reversal of what was lost', '-26.00', out.created_at),
    line('charge-back', '-10.00', chargeback.created_at),
    line('paid 1', '-30.00', paid.changed_at),
    line('to our bank', '-40.00', settled.created_at),
    // The bank has words of its own for its price.
    line('price list 2', '-1.50', charged.created_at),
    line('interest of the quarter', '0.75', interest.created_at),
    line('from our bank', '5.00', prefunded.created_at),
  ]
  const days = { from: dayOf(earlier), to: dayOf(inYen.created_at) }
  dollars = toStatement(lines, days)
  yen = toStatement([line(inYen.reference, '5000', inYen.created_at, 'JPY')], days)
})

test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
  await rm(folder, { recursive: true })
})

/** Compares a file with this text. */
async function reconcile(text: string, source: Omit<StatementSource, 'path'>) {
  const path = join(folder, unique('statement'))
  await writeFile(path, text)
  const asOf = await readLedgerTime(world.deps.ledger)
  const sources = [{ path, ...source }]
  return reconcileStatements(world.deps, { sources, paymentSystem: bankName, asOf })
}

const tell = ({ breaks }: Awaited<ReturnType<typeof reconcile>>) =>
  breaks.map(({ kind, expected, found, currency }) => [kind, expected, found, currency])

test('what happened is on the statement, in each format, and nothing else', async () => {
  for (const [name, { text, ...source }] of inEachFormat(dollars)) {
    const result = await reconcile(text, source)
    assert.equal(result.breaks, [], name)
    const [usd, ...others] = result.totals.filter(({ lines }) => lines.count > 0)
    assert.is(others.length, 0)
    const none = { count: 0, sumMinor: 0n }
    assert.equal(
      usd,
      {
        currency: 'USD',
        statements: { count: 1, unproven: 0 },
        lines: {
          count: 14,
          sumMinor: 11_825n,
          matched: {
            reference: { count: 12, sumMinor: 11_900n },
            amount_and_date: { count: 2, sumMinor: -75n },
            sum: none,
          },
          differing: none,
          bankOnly: none,
          repeated: none,
          skipped: 0,
        },
        entries: {
          count: 14,
          sumMinor: 11_825n,
          matched: { count: 14, sumMinor: 11_825n },
          differing: none,
          ledgerOnly: none,
          undecided: none,
        },
      },
      name,
    )
    const end = { currency: 'USD', bankMinor: 111_825n, ledgerMinor: 11_825n }
    assert.equal(result.balances, [end], name)
  }
})

test('the balances of the bank and of the ledger are those of the last day', async () => {
  const balancesOf = async (...statements: Statement[]) =>
    (await reconcile(toJsonLines(statements), {})).balances
  const yesterday = { ...dollars, lines: [], to: dollars.to - 1, from: dollars.to - 1 }
  const other = { ...yesterday, account: 'another', closingMinor: 1n }
  assert.equal(await balancesOf({ ...yesterday, closingMinor: 7n }, other, yen), [
    { currency: 'USD', bankMinor: 8n, ledgerMinor: 0n },
    { currency: 'JPY', bankMinor: 105_000n, ledgerMinor: 5_000n },
  ])
  // Not of the same day, or not told.
  assert.equal(await balancesOf(dollars, other), [])
  assert.equal(await balancesOf({ ...dollars, closingMinor: undefined }), [])
})

test('a file can have statements of several accounts', async () => {
  for (const version of ['02', '08'] as const) {
    const { breaks, totals } = await reconcile(toCamt([dollars, yen], version), {})
    assert.equal(breaks, [])
    assert.equal(
      totals.map(({ currency, lines }) => [currency, lines.sumMinor]),
      [
        ['JPY', 5000n],
        ['USD', 11_825n],
      ],
    )
  }
  const twice = await reconcile(toJsonLines([yen, dollars, yen]), {})
  assert.equal(tell(twice), [['statement_overlap', undefined, undefined, 'JPY']])
  // What the bank has lost between two statements is in no line, nor in the ledger.
  const before = {
    from: dollars.from - 40,
    to: dollars.from - 20,
    lines: [],
    openingMinor: 130_000n,
  }
  const earlier = { ...dollars, ...before, id: 'earlier', closingMinor: 130_000n }
  const lost = await reconcile(toJsonLines([earlier, dollars]), {})
  assert.equal(tell(lost), [['statement_gap', 130_000n, 100_000n, 'USD']])
})

test('each thing that is wrong is named, in each format, with what the ledger has', async () => {
  const [first, second] = dollars.lines
  if (!first || !second) throw new Error('there are lines')
  const others = dollars.lines.slice(1)
  const closing = (lines: readonly StatementLine[]) => ({
    ...dollars,
    lines,
    closingMinor: dollars.openingMinor! + sumOf(lines),
  })
  const cases: [Statement, unknown[]][] = [
    [
      { ...dollars, lines: [first, ...dollars.lines] },
      ['duplicate_line', undefined, 10_000n, 'USD'],
    ],
    [
      closing([{ ...first, bookingDay: first.bookingDay - 1 }, ...others]),
      ['date_differs', 10_000n, 10_000n, 'USD'],
    ],
    [
      closing([{ ...first, amountMinor: 9_999n }, ...others]),
      ['amount_differs', 10_000n, 9_999n, 'USD'],
    ],
    [
      { ...dollars, lines: [{ ...first, currency: 'EUR' }, ...others] },
      ['wrong_currency', 10_000n, undefined, 'USD'],
    ],
    [closing(others), ['ledger_only', 10_000n, undefined, 'USD']],
    [
      closing([...dollars.lines, { ...first, references: ['of nobody'], amountMinor: 9_998n }]),
      ['bank_only', undefined, 9_998n, 'USD'],
    ],
    [
      { ...dollars, closingMinor: dollars.closingMinor! + 1n },
      ['statement_does_not_add_up', 111_825n, 111_826n, 'USD'],
    ],
  ]
  const depositId = await findDepositId(first.references[0]!)
  for (const [statement, expected] of cases) {
    for (const [name, { text, ...source }] of inEachFormat(statement)) {
      const result = await reconcile(text, source)
      assert.equal(tell(result), [expected], `${name}: ${expected[0]}`)
      const [found] = result.breaks
      if (!found) throw new Error('there is one')
      // What concerns the ledger tells what of it.
      const isLedgers = found.expected !== undefined && !found.kind.startsWith('statement_')
      assert.equal(found.recordIds, isLedgers ? [`deposits:${depositId}`] : [], name)
      assert.is(found.ledgerIds.length, isLedgers ? 1 : 0)
      const isBanks = found.kind !== 'ledger_only' && !found.kind.startsWith('statement_')
      assert.is(found.statementLines.length, isBanks ? 1 : 0)
      assert.ok(found.detail.length > 0 && found.since instanceof Date)
    }
  }
})

async function findDepositId(reference: string): Promise<string> {
  const { data } = await must(bank.get('/v1/deposits?currency=USD&limit=50'), 200)
  return data.find((it: Json) => it.reference === reference).id
}

test('another payment system has nothing of it, and what cannot be compared is told', async () => {
  const other = await addPaymentSystem(world)
  const { id: otherId } = (await must(other.get('/v1/session'), 200)).user
  const asOf = await readLedgerTime(world.deps.ledger)
  const ask = async (input: object) => {
    const path = join(folder, 'asked')
    await writeFile(path, toJsonLines([yen]))
    return reconcileStatements(world.deps, {
      sources: [{ path }],
      paymentSystem: bankName,
      asOf,
      ...input,
    }).then(
      (answer) => answer.breaks.map(({ kind }) => kind),
      (error: unknown) => error,
    )
  }
  assert.equal(await ask({}), [])
  assert.equal(await ask({ paymentSystem: otherId }), ['bank_only'])
  // Before anything had happened.
  assert.equal(await ask({ asOf: 1n }), ['bank_only'])
  const missing = await ask({ paymentSystem: 'nobody' })
  assert.ok(missing instanceof Refusal && missing.code === 'payment_system_not_found')
  assert.ok((await ask({ timeZone: 'Atlantis' })) instanceof RangeError)
  assert.ok((await ask({ windowDays: 1.5 })) instanceof RangeError)
  assert.ok((await ask({ sources: [] })) instanceof RangeError)
  assert.ok((await ask({ sources: [{ path: folder }] })) instanceof StatementError)
  assert.ok((await ask({ sources: [{ path: join(folder, 'none') }] })) instanceof StatementError)
})

test('what is dated by another calendar is a day apart', async () => {
  const { lines, from, to } = yen
  const [only] = lines
  if (!only) throw new Error('there is one')
  const moved = { ...yen, from: from - 1, lines: [{ ...only, bookingDay: to - 1 }] }
  const path = join(folder, 'yesterday')
  await writeFile(path, toJsonLines([moved]))
  const asOf = await readLedgerTime(world.deps.ledger)
  const input = { sources: [{ path }], paymentSystem: bankName, asOf }
  const strict = await reconcileStatements(world.deps, input)
  assert.equal(
    strict.breaks.map(({ kind, detail }) => [kind, detail.includes(showDay(to))]),
    [['date_differs', true]],
  )
  const lenient = await reconcileStatements(world.deps, { ...input, toleranceDays: 1 })
  assert.equal(lenient.breaks, [])
})

test('a stored break goes away by the same statement only, put in order', async () => {
  const operator = await world.operator()
  const extra = {
    ...line('nobody knows', '7.00', new Date().toISOString()),
    bookingDay: dollars.to,
  }
  const odd = {
    ...dollars,
    closingMinor: dollars.closingMinor! + 700n,
    lines: [...dollars.lines, extra],
  }
  async function store(...statements: Statement[]) {
    const path = join(folder, unique('stored'))
    await writeFile(path, toJsonLines(statements))
    return record(world, statementPass({ sources: [{ path }], paymentSystem: bankName }))
  }
  assert.equal((await store(odd))?.newCount, 1)
  const [found] = await breaksOf(operator, '&pass=statement&kind=bank_only')
  assert.equal([found.state, found.found], ['open', '7.00'])
  assert.equal((await store(yen))?.goneCount, 0)
  assert.equal((await store(dollars, yen))?.goneCount, 1)
})

test.run()
