import fc from 'fast-check'
import { type HistoryEntry, walkHistory } from '../../accounting/history.ts'
import { findWallet, type Wallet } from '../../db/wallets.ts'
import { readWalletBalanceAt, writeStatement } from '../../server/flows/statements.ts'
import { postedChangeMinor } from '../../server/flows/wallet-history.ts'
import { statementBody } from '../../server/routes/statements.ts'
import { checkBooks } from '../lib/books.ts'
import { faultsOfCamt } from '../lib/camt053.ts'
import { addLiquidity, exchange, freshAsset, quoted, setRate } from '../lib/exchange.ts'
import { setFee } from '../lib/fees.ts'
import { basic, type Client, type Json } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pay } from '../lib/money.ts'
import {
  checksumOf,
  type ReadStatement,
  readCamt,
  readCamtStatement,
  readCsv,
  readHledger,
  readJson,
  readPdfStatement,
} from '../lib/statements.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('statements')

/** Names and memos that mean something to a spreadsheet, XML, hledger, or a font. */
const formulaName = '=SUM(1)\t漢字 <b>& 👍🏽'
const longMemo = 'Zażółć\n漢字, "x"; 👍🏽 | <&> date:2026-13-01 '.padEnd(200, 'é')

let world: World
let bank: Client
let operator: Client
let ada: Person
let grace: Person
let wallet: Wallet
/** All that happened to the wallet, oldest first. */
let history: HistoryEntry[]

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
  operator = await world.operator()
  ada = await world.signUp({ username: 'ada', name: 'Ada Lovelace' })
  grace = await world.signUp({ name: formulaName })
  await live()
  wallet = (await findWallet(world.deps.db, ada.walletId))!
  history = await readHistory()
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

async function readHistory(): Promise<HistoryEntry[]> {
  const { now } = await present()
  const all: HistoryEntry[] = []
  const pages = walkHistory(world.deps.ledger, ada.walletId, { from: 1n, to: now })
  for await (const page of pages) all.push(...page)
  return all
}

async function present(): Promise<{ now: bigint }> {
  return { now: (await readWalletBalanceAt(world.deps, { id: ada.walletId }, undefined)).at }
}

/** A wallet of many kinds of entries; in the end a hold has run out, and a withdrawal is under way. */
async function live(): Promise<void> {
  const { walletId: from_wallet_id } = ada
  const { walletId: to_wallet_id } = grace
  await fund(bank, ada.walletId, '1000.00')
  await must(pay(ada.client, { to_wallet_id, amount: '1.10', memo: '=1+1' }), 201)
  const paid = await must(pay(ada.client, { to_wallet_id, amount: '20.00', memo: longMemo }), 201)
  const refund = { amount: '0.50', reason: '@sorry' }
  await must(grace.client.post(`/v1/transfers/${paid.id}/refunds`, refund), 201)
  const place = async (amount: string, more: Json = {}): Promise<Json> =>
    must(ada.client.post('/v1/holds', { from_wallet_id, to_wallet_id, amount, ...more }), 201)
  await place('7.00', { expires_in: 1 })
  const captured = await place('10.00')
  const capture = `/v1/holds/${captured.id}/capture`
  await must(grace.client.post(capture, { amount: '4.00', final: false }), 201)
  await must(grace.client.post(capture, { amount: '1.00', final: false }), 201)
  const given = await place('3.00')
  await must(grace.client.send('POST', `/v1/holds/${given.id}/void`), 200)

  const { data } = await must(ada.client.get('/v1/payout-systems'), 200)
  const withdraw = (amount: string): Promise<Json> => {
    const input = { wallet_id: from_wallet_id, payment_system: data[0].id, destination: 'DE89' }
    return must(ada.client.post('/v1/withdrawals', { ...input, amount }), 201)
  }
  const confirmed = await withdraw('5.00')
  await must(bank.send('POST', `/v1/withdrawals/${confirmed.id}/take`), 200)
  const reference = '-payout '.padEnd(60, '7')
  await must(bank.post(`/v1/withdrawals/${confirmed.id}/confirm`, { reference }), 200)
  await withdraw('6.00')

  await setFee(operator, 'payment', { fixed: '0.25' })
  await must(pay(ada.client, { to_wallet_id, amount: '3.00' }), 201)
  await addLiquidity(world.deps.ledger, 'EUR', 1_000_000n)
  await must(setRate(operator, 'USD/EUR', '0.9'), 200)
  await openWallet(ada.client, 'EUR')
  const quote = await quoted(ada.client, { from: 'USD', to: 'EUR', amount: '10.00' })
  await must(exchange(ada.client, quote), 201)
  const held = () => must(ada.client.get(`/v1/wallets/${from_wallet_id}`), 200)
  await until(async () => (await held()).balance.held === '11.00')
}

/** A statement by the flow, for periods to the nanosecond. */
async function stated(from: bigint, to: bigint): Promise<Json> {
  const { content } = await writeStatement(world.deps, wallet, { from, to }, 'json')
  return JSON.parse((await content.toArray()).join(''))
}

const path = (query: string, id = ada.walletId) => `/v1/wallets/${id}/statement?${query}`
/** All of the year until now, as a period that is over. */
async function pastPeriod(): Promise<string> {
  const { now } = await present()
  const end = Number(now / 1_000_000n)
  await until(async () => (await present()).now >= BigInt(end + 1) * 1_000_000n)
  const show = (ms: number) => new Date(ms).toISOString()
  return `from=${show(end - 86_400_000)}&to=${show(end + 1)}`
}

/** A file of the whole history. */
async function download(format: string): Promise<Buffer> {
  const { content } = await writeStatement(
    world.deps,
    wallet,
    { from: 1n, to: history.at(-1)!.timestamp + 1n },
    format as 'json',
  )
  return Buffer.concat((await content.toArray()).map((part) => Buffer.from(part)))
}

const cents = (amount: string) => BigInt(amount.replace('.', ''))

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
    booked.map((it: Json) => [it.id, it.kind, it.created_at, it.memo, it.reference]),
  )
  assert.equal(
    entries.map(({ kind }: Json) => kind),
    'deposit payment payment refund hold hold withdrawal payment fee exchange_sale'.split(' '),
  )
})

test('a period that is over has one number and one file, one that is not has a number each time', async () => {
  const period = await pastPeriod()
  const texts = await Promise.all(
    ['json', 'csv', 'camt.053', 'pdf', 'hledger'].flatMap((format) =>
      [1, 2].map(
        async () => (await ada.client.get(path(`${period}&format=${format}`))).text.length,
      ),
    ),
  )
  assert.equal(
    texts.filter((_, index) => index % 2 === 0),
    texts.filter((_, index) => index % 2 === 1),
  )
  const [one, two] = [await download('pdf'), await download('pdf')]
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

test('every format has the same entries, and the checksum fits them', async () => {
  const json = JSON.parse((await download('json')).toString())
  const expected = readJson(JSON.stringify(json))
  const readers: Record<string, (file: Buffer) => ReadStatement> = {
    json: (file) => readJson(file.toString()),
    csv: (file) => readCsv(file.toString()),
    'camt.053': (file) => readCamtStatement(file.toString()),
    hledger: (file) => readHledger(file.toString()),
  }
  for (const [format, read] of Object.entries(readers)) {
    const file = await download(format)
    const statement = read(file)
    assert.equal(statement, expected, format)
    assert.is(checksumOf(statement, json), json.checksum, format)
    assert.ok(file.includes(json.checksum), format)
    assert.ok(file.includes(json.number), format)
  }
  const toSeconds = (date: string) => date.replace(/\.\d+Z$/, 'Z')
  assert.equal(readPdfStatement(await download('pdf')), {
    ...expected,
    entries: expected.entries.map((entry) => ({ ...entry, date: toSeconds(entry.date) })),
  })
  const cut = { ...expected, entries: expected.entries.slice(1) }
  assert.is.not(checksumOf(cut, json), json.checksum)
})

test('texts mean nothing to a spreadsheet, to XML, or to hledger', async () => {
  const csv = (await download('csv')).toString()
  for (const cell of [`'${formulaName}`, "'=1+1", "'@sorry", "'-payout"])
    assert.ok(csv.includes(cell))
  assert.not.match(csv, /(^|,|")[=+@]/m)
  const stmt = readCamt((await download('camt.053')).toString())
  const details = stmt.Ntry.map((entry: Json) => entry.NtryDtls.TxDtls)
  assert.is(details[1].RltdPties.Cdtr.Pty.Nm, formulaName)
  assert.is(details[2].RmtInf.Ustrd.join(''), longMemo)
  assert.is(details[3].RltdPties.Dbtr.Pty.Nm, formulaName)
  assert.is(details[6].AddtlTxInf, '-payout '.padEnd(60, '7'))
  const journal = (await download('hledger')).toString()
  for (const line of journal.split('\n').filter((it) => /^\d/.test(it))) {
    assert.match(line, /^[^;]*( {2}; time: [\d:.]+Z)?$/)
  }
  assert.match(journal, /\) =SUM\(1\) 漢字 <b>& 👍🏽 \| Zażółć 漢字, "x", 👍🏽 \/ <&> date:/)
})

test('camt.053 has the elements of the standard in their order', async () => {
  const text = (await download('camt.053')).toString()
  assert.equal(faultsOfCamt(text), [])
  const [swapped, long] = [
    text.replace(/(<Amt Ccy="USD">[^<]*<\/Amt>)(<CdtDbtInd>\w+<\/CdtDbtInd>)/g, '$2$1'),
    text.replace('<MsgId>', `<MsgId>${'x'.repeat(35)}`),
  ]
  assert.ok(faultsOfCamt(swapped).length > 5)
  assert.is(faultsOfCamt(long).length, 1)
})

test('an entry at the beginning of a period is in it, one at the end is not', async () => {
  const booked = history.filter((entry) => postedChangeMinor(entry) !== 0n)
  for (const { timestamp, balanceAfterMinor, ...entry } of booked) {
    const change = postedChangeMinor({ ...entry, timestamp, balanceAfterMinor })
    const alone = await stated(timestamp, timestamp + 1n)
    assert.equal(
      alone.entries.map(({ amount }: Json) => cents(amount)),
      [change],
    )
    assert.is(cents(alone.closing_balance), balanceAfterMinor)
    assert.is(cents(alone.opening_balance), balanceAfterMinor - change)
    assert.is(cents((await stated(1n, timestamp)).closing_balance), balanceAfterMinor - change)
    const after = await stated(timestamp + 1n, timestamp + 2n)
    const isNext = booked.some((other) => other.timestamp === timestamp + 1n)
    assert.is(after.entries.length, isNext ? 1 : 0)
    assert.is(cents(after.opening_balance), balanceAfterMinor)
  }
})

test('consecutive statements tie, wherever time is cut, and balances are the fold of entries', async () => {
  const [first, last] = [history[0]!.timestamp - 2n, history.at(-1)!.timestamp + 2n]
  const moments = history.flatMap(({ timestamp }) => [timestamp - 1n, timestamp, timestamp + 1n])
  const cut = fc.oneof(fc.constantFrom(...moments), fc.bigInt({ min: first, max: last }))
  const whole = await stated(first, last)
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { maxLength: 4 }), async (cuts) => {
      const ends = [...new Set([first, ...cuts, last])].sort((a, b) => (a < b ? -1 : 1))
      const parts: Json[] = []
      for (const [index, to] of ends.entries()) {
        if (index > 0) parts.push(await stated(ends[index - 1]!, to))
      }
      assert.equal(
        parts.flatMap(({ entries }) => entries),
        whole.entries,
      )
      for (const [index, part] of parts.entries()) {
        const before = parts[index - 1]?.closing_balance ?? whole.opening_balance
        assert.is(part.opening_balance, before)
        const { balance } = await readWalletBalanceAt(world.deps, wallet, ends[index + 1]!)
        assert.is(cents(part.closing_balance), balance.postedMinor)
        assert.is(cents(part.held), balance.heldMinor)
        const changes = history.filter(({ timestamp }) => timestamp < ends[index + 1]!)
        const sum = changes.reduce((total, entry) => total + postedChangeMinor(entry), 0n)
        assert.is(balance.postedMinor, sum)
      }
      assert.is(parts.at(-1)!.closing_balance, whole.closing_balance)
    }),
    { numRuns: 12 },
  )
})

test('the balance at a moment: held is what had not run out', async () => {
  const at = async (moment: bigint | string) => {
    const { balance } = await readWalletBalanceAt(world.deps, wallet, BigInt(moment))
    return [balance.postedMinor, balance.heldMinor, balance.availableMinor]
  }
  const expiring = history.find(
    ({ phase, amountMinor }) => phase === 'pending' && amountMinor === 700n,
  )
  assert.ok(expiring)
  const deadline = expiring.timestamp + 1_000_000_000n
  assert.equal(await at(expiring.timestamp), [97_940n, 0n, 97_940n])
  assert.equal(await at(expiring.timestamp + 1n), [97_940n, 700n, 97_240n])
  const [, heldBefore = 0n] = await at(deadline)
  const [, heldAfter = 0n] = await at(deadline + 1n)
  assert.is(heldBefore - heldAfter, 700n)

  const shown = await must(ada.client.get(`/v1/wallets/${ada.walletId}/balance`), 200)
  const { posted, held, available } = shown
  const { balance } = await must(ada.client.get(`/v1/wallets/${ada.walletId}`), 200)
  assert.equal({ posted, held, available }, balance)
  const early = await must(
    ada.client.get(`/v1/wallets/${ada.walletNumber}/balance?at=2020-01-01`),
    200,
  )
  assert.equal(early, {
    wallet_id: ada.walletId,
    currency: 'USD',
    at: '2020-01-01T00:00:00.000Z',
    posted: '0.00',
    held: '0.00',
    available: '0.00',
  })
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
