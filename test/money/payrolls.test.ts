/** Payrolls: files that are whole, broken off, wrong or somebody else's, and what becomes of each row. */
import { Readable } from 'node:stream'
import { request } from 'undici'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { submitOnce } from '../../accounting/transfers.ts'
import {
  completePayroll,
  discardUpload,
  findPayroll,
  openPayroll,
  type PayrollRow,
  storeRows,
} from '../../db/payrolls.ts'
import { insertWallet } from '../../db/wallets.ts'
import { itemKey } from '../../server/flows/batch.ts'
import { readPayrollFile } from '../../server/flows/payroll-file.ts'
import { recover } from '../../server/flows/recovery.ts'
import { runPayroll } from '../../server/flows/run-payroll.ts'
import { namePayroll } from '../../server/flows/upload-payroll.ts'
import { checkBooks } from '../lib/books.ts'
import { disturb } from '../lib/disturb.ts'
import { storeFreshAsset } from '../lib/exchange.ts'
import type { Client, Json, Reply } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pair, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('payrolls')

/** For the Kassa that pays the payrolls. */
const disturbance = disturb()
let world: World
let bank: Client

test.before(async () => {
  world = await createWorld({ adapt: disturbance.adapt })
  bank = await world.paymentSystem()
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

function upload(client: Client, text: string, key: string, query = ''): Promise<Reply> {
  const headers = { 'content-type': 'text/csv', 'idempotency-key': key }
  return client.send('POST', `/v1/payrolls${query}`, { text, headers })
}

const headersOf = ({ cookies }: Client) => ({
  'content-type': 'text/csv',
  'idempotency-key': unique('payroll'),
  cookie: [...cookies].map((pair) => pair.join('=')).join('; '),
})

/** The code that an upload of bytes is refused with. */
async function sendBytes(client: Client, body: Buffer): Promise<string> {
  const headers = headersOf(client)
  const { body: reply } = await request(`${world.url}/v1/payrolls`, {
    method: 'POST',
    headers,
    body,
  })
  return ((await reply.json()) as Json).code
}

/** Sends a file that arrives as it is made. */
function stream(client: Client, body: AsyncGenerator<string>, key: string) {
  const headers = { ...headersOf(client), 'idempotency-key': key }
  return request(`${world.url}/v1/payrolls`, { method: 'POST', headers, body: Readable.from(body) })
}

/** Waits until the `nth` payroll of this person is there, with at least so many rows. */
async function arrived(client: Client, nth: number, rowsMin: number): Promise<void> {
  await until(async () => {
    const { data } = await must(client.get('/v1/payrolls'), 200)
    if (data.length < nth) return false
    return (await must(client.get(`/v1/payrolls/${data[0].id}`), 200)).rows >= rowsMin
  })
}

/** Sends the first thousand lines of a file, and breaks off the `nth` payroll of this person. */
async function breakOff(client: Client, text: string, key: string, nth = 1): Promise<void> {
  const broken = Promise.withResolvers<void>()
  async function* body() {
    yield text
    await broken.promise
    throw new Error('broken off')
  }
  const sent = stream(client, body(), key)
  await arrived(client, nth, 1_000)
  broken.resolve()
  await assert.rejects(sent)
}

async function finished(client: Client, id: string): Promise<Json> {
  let payroll: Json
  await until(async () => {
    payroll = await must(client.get(`/v1/payrolls/${id}`), 200)
    return payroll.state === 'finished'
  })
  return payroll
}

async function results(client: Client, id: string): Promise<string[][]> {
  const { text, headers } = await client.get(`/v1/payrolls/${id}/results`)
  assert.match(String(headers['content-type']), /^text\/csv/)
  const [head, ...lines] = text.trimEnd().split('\r\n')
  assert.is(head, 'line,to,amount,status,transfer_id,code')
  return lines.map((line) => line.split(','))
}

test('each row is paid or told why not, by its line', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '100.00')
  const named = await world.signUp({ username: 'payroll_name' })
  const file = [
    '\uFEFFTo,Amount,Memo',
    `${to},10.50,"March, ""net"""`,
    '',
    `${named.walletNumber},1`,
    'Payroll_Name, 2.00 ,',
    `${to},1.001`,
    `${to},-1`,
    `${to},0`,
    `${to},NaN`,
    `${to},1e3`,
    `${to},1${'0'.repeat(40)}`,
    'payroll_nobody,1',
    '1234567890,1',
    `${from},1`,
    '=cmd|calc,1',
    'only one cell',
    `${to},1,memo,more`,
    `${to},1,${'x'.repeat(201)}`,
    `${to},1,a\0b`,
    `${to},100.00`,
    `${to},0.50`,
  ].join('\r\n')
  const reply = await upload(payer, file, unique('payroll'))
  assert.is(reply.status, 202, reply.text)
  const { id } = reply.body
  assert.equal([reply.headers.location, reply.body.from_wallet_id], [`/v1/payrolls/${id}`, from])
  const payroll = await finished(payer, id)
  assert.equal([payroll.rows, payroll.done, payroll.refused], [19, 4, 15])
  assert.equal(payroll.amounts, { done: '14.00', refused: '104.00', waiting: '0.00' })
  const rows = await results(payer, id)
  assert.equal(
    rows.map(([line, , , status, , code]) => `${line} ${code || status}`),
    [
      '2 done',
      '4 done',
      '5 done',
      '6 amount_too_precise',
      '7 amount_not_positive',
      '8 amount_not_positive',
      '9 amount_malformed',
      '10 amount_malformed',
      '11 amount_too_large',
      '12 recipient_not_found',
      '13 wallet_number_mistyped',
      '14 same_wallet',
      '15 recipient_not_found',
      '16 row_malformed',
      '17 row_malformed',
      '18 row_malformed',
      '19 row_malformed',
      '20 insufficient_funds',
      '21 done',
    ],
  )
  assert.is(rows[12]?.[1], "'=cmd|calc")
  assert.is(rows[4]?.[2], "'-1")
  const transfer = await must(payee.get(`/v1/transfers/${rows[0]?.[4]}`), 200)
  assert.equal([transfer.amount, transfer.memo], ['10.50', 'March, "net"'])
  assert.equal([await posted(payer, from), await posted(payee, to)], ['86.00', '11.00'])

  const list = await must(payer.get('/v1/payrolls'), 200)
  assert.equal([list.data.length, list.data[0].id, list.data[0].state], [1, id, 'finished'])
  for (const path of ['', '/results']) {
    assertRefused(await payee.get(`/v1/payrolls/${id}${path}`), 404, 'payroll_not_found')
  }
})

test('the same file under its key is the same payroll, another is refused', async () => {
  const { payer, payee, to } = await pair(world, bank, '10.00')
  const key = unique('payroll')
  const file = `${to},1.00\n${to},2.00,two\n`
  const replies = await Promise.all([1, 2, 3].map(() => upload(payer, file, key)))
  const ids = new Set(replies.map(({ status, body }) => `${status} ${body.id}`))
  assert.equal([...ids], [`202 ${replies[0]?.body.id}`])
  const { id } = replies[0]?.body ?? {}
  await finished(payer, id)
  const again = await upload(payer, file, key)
  assert.equal([again.status, again.body.state, again.body.id], [202, 'finished', id])
  assert.is(again.headers['idempotency-replayed'], 'true')
  const others = [`${to},1.00\n`, `${to},1.00\n${to},2.00\n`, `${file}${to},3.00\n`]
  for (const other of others) {
    assertRefused(await upload(payer, other, key), 409, 'idempotency_key_reused')
  }
  assertRefused(await upload(payer, file, key, '?currency=USD'), 409, 'idempotency_key_reused')
  assert.is(await posted(payee, to), '3.00')
})

test('a batch and a payroll under the same key are both paid, whichever comes first', async () => {
  const { payer, payee, to } = await pair(world, bank, '20.00')
  const file = `${to},1.00\n${to},2.00\n`
  for (const order of ['batch first', 'payroll first']) {
    for (const atomic of [false, true]) {
      const key = unique('payroll')
      const transfers = [{ to_wallet_id: to, amount: '1.50' }]
      const headers = { 'idempotency-key': key }
      const sendBatch = async () =>
        must(payer.post('/v1/transfers/batch', { atomic, transfers }, { headers }), 200)
      const pay = async () => {
        const { id } = await must(upload(payer, file, key), 202)
        const { done, refused } = await finished(payer, id)
        assert.equal([done, refused], [2, 0])
        return id
      }
      const steps = order === 'batch first' ? [sendBatch, pay] : [pay, sendBatch]
      for (const step of steps) await step()
      assert.equal((await sendBatch()).counts, { done: 1, refused: 0 })
    }
  }
  assert.is(await posted(payee, to), '18.00')
})

test('a row whose id was used by something else is told so, and the others are paid', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '10.00')
  const { user } = await must(payer.get('/v1/session'), 200)
  const key = unique('payroll')
  const { operationId } = itemKey(
    { operationId: namePayroll({ userId: user.id }, key), inputHash: 1 },
    1,
  )
  const [debitAccountId, creditAccountId] = [from, to]
  const leg = { debitAccountId, creditAccountId, amountMinor: 5n, asset: assetOf('USD') }
  const legs = [{ ...leg, code: TransferCode.payment }] as const
  await submitOnce(world.deps.ledger, { operationId, inputHash: 1, legs })
  const { id } = await must(upload(payer, `${to},1.00\n`.repeat(3), key), 202)
  const { done, refused } = await finished(payer, id)
  assert.equal([done, refused, await posted(payee, to)], [2, 1, '2.05'])
  const codes = (await results(payer, id)).map(([, , , status, , code]) => code || status)
  assert.equal(codes, ['done', 'idempotency_key_reused', 'done'])
})

test('an upload that broke off is paid by nobody, and goes on with its key', async () => {
  const { payer, payee, to } = await pair(world, bank, '100.00')
  const key = unique('payroll')
  const lines = Array.from({ length: 2_500 }, (_, row) => `${to},0.01,row ${row}\n`)
  await breakOff(payer, lines.slice(0, 1_300).join(''), key)
  assert.is(await posted(payee, to), '0.00')
  const other = await upload(payer, lines.toReversed().join(''), key)
  assertRefused(other, 409, 'idempotency_key_reused')
  const short = await upload(payer, lines.slice(0, 500).join(''), key)
  assertRefused(short, 409, 'idempotency_key_reused')
  const { id } = await must(upload(payer, lines.join(''), key), 202)
  const { rows, done } = await finished(payer, id)
  assert.equal([rows, done, await posted(payee, to)], [2_500, 2_500, '25.00'])
})

test('an upload does not go on into another upload of its key', async () => {
  const { payer, payee, to } = await pair(world, bank, '100.00')
  const key = unique('payroll')
  const line = `${to},0.01\n`
  const [first, third] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  async function* body(before: number, gate: Promise<void>, after: number) {
    yield line.repeat(before)
    await gate
    yield line.repeat(after)
  }
  const slow = stream(payer, body(1_500, first.promise, 500), key)
  await arrived(payer, 1, 1_000)
  // A damaged copy takes away what was stored, and a third one opens it again.
  assertRefused(await upload(payer, `${line}"open`, key), 400, 'malformed_body')
  assert.equal((await must(payer.get('/v1/payrolls'), 200)).data, [])
  const again = stream(payer, body(1, third.promise, 1_999), key)
  await arrived(payer, 1, 0)
  first.resolve()
  const { statusCode, body: refused } = await slow
  assert.equal([statusCode, ((await refused.json()) as Json).code], [409, 'idempotency_key_reused'])
  third.resolve()
  const { id } = (await (await again).body.json()) as Json
  const { rows, done } = await finished(payer, id)
  assert.equal([rows, done, await posted(payee, to)], [2_000, 2_000, '20.00'])
})

test('a payroll is complete when exactly its rows are there', async () => {
  const { payer, payee, to } = await pair(world, bank, '1.00')
  const { db } = world.deps
  const key = unique('payroll')
  await breakOff(payer, `${to},0.01\n`.repeat(1_100), key)
  const [listed] = (await must(payer.get('/v1/payrolls'), 200)).data
  const opened = (await findPayroll(db, listed.id))!
  for (const rowCount of [999, 1_001]) {
    assert.is(await completePayroll(db, opened, rowCount), 'different')
  }
  const other = { ...opened, number: opened.number + 1n }
  assert.is(await completePayroll(db, other, 1_000), 'different')
  assert.is(await storeRows(db, other, { place: 1_000, rows: [] }), false)
  await discardUpload(db, other)
  assert.is((await findPayroll(db, listed.id))?.state, 'uploading')
  await discardUpload(db, opened)
  assert.is(await findPayroll(db, listed.id), undefined)
  assert.is(await posted(payee, to), '0.00')
})

test('what is no payroll is refused, and nothing of it is paid', async () => {
  const { payer, payee, to } = await pair(world, bank, '10.00')
  const one = `${to},1.00\n`
  const key = () => unique('payroll')
  const withoutKey = { text: one, headers: { 'content-type': 'text/csv' } }
  assertRefused(await payer.send('POST', '/v1/payrolls', withoutKey), 422, 'invalid_request')
  const json = { text: one, headers: { 'idempotency-key': key() } }
  assertRefused(await payer.send('POST', '/v1/payrolls', json), 415, 'unsupported_media_type')
  assertRefused(await upload(payer, one, key(), '?currency=XXX'), 422, 'currency_not_supported')
  assertRefused(await upload(payer, one, key(), `?from_wallet_id=${to}`), 404, 'wallet_not_found')
  const large = `${to},1.00,${'x'.repeat(60_000)}\n`.repeat(360)
  assertRefused(await upload(payer, large, key()), 413, 'body_too_large')
  for (const client of [bank, await world.operator()]) {
    assertRefused(await upload(client, one, key()), 403, 'role_not_allowed')
  }
  const malformed = [
    '\n',
    `${to},1.00\n"open`,
    `${to},1.00\n"${'x'.repeat(70_000)}`,
    `${one}${'"'.repeat(70_000)}`,
    `${one}${to},1.00${','.repeat(63)}\n`,
    `${one}${'"\n",,,'.repeat(30)}`,
    ','.repeat(2_000_000),
  ]
  for (const text of malformed) {
    assertRefused(await upload(payer, text, key()), 400, 'malformed_body')
  }
  const latin = Buffer.from(`${to},1.00,M\u00fcller\n`, 'latin1')
  assert.is(await sendBytes(payer, latin), 'malformed_body')
  await must(upload(payer, 'payroll_nobody,1\n', key()), 202)
  const second = await openWallet(payer, 'USD')
  const ambiguous = await upload(payer, one, key())
  assertRefused(ambiguous, 422, 'wallet_ambiguous')
  const { pointer, in: part } = ambiguous.body.errors[0]
  assert.equal([part, pointer], ['query', 'from_wallet_id'])
  const chosen = `?from_wallet_id=${second.id}`
  await must(upload(payer, one, key(), chosen), 202)
  assert.is(await posted(payee, to), '0.00')
})

test('a row may have empty cells, and a large file leaves the others their turn', async () => {
  const chunks = 20
  async function* file() {
    for (let nth = 0; nth < chunks; nth += 1) yield Buffer.from(`ada,1.00${','.repeat(62)}\n`)
  }
  let turns = 0
  let next = setImmediate(function count() {
    turns += 1
    next = setImmediate(count)
  })
  const rows: PayrollRow[] = []
  for await (const group of readPayrollFile(file(), assetOf('USD'), 10)) rows.push(...group)
  clearImmediate(next)
  assert.is(rows.filter(({ code }) => code === null).length, chunks)
  assert.ok(turns >= chunks, `${turns}`)
})

test('at most five payrolls of a person are not finished, and an upload can be given up', async () => {
  const { payer, payee, to } = await pair(world, bank, '20.00')
  const lines = `${to},0.01\n`.repeat(1_100)
  for (let nth = 1; nth <= 5; nth += 1) await breakOff(payer, lines, unique('payroll'), nth)
  const sixth = await upload(payer, lines, unique('payroll'))
  assertRefused(sixth, 409, 'payroll_limit_reached')
  const { data } = await must(payer.get('/v1/payrolls'), 200)
  const path = `/v1/payrolls/${data[0].id}`
  assertRefused(await payee.delete(path), 404, 'payroll_not_found')
  const replies = await Promise.all([payer.delete(path), payer.delete(path)])
  assert.equal(replies.map(({ status }) => status).sort(), [204, 404])
  assertRefused(await payer.get(path), 404, 'payroll_not_found')
  const { id } = await must(upload(payer, lines, unique('payroll')), 202)
  assertRefused(await payer.delete(`/v1/payrolls/${id}`), 409, 'payroll_complete')
  await finished(payer, id)
  assertRefused(await payer.delete(`/v1/payrolls/${id}`), 409, 'payroll_complete')
  assert.is(await posted(payee, to), '11.00')
})

test('an upload that is given up while it arrives is refused, and its key is free', async () => {
  const { payer, payee, to } = await pair(world, bank, '20.00')
  const lines = `${to},0.01\n`.repeat(1_100)
  const key = unique('payroll')
  const goOn = Promise.withResolvers<void>()
  async function* body() {
    yield lines
    await goOn.promise
    yield lines
  }
  const sent = stream(payer, body(), key)
  await arrived(payer, 1, 1_000)
  const { data } = await must(payer.get('/v1/payrolls'), 200)
  await must(payer.delete(`/v1/payrolls/${data[0].id}`), 204)
  goOn.resolve()
  const refused = await sent
  assert.is(refused.statusCode, 409)
  assert.is(((await refused.body.json()) as Json).code, 'idempotency_key_reused')
  await finished(payer, (await must(upload(payer, lines, key), 202)).id)
  assert.is(await posted(payee, to), '11.00')
})

test('cut off at each step in the ledger, a payroll goes on and pays each row once', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '5.00')
  // Two steps: the payments, and burning the ids of what is wrong in itself.
  const euro = await openWallet(payee, 'EUR')
  const file = `${to},1.00\n${euro.id},1.00\n${to},9.00\n${to},2.00\n`
  const cutOff = [1, 2].flatMap((nth) => [
    () => disturbance.failAt(nth),
    () => disturbance.loseAnswerOf(nth),
  ])
  for (const cut of cutOff) {
    cut()
    const { id } = await must(upload(payer, file, unique('payroll')), 202)
    // The job does the same at the same time.
    await runPayroll(world.deps, id).catch(() => {})
    disturbance.reset()
    await recover({ ...world.deps, nowMs: () => Date.now() + 120_000 })
    const { done, refused, amounts } = await finished(payer, id)
    assert.equal([done, refused, amounts.done], [2, 2, '3.00'])
    await fund(bank, from, '3.00')
  }
  assert.equal([await posted(payer, from), await posted(payee, to)], ['5.00', '12.00'])
})

test('who was deactivated meanwhile pays no more', async () => {
  const operator = await world.operator()
  const { payer, payee, to } = await pair(world, bank, '5.00')
  const me = await must(payer.get('/v1/session'), 200)
  disturbance.failAt(1)
  const { id } = await must(upload(payer, `${to},1.00\n`, unique('payroll')), 202)
  await runPayroll(world.deps, id).catch(() => {})
  await must(operator.post(`/v1/users/${me.user.id}/deactivate`, { reason: 'a test' }), 200)
  disturbance.reset()
  await runPayroll(world.deps, id)
  const item = await world.deps.db
    .selectFrom('payroll_items')
    .select(['status', 'code'])
    .where('payroll_id', '=', id)
    .executeTakeFirstOrThrow()
  assert.equal(item, { status: 'refused', code: 'payer_closed' })
  assert.is(await posted(payee, to), '0.00')
})

test('a process pays in an own asset that it has not met before', async () => {
  const { payer, to } = await pair(world, bank, '1.00')
  const { user } = await must(payer.get('/v1/session'), 200)
  const { db } = world.deps
  const { currency } = await storeFreshAsset(world, 2)
  const wallet = await insertWallet(db, { userId: user.id, currency, openMax: 9, everMax: 9 })
  const id = namePayroll({ userId: user.id }, unique('payroll'))
  const opened = { operationId: id, inputHash: 1, userId: user.id, walletId: wallet!.id }
  await openPayroll(db, { ...opened, unfinishedMax: 5 })
  const row = { line: 1, recipient: to, amount: '1.00', memo: null, amountMinor: 100n, code: null }
  const opening = (await findPayroll(db, id))!
  await storeRows(db, opening, { place: 0, rows: [row] })
  await db
    .updateTable('payrolls')
    .set({ state: 'running', row_count: 1 })
    .where('id', '=', id)
    .execute()
  await runPayroll(world.deps, id)
  assert.is((await must(payer.get(`/v1/payrolls/${id}`), 200)).refused, 1)
})

test.run()
