import { randomUUID } from 'node:crypto'
import { isLuhnValid } from '../../db/wallets.ts'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json } from '../lib/http.ts'
import { assertRefused, fund, hold, openWallet, pay, posted, postText } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('wallets')

let world: World
let bank: Client

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
})

test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const zero: Readonly<Record<string, string>> = { JPY: '0', KWD: '0.000' }

test('a wallet can be opened in every currency that is enabled', async () => {
  const { client, walletId } = await world.signUp()
  const opened = [(await must(client.get(`/v1/wallets/${walletId}`), 200)) as Json]
  const { currencies } = await world.deps.settings.read()
  for (const currency of currencies.keys()) {
    const reply = await client.post('/v1/wallets', { currency })
    assert.is(reply.status, 201)
    const { id, number, created_at, ...rest } = reply.body
    assert.is(id[14], '7')
    assert.match(number, /^[1-9]\d{9}$/)
    assert.ok(isLuhnValid(number))
    assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000)
    const nothing = zero[currency] ?? '0.00'
    const balance = { posted: nothing, held: nothing, available: nothing }
    assert.equal(rest, { currency, state: 'active', balance })
    assert.is(reply.headers.location, `/v1/wallets/${id}`)
    assert.equal(await must(client.get(`/v1/wallets/${id}`), 200), reply.body)
    opened.push(reply.body)
  }
  const list = await must(client.get('/v1/wallets'), 200)
  assert.equal(list, { data: opened, next_cursor: null })
})

test('a wallet can be paid from as soon as it is open', async () => {
  const { client, walletId: to_wallet_id } = await world.signUp()
  for (let count = 0; count < 9; count += 1) {
    const { id } = await openWallet(client, 'USD')
    const reply = await pay(client, { from_wallet_id: id, to_wallet_id, amount: '1' })
    assertRefused(reply, 422, 'insufficient_funds')
  }
})

test('ten wallets of a currency are the limit, also for requests at once', async () => {
  const { client } = await world.signUp()
  const replies = await Promise.all(
    Array.from({ length: 14 }, () => client.post('/v1/wallets', { currency: 'JPY' })),
  )
  assert.is(replies.filter(({ status }) => status === 201).length, 10)
  for (const reply of replies) {
    if (reply.status !== 201) assertRefused(reply, 409, 'wallet_limit_reached')
  }
  assert.is((await must(client.get('/v1/wallets'), 200)).data.length, 11)
  await openWallet(client, 'EUR')
})

test('a wallet that cannot be is refused', async () => {
  const { client } = await world.signUp()
  const rows: [text: string, status: number, code: string][] = [
    ['{"currency":"XXX"}', 422, 'currency_not_supported'],
    ['{"currency":"usd"}', 422, 'invalid_request'],
    ['{"currency":"US"}', 422, 'invalid_request'],
    ['{"currency":840}', 422, 'invalid_request'],
    ['{"currency":null}', 422, 'invalid_request'],
    ['{}', 422, 'invalid_request'],
    ['{"currency":"USD","balance":"100"}', 422, 'invalid_request'],
    ['', 422, 'invalid_request'],
    ['{"currency"', 400, 'malformed_body'],
  ]
  for (const [text, status, code] of rows) {
    assertRefused(await postText(client, '/v1/wallets', text), status, code, text)
  }
  assert.is((await must(client.get('/v1/wallets'), 200)).data.length, 1)
})

test('posted, held and available are told apart, and only what is available can be paid', async () => {
  const [payer, payee] = [await world.signUp(), await world.signUp()]
  await fund(bank, payer.walletId, '10.00')
  const wallet = { id: payer.walletId, currency: 'USD' }
  const release = await hold(world.deps.ledger, wallet, payee.walletId, 400n)
  const balance = async () => (await must(payer.client.get('/v1/wallets'), 200)).data[0].balance
  assert.equal(await balance(), { posted: '10.00', held: '4.00', available: '6.00' })
  const reply = await pay(payer.client, { to_wallet_id: payee.walletId, amount: '6.01' })
  assertRefused(reply, 422, 'insufficient_funds')
  assert.is(reply.body.available, '6.00')
  await release()
  assert.equal(await balance(), { posted: '10.00', held: '0.00', available: '10.00' })
})

const transactions = (walletId: string, query = '') =>
  `/v1/wallets/${walletId}/transactions${query}`

test('both sides see a payment, with the balance right after it', async () => {
  const [ada, ben] = await Promise.all(
    ['Ada', 'Ben'].map((name) =>
      world.signUp({ name, username: `${name.toLowerCase()}_${randomUUID().slice(0, 8)}` }),
    ),
  )
  if (!ada || !ben) throw new Error('two people have signed up')
  await fund(bank, ada.walletId, '115.60')
  const input = { to_wallet_id: ben.walletId, amount: '11.10', memo: 'lunch' }
  const { id, created_at } = await must(pay(ada.client, input), 201)
  const shared = {
    id,
    kind: 'payment',
    phase: 'single',
    amount: '11.10',
    currency: 'USD',
    memo: 'lunch',
    hold_id: null,
    withdrawal_id: null,
  }
  const party = async ({ client, walletId, walletNumber }: typeof ada) => {
    const { username, name } = (await must(client.get('/v1/session'), 200)).user
    return { wallet_id: walletId, number: walletNumber, username, name }
  }
  const [sent, received] = (await must(ada.client.get(transactions(ada.walletId)), 200)).data
  assert.equal(sent, {
    ...shared,
    direction: 'out',
    balance: '104.50',
    counterparty: await party(ben),
    reference: null,
    created_at,
  })
  assert.is(received.balance, '115.60')
  const { data } = await must(ben.client.get(transactions(ben.walletId)), 200)
  assert.equal(data, [
    {
      ...shared,
      direction: 'in',
      balance: '11.10',
      counterparty: await party(ada),
      reference: null,
      created_at,
    },
  ])
})

/** A wallet with four deposits of 1.00 to 4.00 and then three payments of 0.10 to 0.30. */
async function history() {
  const [owner, payee] = await Promise.all([world.signUp(), world.signUp()])
  const { client, walletId } = owner
  for (const amount of ['1', '2', '3', '4']) await fund(bank, walletId, amount)
  for (const amount of ['0.1', '0.2', '0.3']) {
    await must(pay(client, { to_wallet_id: payee.walletId, amount }), 201)
  }
  const read = (query = '') => must(client.get(transactions(walletId, query)), 200)
  return { client, walletId, payee, read, all: (await read()).data as Json[] }
}

test('the history is newest first, and each balance follows from the one before', async () => {
  const { all } = await history()
  const shown = all.map(({ kind, amount, balance }) => `${kind} ${amount} ${balance}`)
  assert.equal(shown, [
    'payment 0.30 9.40',
    'payment 0.20 9.70',
    'payment 0.10 9.90',
    'deposit 4.00 10.00',
    'deposit 3.00 6.00',
    'deposit 2.00 3.00',
    'deposit 1.00 1.00',
  ])
})

test('pages of every size add up to the list, while new entries arrive', async () => {
  const { client, walletId, payee, read, all } = await history()
  for (const limit of [1, 2, 3, 6, 7, 8, 200]) {
    const seen: Json[] = []
    let cursor = ''
    for (let pages = 0; pages <= all.length; pages += 1) {
      const page: Json = await read(`?limit=${limit}${cursor}`)
      assert.ok(page.data.length <= limit)
      seen.push(...page.data)
      await must(pay(client, { to_wallet_id: payee.walletId, amount: '0.01' }), 201)
      if (page.next_cursor === null) break
      cursor = `&cursor=${page.next_cursor}`
    }
    const known = new Set(all.map(({ id }) => id))
    assert.equal(
      seen.filter(({ id }) => known.has(id)),
      all,
      `limit ${limit}`,
    )
    assert.is(new Set(seen.map(({ id }) => id)).size, seen.length)
  }
  const kept = await read('?limit=200')
  assert.equal(kept.data.slice(-all.length), all)
  assert.is(await posted(client, walletId), kept.data[0].balance)
})

test('kind, from and to choose what is in between, to the millisecond', async () => {
  const { read, all } = await history()
  const kinds = async (kind: string) => (await read(`?kind=${kind}`)).data
  assert.equal(await kinds('deposit'), all.slice(3))
  assert.equal(await kinds('payment'), all.slice(0, 3))
  for (const { created_at: moment } of all) {
    const before = all.filter(({ created_at }) => created_at < moment)
    const since = all.filter(({ created_at }) => created_at >= moment)
    assert.equal((await read(`?to=${moment}`)).data, before)
    assert.equal((await read(`?from=${moment}`)).data, since)
    const local = new Date(Date.parse(moment) + 3 * 3_600_000).toISOString()
    const inMoscow = encodeURIComponent(local.replace('Z', '+03:00'))
    assert.equal((await read(`?from=${inMoscow}`)).data, since)
    assert.equal((await read(`?from=${moment}&to=${moment}`)).data, [])
  }
  const always = ['?from=1970-01-01T00:00:00Z', '?from=0000-01-01T00:00:00Z']
  for (const query of [...always, '?to=9999-12-31T23:59:59Z']) {
    assert.equal((await read(query)).data, all, query)
  }
  for (const query of ['?to=1969-01-01T00:00:00Z', '?from=9999-01-01T00:00:00Z']) {
    assert.equal(await read(query), { data: [], next_cursor: null }, query)
  }
})

test('a cursor keeps within from, to and kind', async () => {
  const { read, all } = await history()
  const { next_cursor } = await read('?limit=2&kind=payment')
  assert.equal((await read(`?cursor=${next_cursor}&kind=payment`)).data, [all[2]])
  const oldest = all.at(-1)?.created_at
  const within = all.slice(2).filter(({ created_at }) => created_at >= oldest)
  assert.equal((await read(`?cursor=${next_cursor}&from=${oldest}`)).data, within)
  assert.equal((await read(`?cursor=${next_cursor}&to=${oldest}`)).data, [])
})

/** Query parameters that are refused. */
const badQueries: readonly [query: string, code: string][] = [
  ['limit=0', 'invalid_request'],
  ['limit=201', 'invalid_request'],
  ['limit=-1', 'invalid_request'],
  ['limit=1.5', 'invalid_request'],
  ['limit=1e1', 'invalid_request'],
  ['limit=', 'invalid_request'],
  ['limit=all', 'invalid_request'],
  ['limit=1&limit=2', 'invalid_request'],
  ['kind=', 'invalid_request'],
  ['kind=toString', 'invalid_request'],
  ['kind=deposit&kind=payment', 'invalid_request'],
  ['from=yesterday', 'invalid_request'],
  ['from=2026-01-01', 'invalid_request'],
  ['from=2026-01-01T00:00:00', 'invalid_request'],
  ['from=2026-13-01T00:00:00Z', 'invalid_request'],
  ['from=2026-02-29T00:00:00Z', 'invalid_request'],
  ['to=1767225600', 'invalid_request'],
  ['page=2', 'invalid_request'],
  ['cursor=%00', 'invalid_request'],
  [`cursor=${'a'.repeat(101)}`, 'invalid_request'],
  ['cursor=', 'invalid_cursor'],
  ['cursor=x', 'invalid_cursor'],
  ['cursor=dDA', 'invalid_cursor'],
  [`cursor=${Buffer.from('t-5').toString('base64url')}`, 'invalid_cursor'],
  [`cursor=${Buffer.from('t007').toString('base64url')}`, 'invalid_cursor'],
  [`cursor=${Buffer.from('t1.5').toString('base64url')}`, 'invalid_cursor'],
  [`cursor=${Buffer.from(`t${'9'.repeat(20)}`).toString('base64url')}`, 'invalid_cursor'],
]

test('a query that is wrong is refused, and a damaged cursor too', async () => {
  const { client, walletId, read } = await history()
  for (const [query, code] of badQueries) {
    assertRefused(await client.get(transactions(walletId, `?${query}`)), 422, code, query)
  }
  const { next_cursor } = await read('?limit=2')
  const damaged = [next_cursor.slice(0, -1), next_cursor.slice(1), `${next_cursor}A`]
  for (const cursor of damaged) {
    const { status } = await client.get(transactions(walletId, `?cursor=${cursor}`))
    assert.ok(status === 422 || status === 200, `${cursor}: ${status}`)
  }
})

test('a cursor of another wallet or of the far future shows no more than one may see', async () => {
  const [one, two] = [await history(), await history()]
  const { next_cursor } = await two.read('?limit=1')
  assert.equal((await one.read(`?cursor=${next_cursor}`)).data, one.all)
  const forged = Buffer.from(`t${'9'.repeat(19)}`).toString('base64url')
  assert.equal((await one.read(`?cursor=${forged}`)).data, one.all)
})

test.run()
