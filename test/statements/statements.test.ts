import { statementBody } from '../../server/routes/statements.ts'
import { checkBooks } from '../lib/books.ts'
import { faultsOfCamt } from '../lib/camt053.ts'
import { freshAsset } from '../lib/exchange.ts'
import { basic, type Client, type Json } from '../lib/http.ts'
import { assertRefused, fund, openWallet } from '../lib/money.ts'
import {
  cents,
  createStatementWorld,
  download,
  present,
  type StatementWorld,
} from '../lib/statement-world.ts'
import { readCamtStatement, readCsv, readHledger, readJson } from '../lib/statements.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { must, type Person, type World } from '../lib/world.ts'

const test = suite('statements')

let here: StatementWorld
let world: World
let bank: Client
let operator: Client
let ada: Person
let grace: Person
test.before(async () => {
  here = await createStatementWorld()
  ;({ world, bank, operator, ada, grace } = here)
})
test.after(async () => {
  await checkBooks(here.world.deps.ledger)
  await here.world.stop()
})

const path = (query: string, id = ada.walletId) => `/v1/wallets/${id}/statement?${query}`
/** All of the year until now, as a period that is over. */
async function pastPeriod(): Promise<string> {
  const now = await present(here)
  const end = Number(now / 1_000_000n)
  await until(async () => (await present(here)) >= BigInt(end + 1) * 1_000_000n)
  const show = (ms: number) => new Date(ms).toISOString()
  return `from=${show(end - 86_400_000)}&to=${show(end + 1)}`
}

test('a statement ties, and says of the wallet what the history says', async () => {
  const period = await pastPeriod()
  const statement = await must(ada.client.get(path(period)), 200)
  statementBody.parse(statement)
  const { opening_balance, closing_balance, entries, received, paid } = statement
  let balance = cents(opening_balance)
  const sums = { in: 0n, out: 0n, countIn: 0, countOut: 0 }
  for (const entry of entries) {
    const change = cents(entry.amount)
    balance += change
    assert.is(cents(entry.balance), balance)
    if (change < 0n) [sums.out, sums.countOut] = [sums.out - change, sums.countOut + 1]
    else [sums.in, sums.countIn] = [sums.in + change, sums.countIn + 1]
  }
  assert.is(cents(closing_balance), balance)
  assert.equal([received.count, cents(received.amount)], [sums.countIn, sums.in])
  assert.equal([paid.count, cents(paid.amount)], [sums.countOut, sums.out])
  const now = await must(ada.client.get(`/v1/wallets/${ada.walletId}`), 200)
  assert.equal(
    { posted: closing_balance, held: statement.held, available: statement.available },
    now.balance,
  )
  assert.equal([statement.final, statement.holder], [true, 'Ada Lovelace'])

  const { data } = await must(
    ada.client.get(`/v1/wallets/${ada.walletId}/transactions?limit=200`),
    200,
  )
  const booked = data.filter(({ phase }: Json) => phase === 'single' || phase === 'post').reverse()
  assert.equal(
    entries.map(({ id, kind, date, memo, reference }: Json) => [id, kind, date, memo, reference]),
    booked.map((it: Json) => {
      const kind = it.kind === 'hold' ? 'capture' : it.kind
      return [it.id, kind, it.created_at, it.memo, it.reference]
    }),
  )
  assert.equal(
    entries.map(({ kind }: Json) => kind),
    'deposit payment payment refund capture capture withdrawal payment fee exchange_sale'.split(
      ' ',
    ),
  )
})

test('a period that is over has one number and one file, one that is not has a number each time', async () => {
  const period = await pastPeriod()
  for (const format of ['json', 'csv', 'camt.053', 'pdf', 'hledger']) {
    const read = async () => (await ada.client.get(path(`${period}&format=${format}`))).text.length
    const [one, two] = await Promise.all([read(), read()])
    assert.is(one, two)
  }
  const [one, two] = [await download(here, 'pdf'), await download(here, 'pdf')]
  assert.ok(one.equals(two))
  const numbers = await Promise.all(
    [period, period, 'from=2026-01-01&to=2026-12-31'].map(async (it) => {
      return (await must(ada.client.get(path(it)), 200)).number
    }),
  )
  assert.is(numbers[0], numbers[1])
  assert.match(numbers[0], new RegExp(`^${ada.walletNumber}(-[0-9A-F]{4}){4}$`))
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
  const open = `from=2026-01-01&to=${tomorrow}`
  const first = await must(ada.client.get(path(open)), 200)
  const second = await must(ada.client.get(path(open)), 200)
  assert.equal([first.final, second.final], [false, false])
  assert.is.not(first.number, second.number)
  assert.is(first.closing_balance, second.closing_balance)
})

test('the owner and operators read them, nobody else', async () => {
  const anyone = world.client()
  for (const route of [
    path('from=2026-01-01&to=2026-12-31'),
    `/v1/wallets/${ada.walletId}/balance`,
  ]) {
    await must(ada.client.get(route), 200)
    await must(operator.get(route), 200)
    assertRefused(await grace.client.get(route), 404, 'wallet_not_found')
    assertRefused(await bank.get(route), 403, 'role_not_allowed')
    assertRefused(await anyone.get(route), 401, 'not_signed_in')
  }
  assertRefused(
    await ada.client.get(
      path('from=2026-01-01&to=2026-12-31', '01a2205f-e618-73e9-aa3b-43302c732247'),
    ),
    404,
    'wallet_not_found',
  )
  const { data } = await must(operator.get('/v1/audit'), 200)
  assert.ok(data.some(({ action }: Json) => action === 'GET /v1/wallets/{id}/statement'))
})

test('a period has two ends, in this order, within 366 days, and has begun', async () => {
  const refused = async (query: string, pointer: string) => {
    const reply = await ada.client.get(path(query))
    assertRefused(reply, 422, 'invalid_request', query)
    assert.is(reply.body.errors[0].pointer, pointer, reply.text)
  }
  await refused('to=2026-12-31', 'from')
  await refused('from=2026-01-01', 'to')
  await refused('from=2026-01-01&to=2026-01-01', 'to')
  await refused('from=2026-01-02&to=2026-01-01', 'to')
  await refused('from=2025-01-01&to=2026-01-03', 'to')
  await refused('from=2026-01-01T00:00:00&to=2026-01-03', 'from')
  await refused('from=yesterday&to=2026-01-03', 'from')
  await refused('from=2026-02-30&to=2026-03-03', 'from')
  await refused('from=2126-01-01&to=2126-01-03', 'from')
  await refused('from=2026-01-01&to=2026-01-03&format=xlsx', 'format')
  await refused('from=2026-01-01&to=2026-01-03&page=1', 'page')
  const future = await ada.client.get(`/v1/wallets/${ada.walletId}/balance?at=2126-01-01`)
  assertRefused(future, 422, 'invalid_request')
  await must(ada.client.get(path('from=2025-01-01&to=2026-01-02')), 200)
})

test('a statement without entries ties as well', async () => {
  const query = 'from=2020-01-01&to=2020-02-01'
  const empty = await must(ada.client.get(path(query)), 200)
  assert.equal([empty.opening_balance, empty.closing_balance, empty.entries], ['0.00', '0.00', []])
  const expected = { opening: '0.00', closing: '0.00', entries: [] }
  const read = async (format: string) =>
    (await ada.client.get(path(`${query}&format=${format}`))).text
  assert.equal(readCsv(await read('csv')), expected)
  assert.equal(readHledger(await read('hledger')), expected)
  const camt = await read('camt.053')
  assert.equal(readCamtStatement(camt), expected)
  assert.equal(faultsOfCamt(camt), [])
})

test('an asset of the house with 18 decimals is in every format but camt.053', async () => {
  const asset = await freshAsset(world, 18)
  const { id } = await openWallet(ada.client, asset.currency)
  const amount = '1234567890123.000000000000000001'
  await fund(bank, id, amount, asset.currency)
  const query = 'from=2026-11-01&to=2027-10-31'
  const read = (format: string) => ada.client.get(path(`${query}&format=${format}`, id))
  assert.is(readJson((await read('json')).text).closing, amount)
  assert.is(readCsv((await read('csv')).text).entries[0]?.amount, amount)
  assert.is(readHledger((await read('hledger')).text).closing, amount)
  assert.is((await read('pdf')).status, 200)
  const refusal = await read('camt.053')
  assertRefused(refusal, 422, 'format_not_possible')
  assert.match(refusal.body.detail, new RegExp(`^${asset.currency} is no currency`))
})

test('files have their types and names; Basic will do', async () => {
  const types = {
    json: 'application/json; charset=utf-8',
    csv: 'text/csv; charset=utf-8',
    'camt.053': 'application/xml; charset=utf-8',
    pdf: 'application/pdf',
    hledger: 'text/plain; charset=utf-8',
  }
  const { headers } = { headers: basic(ada.email, ada.password) }
  for (const [format, type] of Object.entries(types)) {
    const query = `from=2026-01-01&to=2026-06-01&format=${format}`
    const reply = await world.client().get(path(query, ada.walletNumber), { headers })
    assert.is(reply.headers['content-type'], type)
    const name = /^attachment; filename="statement-[\dA-F-]{30}\.(json|csv|xml|pdf|journal)"$/
    assert.match(String(reply.headers['content-disposition']), name)
  }
})

test.run()
