import { execFileSync } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { updateRates } from '../../server/flows/update-rates.ts'
import type { Kassa } from '../../server/main.ts'
import { createRateProviders } from '../../server/rates/index.ts'
import { readRates } from '../../server/rates/provider.ts'
import { freshAsset, quoted, setRate } from '../lib/exchange.ts'
import { type Client, type Json, sameSession } from '../lib/http.ts'
import { assertRefused, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('exchange rates of operators and providers')

let world: World
let operator: Client
let ada: Client
let second: Kassa

test.before(async () => {
  world = await createWorld()
  operator = await world.operator()
  ada = (await world.signUp()).client
  second = await world.startAnother()
})
test.after(() => world.stop())

const inForce = async (client = ada): Promise<Json[]> =>
  (await must(client.get('/v1/exchange-rates'), 200)).data
const midOf = async (base: string, client = ada): Promise<string | undefined> =>
  (await inForce(client)).find((rate) => rate.base === base)?.mid

test('a rate is in force in every process at once or within a second, and has a history', async () => {
  const rate = await must(setRate(operator, 'EUR/USD', '1.08430'), 200)
  const { id, valid_until, created_at, ...values } = rate
  assert.equal(values, {
    base: 'EUR',
    quote: 'USD',
    mid: '1.0843',
    spread_basis_points: 50,
    source: 'test',
  })
  assert.equal(await inForce(), [rate])
  assert.equal(await inForce(await world.paymentSystem()), [rate])
  const far = sameSession(ada, world.client(second.url))
  const changedAt = Date.now()
  // In the other direction: of the pair the newest counts.
  const inverse = await must(setRate(operator, 'USD/EUR', '0.92'), 200)
  assert.equal(await inForce(), [inverse])
  await until(async () => (await midOf('USD', far)) === '0.92')
  assert.ok(Date.now() - changedAt < 5_000)
  const history = await must(operator.get('/v1/exchange-rates/EUR/USD/history?limit=1'), 200)
  assert.equal(history.data, [inverse])
  const rest = await must(
    operator.get(`/v1/exchange-rates/EUR/USD/history?cursor=${history.next_cursor}`),
    200,
  )
  assert.equal(rest, { data: [rate], next_cursor: null })
  const page = '/v1/exchange-rates/EUR/USD/history?cursor=x'
  assertRefused(await operator.get(page), 422, 'invalid_cursor')
})

test('what is written as a JSON number counts to its last digit', async () => {
  const digits = '123456789012345678.123456789012345678'
  const valid_until = new Date(Date.now() + 60_000).toISOString()
  const text = `{"mid": ${digits}, "spread_basis_points": 0, "source": "test", "valid_until": "${valid_until}"}`
  const headers = { 'content-type': 'application/json' }
  const reply = operator.send('PUT', '/v1/exchange-rates/GBP/JPY', { text, headers })
  assert.is((await must(reply, 200)).mid, digits)
  const quote = await quoted(ada, { from: 'GBP', to: 'JPY', amount: '0.01' })
  assert.is(quote.to_amount, '1234567890123456')
})

test('a rate is set once under its key, and what is no rate is refused', async () => {
  const key = unique('rate')
  const valid_until = new Date(Date.now() + 60_000).toISOString()
  const set = (mid: string) => setRate(operator, 'CHF/USD', mid, { valid_until }, key)
  const rate = await must(set('1.1'), 200)
  const replay = await set('1.10')
  assert.equal([replay.status, replay.body], [200, rate])
  assert.is(replay.headers['idempotency-replayed'], 'true')
  assertRefused(await set('1.2'), 409, 'idempotency_key_reused')

  for (const mid of ['0', '-1', '1e3', 'NaN', '', '1,5', `1${'0'.repeat(18)}`, true, null, {}]) {
    const reply = await setRate(operator, 'CHF/USD', mid as string)
    assertRefused(reply, 422, 'invalid_request', `${mid}`)
  }
  const wrong: Json[] = [
    { spread_basis_points: 5_001 },
    { spread_basis_points: -1 },
    { spread_basis_points: 0.5 },
    { source: '' },
    { valid_until: 'tomorrow' },
    { valid_until: new Date(Date.now() - 1).toISOString() },
    { bid: 1 },
  ]
  for (const more of wrong) {
    const reply = await setRate(operator, 'CHF/USD', '1.1', more)
    assertRefused(reply, 422, 'invalid_request', JSON.stringify(more))
  }
  assertRefused(await setRate(operator, 'CHF/CHF', '1'), 422, 'invalid_request')
  assertRefused(await setRate(operator, 'CHF/XXX', '1'), 422, 'currency_not_supported')
  for (const client of [ada, await world.paymentSystem()]) {
    assertRefused(await setRate(client, 'CHF/USD', '1'), 403, 'role_not_allowed')
    const history = await client.get('/v1/exchange-rates/CHF/USD/history')
    assertRefused(history, 403, 'role_not_allowed')
  }
  assertRefused(await world.client().get('/v1/exchange-rates'), 401, 'not_signed_in')
  assert.is(await midOf('CHF'), '1.1')
})

const soon = (seconds = 60) => new Date(Date.now() + seconds * 1000).toISOString()

/** A document of a provider; mids are written as they are. */
function document(rates: [base: string, quote: string, mid: string, valid_until: string][]) {
  const rows = rates.map(
    ([base, quote, mid, valid_until]) =>
      `{"base": "${base}", "quote": "${quote}", "mid": ${mid}, "spread_basis_points": 25,
        "valid_until": "${valid_until}"}`,
  )
  return `{"source": "desk", "rates": [${rows.join()}]}`
}

test('providers: the first that tells a pair counts, and what did not change is left', async () => {
  const [a, b, c] = [
    (await freshAsset(world, 2)).currency,
    (await freshAsset(world, 2)).currency,
    (await freshAsset(world, 2)).currency,
  ]
  const file = join(tmpdir(), `kassa-${unique('rates')}.json`)
  let answer: { status: number; text: string } | 'nothing' = { status: 200, text: '' }
  const server = createServer((_request, response) => {
    if (answer === 'nothing') response.destroy()
    else response.writeHead(answer.status).end(answer.text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const providers = createRateProviders({
    exchangeRatesFile: file,
    exchangeRatesUrl: `http://127.0.0.1:${port}/rates?token=secret`,
  })
  const update = () => updateRates(world.deps, providers)
  try {
    const until1 = soon()
    await writeFile(file, document([[a, 'USD', '1.000000000000000001', until1]]))
    const text = document([
      [a, 'USD', '1.05', until1],
      [b, 'USD', '2', until1],
      ['XXX', 'USD', '2', until1],
      [c, 'USD', '0', until1],
      [c, c, '1', until1],
    ])
    answer = { status: 200, text }
    assert.is(await update(), 2)
    assert.is(await midOf(a), '1.000000000000000001')
    assert.is(await midOf(b), '2')
    assert.is(await midOf(c), undefined)
    assert.is(await update(), 0)

    // Extended, and a little different.
    const until2 = soon(120)
    await writeFile(file, document([[a, 'USD', '1.000000000000000001', until2]]))
    answer = { status: 200, text: document([[b, 'USD', '2.2', until2]]) }
    assert.is(await update(), 2)
    const extended = (await inForce()).find(({ base }) => base === a)
    assert.is(Date.parse(extended.valid_until), Date.parse(until2))

    // More than ten percent away waits for an operator, and so does its inverse.
    answer = { status: 200, text: document([[b, 'USD', '2.5', until2]]) }
    assert.is(await update(), 0)
    answer = { status: 200, text: document([['USD', b, '0.6', until2]]) }
    assert.is(await update(), 0)
    assert.is(await midOf(b), '2.2')
    await must(setRate(operator, `${b}/USD`, '2.5'), 200)
    answer = { status: 200, text: document([[b, 'USD', '2.6', until2]]) }
    assert.is(await update(), 1)

    // What is no rate of a pair that has one is left out alone.
    for (const [index, mid] of ['1e-7', '"two"', '0', '-2.6'].entries()) {
      await writeFile(file, document([[a, 'USD', mid, until2]]))
      answer = { status: 200, text: document([[b, 'USD', `2.6${index + 1}`, until2]]) }
      assert.is(await update(), 1, mid)
    }
    answer = { status: 200, text: document([[b, 'USD', '2.6', until2]]) }
    assert.is(await update(), 1)

    // A provider that fails changes nothing, and keeps no other from being read.
    await writeFile(file, document([[a, 'USD', '1.01', until2]]))
    const next = document([[b, 'USD', '2.61', until2]])
    const failures = [
      { status: 500, text: next },
      { status: 200, text: next.slice(1) },
      { status: 200, text: next.replace('"rates"', '"prices"') },
      { status: 200, text: `${next}${' '.repeat(5 * 1024 * 1024)}` },
      'nothing',
    ] as const
    for (const [index, failure] of failures.entries()) {
      answer = failure
      assert.is(await update(), index === 0 ? 1 : 0)
    }
    assert.equal([await midOf(a), await midOf(b)], ['1.01', '2.6'])
    answer = { status: 200, text: next }
    await writeFile(file, 'no JSON')
    assert.is(await update(), 1)
  } finally {
    server.close()
    await rm(file, { force: true })
  }
})

test('a file that does not answer holds nobody up, and is not read again meanwhile', async () => {
  const { currency } = await freshAsset(world, 2)
  const pipe = join(tmpdir(), `kassa-${unique('rates')}`)
  execFileSync('mkfifo', [pipe])
  const [silent] = createRateProviders({ exchangeRatesFile: pipe, exchangeRatesUrl: undefined })
  let mid = 1
  const other = {
    name: 'another',
    async read() {
      mid *= 1.05
      return readRates(document([[currency, 'USD', String(mid), soon()]]))
    },
  }
  assert.is(await updateRates(world.deps, [silent!, other]), 1)
  await assert.rejects(silent!.read(AbortSignal.timeout(60_000)), /does not answer/)
  assert.is(await updateRates(world.deps, [silent!, other]), 1)
  // Whoever opens it for writing lets the reading end.
  await writeFile(pipe, '')
  await rm(pipe)
})

test('the job reads the file of the settings', async () => {
  const { currency } = await freshAsset(world, 2)
  const file = join(tmpdir(), `kassa-${unique('rates')}.json`)
  await writeFile(file, document([[currency, 'USD', '3', soon()]]))
  const kassa = await world.startAnother({ env: { EXCHANGE_RATES_FILE: file } })
  const providers = createRateProviders(kassa.deps.config)
  assert.equal(
    providers.map(({ name }) => name),
    [`file ${file}`],
  )
  assert.is(await updateRates(kassa.deps, providers), 1)
  await until(async () => (await midOf(currency)) === '3')
  await rm(file)
})

test.run()
