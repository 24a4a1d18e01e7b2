import { openDatabase } from '../../db/database.ts'
import { toRefusal } from '../../server/http/errors.ts'
import { createSettings } from '../../server/settings.ts'
import { checkBooks } from '../lib/books.ts'
import { type CrashChild, killCrashChildren, startCrashChild } from '../lib/crash.ts'
import { sessionAt } from '../lib/crash-scenarios.ts'
import { withConnection } from '../lib/database.ts'
import { type Client, isReplay, type Json } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pair, pay, postText, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { startTcpProxy } from '../lib/tcp-proxy.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('currencies')

let world: World
let bank: Client
let operator: Client
/** A process of its own, with a chart of its own. */
let elsewhere: CrashChild

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
  operator = await world.operator()
  elsewhere = await startCrashChild(world.deps.config)
})

test.after(async () => {
  await killCrashChildren()
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const put = (client: Client, currency: string, json: unknown) =>
  client.send('PUT', `/v1/currencies/${currency}`, { json })
const register = (currency: string, scale: number, name = 'Something') =>
  must(operator.post('/v1/currencies', { currency, name, scale }), 201)

async function list(client = world.client()): Promise<Json[]> {
  return (await must(client.get('/v1/currencies'), 200)).data
}

test('anyone may see the currencies, in the order in which they were added', async () => {
  const all = await list()
  assert.equal(
    all.slice(0, 10).map(({ currency }) => currency),
    ['USD', 'EUR', 'GBP', 'CHF', 'RUB', 'KZT', 'INR', 'CNY', 'JPY', 'KWD'],
  )
  const kuwait = { currency: 'KWD', name: 'Kuwaiti Dinar', scale: 3 }
  assert.equal(all[9], { ...kuwait, kind: 'iso_4217', state: 'open' })
})

test('a currency of the standard is enabled, closed for new wallets and opened again', async () => {
  const { client } = await world.signUp()
  assertRefused(
    await client.post('/v1/wallets', { currency: 'SEK' }),
    422,
    'currency_not_supported',
  )
  assertRefused(await put(operator, 'SEK', { state: 'closed' }), 404, 'currency_not_found')
  const krona = { currency: 'SEK', name: 'Swedish Krona', scale: 2, kind: 'iso_4217' }
  for (const state of ['open', 'open', 'closed', 'closed', 'open'] as const) {
    assert.equal(await must(put(operator, 'SEK', { state }), 200), { ...krona, state })
    assert.equal((await list()).at(-1), { ...krona, state })
    const reply = await client.post('/v1/wallets', { currency: 'SEK' })
    if (state === 'open') assert.is(reply.status, 201)
    else assertRefused(reply, 422, 'currency_closed')
  }
  const named = await must(put(operator, 'SEK', { state: 'open', name: 'Krona' }), 200)
  assert.is(named.name, 'Krona')
  assert.is((await must(put(operator, 'SEK', { state: 'open' }), 200)).name, 'Krona')
})

test('wallets of a closed currency go on working', async () => {
  await must(put(operator, 'NOK', { state: 'open' }), 200)
  const { payer, payee, from, to } = await pair(world, bank, '10.00', 'NOK')
  await must(put(operator, 'NOK', { state: 'closed' }), 200)
  await fund(bank, from, '5.00', 'NOK')
  await must(pay(payer, { from_wallet_id: from, to_wallet_id: to, amount: '12.50' }), 201)
  assert.is((await must(payee.get(`/v1/wallets/${to}`), 200)).balance.posted, '12.50')
  assertRefused(await payer.post('/v1/wallets', { currency: 'NOK' }), 422, 'currency_closed')
})

test('the default currency stays open', async () => {
  assertRefused(await put(operator, 'USD', { state: 'closed' }), 409, 'default_currency')
  await must(put(operator, 'USD', { state: 'open' }), 200)
  await world.signUp()
  const env = { DEFAULT_CURRENCY: 'NOK' }
  await assert.rejects(world.startAnother({ env }), /DEFAULT_CURRENCY NOK is closed/)
})

test('an own asset is registered once, and never with other values', async () => {
  const asset = { currency: 'POINTS', name: 'Points', scale: 0 }
  const replies = await Promise.all(
    Array.from({ length: 8 }, () => operator.post('/v1/currencies', asset)),
  )
  for (const { status, body } of replies) {
    assert.is(status, 201)
    assert.equal(body, { ...asset, kind: 'own', state: 'open' })
  }
  assert.is(replies.filter(isReplay).length, 7)
  assert.is((await list()).filter(({ currency }) => currency === 'POINTS').length, 1)
  for (const other of [{ scale: 2 }, { scale: 18 }]) {
    const reply = await operator.post('/v1/currencies', { ...asset, ...other })
    assertRefused(reply, 409, 'currency_exists')
  }
  await must(put(operator, 'POINTS', { state: 'closed' }), 200)
  const again = await must(operator.post('/v1/currencies', asset), 201)
  assert.is(again.state, 'closed')
})

test('what can be no own asset is refused', async () => {
  const good = { currency: 'COFFEE', name: 'Coffee', scale: 2 }
  const faults: Json[] = [
    { currency: 'USD' },
    { currency: 'XXX' },
    { currency: 'coffee' },
    { currency: 'COF-EE' },
    { currency: '1COFFEE' },
    { currency: 'ABCDEFGHIJKLM' },
    { currency: '' },
    { scale: -1 },
    { scale: 19 },
    { scale: 1.5 },
    { scale: '2' },
    { scale: null },
    { name: '' },
    { name: 'x'.repeat(101) },
    { ledger: 840 },
  ]
  for (const fault of faults) {
    const reply = await operator.post('/v1/currencies', { ...good, ...fault })
    assertRefused(reply, 422, 'invalid_request', JSON.stringify(fault))
  }
  const { body } = await operator.post('/v1/currencies', { ...good, scale: 1.5 })
  assert.equal(body.errors, [
    { pointer: '/scale', message: 'must be a whole number, in plain digits and not too large' },
  ])
  for (const text of [
    '{"currency":"COFFEE","name":"Coffee","scale":1e400}',
    '{"scale":NaN}',
    '{"name":"\\u0000"}',
  ]) {
    assert.ok((await postText(operator, '/v1/currencies', text)).status >= 400, text)
  }
  for (const [currency, body, status, code] of [
    ['COFFEE', { state: 'open' }, 404, 'currency_not_found'],
    ['XXX', { state: 'open' }, 404, 'currency_not_found'],
    ['usd', { state: 'open' }, 422, 'invalid_request'],
    ['EUR', { state: 'shut' }, 422, 'invalid_request'],
    ['EUR', { state: 'open', scale: 3 }, 422, 'invalid_request'],
    ['EUR', {}, 422, 'invalid_request'],
  ] as const) {
    assertRefused(await put(operator, currency, body), status, code, `${currency} ${code}`)
  }
  assert.not((await list()).some(({ currency }) => currency === 'COFFEE'))
})

test('only operators change currencies', async () => {
  const { client } = await world.signUp()
  for (const somebody of [client, bank]) {
    assertRefused(await put(somebody, 'DKK', { state: 'open' }), 403, 'role_not_allowed')
    const asset = { currency: 'MINE', name: 'Mine', scale: 2 }
    assertRefused(await somebody.post('/v1/currencies', asset), 403, 'role_not_allowed')
  }
  const nobody = world.client()
  assertRefused(await put(nobody, 'DKK', { state: 'open' }), 401, 'not_signed_in')
})

test('numbers are never changed, not even by SQL', async () => {
  await withConnection(world.deps.config.databaseUrl, async (query) => {
    for (const change of [
      'SET ledger = 841',
      'SET scale = 3',
      "SET currency = 'USE'",
      'SET is_own = true',
    ]) {
      const update = query(`UPDATE currencies ${change} WHERE currency = 'USD'`)
      await assert.rejects(update, /by these numbers for ever/, change)
    }
    await assert.rejects(query("DELETE FROM currencies WHERE currency = 'USD'"))
    await assert.rejects(query('TRUNCATE currencies'))
  })
  assert.is((await list())[0].currency, 'USD')
})

/** Enabled before, or own assets: a deposit, a payment, and the texts that are too precise. */
const amounts: readonly [
  currency: string,
  scale: number,
  deposit: string,
  paid: string,
  left: string,
  finer: string,
][] = [
  ['JPY', 0, '1000', '333', '667', '0.1'],
  ['KWD', 3, '1.000', '0.001', '0.999', '0.0001'],
  ['STABLE', 6, '1000000.000001', '0.000002', '999999.999999', '0.0000001'],
  ['TOKENS', 0, '7', '7', '0', '1.0'],
  [
    'GRAINS',
    18,
    '1.000000000000000001',
    '1.000000000000000000',
    '0.000000000000000001',
    '0.0000000000000000001',
  ],
]

test('amounts have exactly the decimals of their currency, from none to eighteen', async () => {
  await register('STABLE', 6)
  await register('TOKENS', 0)
  await register('GRAINS', 18)
  await Promise.all(
    amounts.map(async ([currency, scale, deposit, paid, left, finer]) => {
      const { payer, payee, from, to } = await pair(world, bank, deposit, currency)
      const payment = { from_wallet_id: from, to_wallet_id: to, currency }
      const told = await must(pay(payer, { ...payment, amount: paid }), 201)
      assert.is(`${told.amount} ${told.currency}`, `${paid} ${currency}`)
      const history = await must(payer.get(`/v1/wallets/${from}/transactions`), 200)
      const shown = history.data.map(({ kind, amount, balance }: Json) => [kind, amount, balance])
      assert.equal(shown, [
        ['payment', paid, left],
        ['deposit', deposit, deposit],
      ])
      assert.is((await must(payee.get(`/v1/wallets/${to}`), 200)).balance.available, paid)
      const wrong = await pay(payer, { ...payment, amount: finer })
      assertRefused(wrong, 422, 'amount_too_precise')
      assert.match(wrong.text, new RegExp(`${currency} has ${scale} decimals`))
      const deposits = await must(bank.get(`/v1/deposits?currency=${currency}`), 200)
      assert.is(deposits.data[0].amount, deposit)
    }),
  )
})

test('an own asset works in another process as soon as there are wallets in it', async () => {
  for (const name of ['FIRST', 'SECOND']) {
    const { client } = await world.signUp()
    const there = sessionAt(world, elsewhere, client)
    await must(there.get('/v1/session'), 200)
    const bankThere = sessionAt(world, elsewhere, bank)
    await must(bankThere.get('/v1/deposits'), 200)
    await register(name, 4)
    const wallet = await openWallet(client, name)
    const seen = await must(there.get('/v1/wallets'), 200)
    assert.equal(seen.data.at(-1), wallet)
    const reference = unique('there')
    const deposit = { wallet_id: wallet.id, amount: '0.0001', currency: name, reference }
    const booked = await must(bankThere.post('/v1/deposits', deposit), 201)
    assert.is(booked.amount, '0.0001')
    const history = await must(there.get(`/v1/wallets/${wallet.id}/transactions`), 200)
    assert.is(history.data[0].balance, '0.0001')
  }
})

test('a change arrives in every process', async () => {
  const there = world.client(elsewhere.url)
  const ours = world.client()
  for (const state of ['open', 'closed', 'open']) {
    await must(put(operator, 'THB', { state }), 200)
    const stateAt = async (client: Client) =>
      (await list(client)).find(({ currency }) => currency === 'THB')?.state
    assert.is(await stateAt(ours), state)
    await until(async () => (await stateAt(there)) === state)
  }
})

test('while notifications may be lost currencies are read again and again', async () => {
  const name = new URL(world.deps.config.databaseUrl).pathname.slice(1)
  await withConnection(process.env.DATABASE_URL ?? '', async (query) => {
    await list()
    await query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
    await query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = '${name}' AND application_name = 'kassa listen'`,
    )
    await world.deps.db
      .updateTable('currencies')
      .set({ name: 'Baht' })
      .where('currency', '=', 'THB')
      .execute()
    await until(async () => (await list()).some((currency) => currency.name === 'Baht'))
    await query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
  })
})

test('while PostgreSQL is away it is not known which there are', async () => {
  const { config, log } = world.deps
  const direct = new URL(config.databaseUrl)
  const proxy = await startTcpProxy({ target: direct.host })
  direct.host = proxy.address
  const database = { url: direct.href, poolSize: 2, connectTimeoutMs: 10_000 }
  const { db, close } = openDatabase({ ...database, onIdleError: () => {} })
  const settings = await createSettings({ db, databaseUrl: direct.href, log, nowMs: Date.now })
  const codeOfRead = () =>
    settings.read().then(
      ({ currencies }) => (currencies.has('THB') ? 'known' : 'unknown'),
      (error: unknown) => toRefusal(error).code,
    )
  assert.is(await codeOfRead(), 'known')
  await proxy.close()
  await until(async () => (await codeOfRead()) !== 'known')
  assert.is(await codeOfRead(), 'database_unavailable')
  await settings.close()
  await close()
})

test('there are at most a thousand own assets', async () => {
  const known = (await list()).filter(({ kind }) => kind === 'own').length
  await withConnection(world.deps.config.databaseUrl, (query) =>
    query(
      `INSERT INTO currencies (currency, ledger, scale, name, is_own)
       SELECT 'MANY' || n, nextval('own_ledgers'), 2, 'Many', true
       FROM generate_series(1, ${999 - known}) n`,
    ),
  )
  const replies = await Promise.all(
    ['LAST', 'MORE'].map((currency) =>
      operator.post('/v1/currencies', { currency, name: 'The last', scale: 2 }),
    ),
  )
  assert.equal(replies.map(({ status }) => status).sort(), [201, 409])
  const refused = replies.find(({ status }) => status === 409)
  if (refused) assertRefused(refused, 409, 'currency_limit_reached')
  const deposits = await must(bank.get('/v1/deposits?limit=200'), 200)
  assert.ok(deposits.data.some(({ currency }: Json) => currency === 'GRAINS'))
  await must(bank.get('/v1/withdrawals'), 200)
})

test.run()
