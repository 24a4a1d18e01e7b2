/** Statements over HTTP of wallets in which anything has happened, in every format, wherever time is cut. */
import fc from 'fast-check'
import { request } from 'undici'
import { type StatementFormatName, statementFormatNames } from '../../server/statements/formats.ts'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json, Reply } from '../lib/http.ts'
import { fund, pay, unique } from '../lib/money.ts'
import { cents } from '../lib/statement-world.ts'
import { checksumOf, type ReadStatement, statementReaders } from '../lib/statements.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('statements of random histories')

let world: World
let bank: Client
let bankId: string
let ben: Person

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
  bankId = (await must(bank.get('/v1/session'), 200)).user.id
  ben = await world.signUp()
  await fund(bank, ben.walletId, '100000.00')
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const kinds = ['deposit', 'pay', 'receive', 'refund', 'hold', 'capture', 'void'] as const
const step = fc.record({
  kind: fc.constantFrom(...kinds, 'withdraw', 'confirm', 'fail'),
  minor: fc.integer({ min: 1, max: 3_000 }),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Somebody with a wallet, what was done with it, and what that has to have changed. */
interface Life {
  ada: Person
  holds: string[]
  withdrawals: { id: string; minor: number }[]
  paid: string[]
  /** Minor units, in their order. */
  changes: bigint[]
}

const show = (minor: number) => (minor / 100).toFixed(2)

/** Does one thing; what is refused changes nothing. */
async function live(life: Life, { kind, minor }: Step): Promise<void> {
  const { ada, holds, withdrawals, paid, changes } = life
  const amount = show(minor)
  const post = (client: Client, path: string, json: Json = {}): Promise<Reply> =>
    client.post(`/v1/${path}`, json)
  const booked = ({ status }: Reply, change: number): boolean => {
    assert.ok(status < 300 || status === 422 || status === 409, `${kind}: ${status}`)
    if (status < 300) changes.push(BigInt(change))
    return status < 300
  }
  switch (kind) {
    case 'deposit':
      await fund(bank, ada.walletId, amount)
      changes.push(BigInt(minor))
      return
    case 'receive':
      booked(await pay(ben.client, { to_wallet_id: ada.walletId, amount }), minor)
      return
    case 'pay': {
      const reply = await pay(ada.client, { to_wallet_id: ben.walletId, amount, memo: '=1+1; x' })
      if (booked(reply, -minor)) paid.push(reply.body.id)
      return
    }
    case 'refund': {
      const id = paid.pop()
      if (id) booked(await post(ben.client, `transfers/${id}/refunds`, { amount: '0.01' }), 1)
      return
    }
    case 'hold': {
      const reply = await post(ada.client, 'holds', { to_wallet_id: ben.walletId, amount })
      if (reply.status === 201) holds.push(reply.body.id)
      return
    }
    case 'capture': {
      const id = holds.at(-1)
      const part = { amount: '0.01', final: false }
      if (id) booked(await post(ben.client, `holds/${id}/capture`, part), -1)
      return
    }
    case 'void': {
      const id = holds.pop()
      if (id) await ben.client.send('POST', `/v1/holds/${id}/void`)
      return
    }
    case 'withdraw': {
      const order = { payment_system: bankId, destination: 'DE89', wallet_id: ada.walletId, amount }
      const { status, body } = await post(ada.client, 'withdrawals', order)
      if (status !== 201) return
      await must(bank.send('POST', `/v1/withdrawals/${body.id}/take`), 200)
      withdrawals.push({ id: body.id, minor })
      return
    }
    case 'confirm':
    case 'fail': {
      const found = withdrawals.pop()
      if (!found) return
      const told = kind === 'confirm' ? { reference: unique('paid') } : { reason: 'no account' }
      const reply = await post(bank, `withdrawals/${found.id}/${kind}`, told)
      assert.is(reply.status, 200, reply.text)
      if (kind === 'confirm') changes.push(BigInt(-found.minor))
      return
    }
    default:
      throw kind satisfies never
  }
}

/** Milliseconds since 1970. */
interface Period {
  from: number
  to: number
}

async function download(
  { client, walletId }: Person,
  { from, to }: Period,
  format: StatementFormatName,
): Promise<{ file: Buffer; number: string }> {
  const [first, last] = [from, to].map((ms) => new Date(ms).toISOString())
  const query = `from=${first}&to=${last}&format=${format}`
  const cookie = [...client.cookies].map((pair) => pair.join('=')).join('; ')
  const url = `${world.url}/v1/wallets/${walletId}/statement?${query}`
  const { statusCode, headers, body } = await request(url, { headers: { cookie } })
  const file = Buffer.from(await body.arrayBuffer())
  assert.is(statusCode, 200, file.toString())
  const [, number = ''] =
    /statement-([\dA-F-]+)\./.exec(String(headers['content-disposition'])) ?? []
  return { file, number }
}

/** Reads a statement that has to tie by itself, have all its entries, and say what the balance was. */
async function readTied(
  ada: Person,
  period: Period,
  format: StatementFormatName,
): Promise<ReadStatement> {
  const { file, number } = await download(ada, period, format)
  const statement = statementReaders[format](file)
  let balance = cents(statement.opening)
  for (const entry of statement.entries) {
    balance += cents(entry.amount)
    assert.is(cents(entry.balance), balance, format)
    const at = Date.parse(entry.date)
    // The PDF tells no parts of a second.
    const from = format === 'pdf' ? Math.floor(period.from / 1_000) * 1_000 : period.from
    assert.ok(from <= at && at < period.to, `${format}: ${entry.date}`)
  }
  assert.is(cents(statement.closing), balance, format)
  if (format !== 'pdf') {
    assert.ok(file.includes(checksumOf(statement, { number, currency: 'USD' })), format)
    assert.ok(file.includes(number), format)
  }
  const at = new Date(period.to).toISOString()
  const shown = await must(ada.client.get(`/v1/wallets/${ada.walletId}/balance?at=${at}`), 200)
  assert.is(shown.posted, statement.closing, format)
  if (format === 'json') {
    const { held, available } = JSON.parse(file.toString())
    assert.equal([held, available], [shown.held, shown.available])
  }
  return statement
}

const plans = fc.record({
  steps: fc.array(step, { minLength: 8, maxLength: 30, size: 'max' }),
  cuts: fc.array(
    fc.record({ place: fc.nat(1_000), format: fc.constantFrom(...statementFormatNames) }),
    { minLength: 1, maxLength: 5 },
  ),
})

test('statements tie, join, have each entry once and end with the balance of that moment', async () => {
  let entries = 0
  const property = fc.asyncProperty(plans, async ({ steps, cuts }) => {
    const ada = await world.signUp()
    const life: Life = { ada, holds: [], withdrawals: [], paid: [], changes: [] }
    const from = Date.now() - 1_000
    const marks: number[] = []
    for (const it of [{ kind: 'deposit', minor: 2_000 } as const, ...steps]) {
      await live(life, it)
      marks.push(Date.now())
    }
    const to = Date.now() + 1
    const path = `/v1/wallets/${ada.walletId}/balance?at=${new Date(to).toISOString()}`
    await until(async () => (await ada.client.get(path)).status === 200)

    const between = cuts.map(({ place }) => marks[place % marks.length]!)
    const ends = [...new Set([...between, to])].sort((one, other) => one - other)
    let before = { closing: '0.00', to: from }
    const changes: bigint[] = []
    for (const [index, end] of ends.entries()) {
      const { format } = cuts[index % cuts.length]!
      const statement = await readTied(ada, { from: before.to, to: end }, format)
      assert.is(statement.opening, before.closing, format)
      changes.push(...statement.entries.map(({ amount }) => cents(amount)))
      before = { closing: statement.closing, to: end }
    }
    assert.equal(changes, life.changes)
    entries += changes.length
    const wallet = await must(ada.client.get(`/v1/wallets/${ada.walletId}`), 200)
    assert.is(before.closing, wallet.balance.posted)
    for (const format of statementFormatNames) {
      const whole = await readTied(ada, { from, to }, format)
      assert.equal(
        whole.entries.map(({ amount }) => cents(amount)),
        changes,
        format,
      )
    }
  })
  await fc.assert(property, { numRuns: 8, endOnFailure: true, includeErrorInReport: true })
  assert.ok(entries > 16, `${entries} entries`)
})

test.run()
