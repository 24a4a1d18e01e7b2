import { checkBooks } from '../lib/books.ts'
import { addLiquidity, exchange, freshAsset, quoted, readHouse, setRate } from '../lib/exchange.ts'
import type { Client, Json } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pay, posted, unique } from '../lib/money.ts'
import { signUpNamed } from '../lib/payment-requests.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('exchange')

let world: World
let bank: Client
let operator: Client
/** Assets with two and with six decimals, which nobody else uses. */
let gold: string
let coin: string

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
  operator = await world.operator()
  gold = (await freshAsset(world, 2)).currency
  coin = (await freshAsset(world, 6)).currency
  await setGold('2.5')
  for (const currency of [gold, coin]) await addLiquidity(world.deps.ledger, currency, 10n ** 12n)
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

/** One unit of gold is worth so many coins. */
const setGold = (mid: string, more: Json = {}) =>
  must(setRate(operator, `${gold}/${coin}`, mid, more), 200)

interface Trader extends Person {
  username: string
  gold: string
  coin: string
}

/** Somebody with 100.00 of gold and no coins, in wallets that are not the first. */
async function trader(): Promise<Trader> {
  const person = await signUpNamed(world, 'trader')
  const [first, second] = [
    await openWallet(person.client, gold),
    await openWallet(person.client, coin),
  ]
  await fund(bank, first.id, '100.00', gold)
  return { ...person, gold: first.id, coin: second.id }
}

const sell = (amount: string, more: Json = {}) => ({ from: gold, to: coin, amount, ...more })

test('a quote tells both amounts, and the exchange moves them', async () => {
  const ada = await trader()
  const before = [await readHouse(world.deps.ledger, { currency: gold }), await house(coin)]
  const quote = await quoted(ada.client, sell('10.00'))
  const { id, expires_at, created_at, ...terms } = quote
  assert.equal(terms, {
    state: 'open',
    side: 'sell',
    from: gold,
    to: coin,
    from_amount: '10.00',
    to_amount: '24.875000',
    rate: '2.4875',
    mid: '2.5',
    spread_basis_points: 50,
    exchange_id: null,
  })
  assert.is(Date.parse(expires_at) - Date.parse(created_at), 30_000)
  assert.equal(await must(ada.client.get(`/v1/quotes/${id}`), 200), quote)
  assert.is(await posted(ada.client, ada.gold), '100.00')

  const reply = await exchange(ada.client, quote)
  const done = await must(Promise.resolve(reply), 201)
  assert.equal(
    { ...done, id: '', created_at: '' },
    {
      id: '',
      quote_id: id,
      from_wallet_id: ada.gold,
      to_wallet_id: ada.coin,
      from_amount: '10.00',
      from_currency: gold,
      to_amount: '24.875000',
      to_currency: coin,
      rate: '2.4875',
      mid: '2.5',
      spread_basis_points: 50,
      created_at: '',
    },
  )
  assert.is(reply.headers.location, `/v1/exchanges/${done.id}`)
  assert.equal(await must(ada.client.get(`/v1/exchanges/${done.id}`), 200), done)
  const used = await must(ada.client.get(`/v1/quotes/${id}`), 200)
  assert.equal(used, { ...quote, state: 'executed', exchange_id: done.id })
  assert.is(await posted(ada.client, ada.gold), '90.00')
  assert.is(await posted(ada.client, ada.coin), '24.875000')

  // The liquidity of the one grew by what was given; of the other, what was got and the spread have left.
  const [goldBefore, coinBefore] = before
  assert.is((await house(gold)).liquidity, goldBefore!.liquidity + 10_00n)
  const after = await house(coin)
  assert.is(after.liquidity, coinBefore!.liquidity - 25_000_000n)
  assert.is(after.spread, coinBefore!.spread + 125_000n)
})

const house = (currency: string) => readHouse(world.deps.ledger, { currency })

test('the same again is a replay, anything else with the quote is refused', async () => {
  const ada = await trader()
  const quote = await quoted(ada.client, sell('10.00'))
  const done = await must(exchange(ada.client, quote), 201)
  const again = await exchange(ada.client, quote)
  assert.equal([again.status, again.body], [201, done])
  assert.is(again.headers['idempotency-replayed'], 'true')
  // A wallet more makes the request ambiguous, but not what it did.
  await openWallet(ada.client, gold)
  assert.equal((await exchange(ada.client, quote)).body, done)
  const other = await exchange(ada.client, quote, { from_wallet_id: ada.gold })
  assertRefused(other, 409, 'quote_used')
  assert.is(other.body.exchange_id, done.id)
  const payment = { quote_id: quote.id, to_wallet_id: ada.coin }
  assertRefused(await pay(ada.client, payment), 409, 'quote_used')
  assert.is(await posted(ada.client, ada.gold), '90.00')
})

test('buying names what is got; the other direction is the exact inverse', async () => {
  const ada = await trader()
  const buy = await quoted(ada.client, { from: gold, to: coin, amount: '10', side: 'buy' })
  // 10 / 2.4875 = 4.0201...
  assert.equal([buy.from_amount, buy.to_amount], ['4.03', '10.000000'])
  await must(exchange(ada.client, buy), 201)
  const back = await quoted(ada.client, { from: coin, to: gold, amount: '10' })
  assert.equal([back.to_amount, back.rate, back.mid], ['3.98', '0.398', '0.4'])
  await must(exchange(ada.client, back), 201)
  assert.is(await posted(ada.client, ada.gold), '99.95')
  assert.is(await posted(ada.client, ada.coin), '0.000000')
})

test('a quote pays a wallet of another currency, and both sides see both amounts', async () => {
  const [ada, ben] = [await trader(), await trader()]
  const quote = await quoted(ada.client, sell('10.00'))
  const input = { quote_id: quote.id, to_username: ben.username, memo: 'lunch' }
  const reply = await pay(ada.client, input)
  const payment = await must(Promise.resolve(reply), 201)
  const { id, created_at } = payment
  assert.equal(payment, {
    id,
    kind: 'exchange',
    from_wallet_id: ada.gold,
    to_wallet_id: ben.coin,
    amount: '10.00',
    currency: gold,
    received: { amount: '24.875000', currency: coin },
    memo: 'lunch',
    created_at,
  })
  for (const { client } of [ada, ben]) {
    assert.equal(await must(client.get(`/v1/transfers/${id}`), 200), payment)
  }
  assertRefused(await pay(ada.client, input, unique('key')), 422, 'invalid_request')
  const replay = await pay(ada.client, input)
  assert.equal([replay.status, replay.body], [201, payment])
  assert.is(replay.headers['idempotency-replayed'], 'true')
  assertRefused(await pay(ada.client, { ...input, memo: 'dinner' }), 409, 'quote_used')
  // The terms are the payer's business.
  assert.is((await must(ada.client.get(`/v1/exchanges/${id}`), 200)).quote_id, quote.id)
  assertRefused(await ben.client.get(`/v1/exchanges/${id}`), 404, 'exchange_not_found')
  assertRefused(await (await trader()).client.get(`/v1/transfers/${id}`), 404, 'transfer_not_found')

  const line = async ({ client }: Person, wallet: string) => {
    const { data } = await must(client.get(`/v1/wallets/${wallet}/transactions?limit=1`), 200)
    const { kind, direction, amount, counterparty, memo, exchange_id, exchanged } = data[0]
    return [kind, direction, amount, counterparty.username, memo, exchange_id, exchanged]
  }
  assert.equal(await line(ada, ada.gold), [
    'exchange_sale',
    'out',
    '10.00',
    ben.username,
    'lunch',
    id,
    { amount: '24.875000', currency: coin },
  ])
  assert.equal(await line(ben, ben.coin), [
    'exchange_purchase',
    'in',
    '24.875000',
    ada.username,
    'lunch',
    id,
    { amount: '10.00', currency: gold },
  ])
  for (const { client } of [ada, ben]) {
    const refund = await client.post(`/v1/transfers/${id}/refunds`, {})
    assertRefused(refund, 422, 'exchange_not_refundable')
  }
})

test('what is declined leaves the quote open', async () => {
  const ada = await trader()
  const ben = await world.signUp()
  const quote = await quoted(ada.client, sell('100.01'))
  const poor = await exchange(ada.client, quote)
  assertRefused(poor, 422, 'insufficient_funds')
  assert.equal([poor.body.available, poor.body.required], ['100.00', '100.01'])
  const freeze = (id: string, step: string) =>
    must(operator.post(`/v1/wallets/${id}/${step}`, { reason: 'test' }), 200)
  await freeze(ada.coin, 'freeze')
  await fund(bank, ada.gold, '0.01', gold)
  assertRefused(await exchange(ada.client, quote), 422, 'recipient_closed')
  await freeze(ada.coin, 'thaw')
  await freeze(ada.gold, 'freeze')
  assertRefused(await exchange(ada.client, quote), 422, 'wallet_closed')
  await freeze(ada.gold, 'thaw')
  // The recipient's wallet is of a third currency, by its id and by its number.
  const wrong = { quote_id: quote.id, to_wallet_id: ben.walletId }
  assertRefused(await pay(ada.client, wrong), 422, 'currency_mismatch')
  const number = { quote_id: quote.id, to_wallet_id: ben.walletNumber }
  assertRefused(await pay(ada.client, number), 422, 'currency_mismatch')
  const gone = { quote_id: quote.id, to_wallet_id: '01a1fab2-978e-7025-852d-ee6de70c2fb2' }
  assertRefused(await pay(ada.client, gone), 422, 'recipient_not_found')
  const system = { quote_id: quote.id, to_wallet_id: '5c1e7f7a-0f5c-8b52-a1bd-6f4f5d1c3a90' }
  assertRefused(await pay(ada.client, system), 422, 'recipient_not_found')
  assert.is((await must(ada.client.get(`/v1/quotes/${quote.id}`), 200)).state, 'open')
  await must(exchange(ada.client, quote, { to_wallet_id: ada.coin }), 201)
})

test("a quote is its owner's, and the wallets have to be, too", async () => {
  const [ada, eve] = [await trader(), await trader()]
  const quote = await quoted(ada.client, sell('1.00'))
  assertRefused(await eve.client.get(`/v1/quotes/${quote.id}`), 404, 'quote_not_found')
  assertRefused(await exchange(eve.client, quote), 404, 'quote_not_found')
  const theft = { quote_id: quote.id, to_wallet_id: eve.coin }
  assertRefused(await pay(eve.client, theft), 404, 'quote_not_found')
  const strange = { from_wallet_id: eve.gold }
  assertRefused(await exchange(ada.client, quote, strange), 404, 'wallet_not_found')
  const swapped = { from_wallet_id: ada.coin }
  assertRefused(await exchange(ada.client, quote, swapped), 422, 'currency_mismatch')
  await openWallet(ada.client, coin)
  const ambiguous = await exchange(ada.client, quote)
  assertRefused(ambiguous, 422, 'wallet_ambiguous')
  assert.is(ambiguous.body.errors[0].pointer, '/to_wallet_id')
  for (const client of [bank, operator]) {
    assertRefused(await client.post('/v1/quotes', sell('1.00')), 403, 'role_not_allowed')
    assertRefused(await exchange(client, quote), 403, 'role_not_allowed')
  }
  assertRefused(await exchange(world.client(), quote), 401, 'not_signed_in')
})

test('amounts and pairs that cannot be exchanged are refused', async () => {
  const ada = await trader()
  const ask = (more: Json) => ada.client.post('/v1/quotes', { side: 'sell', ...sell('1'), ...more })
  const refused: [Json, string][] = [
    [{ amount: '0' }, 'amount_not_positive'],
    [{ amount: '-1' }, 'amount_not_positive'],
    [{ amount: '0.001' }, 'amount_too_precise'],
    [{ amount: '0.0000001', side: 'buy' }, 'amount_too_precise'],
    [{ amount: '1e3' }, 'amount_malformed'],
    [{ amount: 'NaN' }, 'amount_malformed'],
    [{ amount: String(2n ** 127n) }, 'amount_too_large'],
    [{ amount: String(2n ** 120n) }, 'amount_too_large'],
    [{ from: coin, to: gold, amount: '0.000001' }, 'amount_too_small'],
    [{ to: gold }, 'invalid_request'],
    [{ to: 'XXX' }, 'currency_not_supported'],
    [{ to: 'USD' }, 'no_exchange_rate'],
    [{ expires_in: 0 }, 'invalid_request'],
    [{ expires_in: 121 }, 'invalid_request'],
    [{ side: 'swap' }, 'invalid_request'],
  ]
  for (const [input, code] of refused) assertRefused(await ask(input), 422, code)
  for (const amount of ['1', undefined]) {
    const both = { quote_id: unique('').slice(1), to_wallet_id: ada.coin, amount, currency: gold }
    assertRefused(await pay(ada.client, both), 422, 'invalid_request')
  }
  assertRefused(await pay(ada.client, { to_wallet_id: ada.coin }), 422, 'invalid_request')
})

test('a quote keeps its terms when the rate changes, and ends with its own time', async () => {
  const ada = await trader()
  const quote = await quoted(ada.client, sell('10.00'))
  await setGold('2.6', { spread_basis_points: 0 })
  const dear = await quoted(ada.client, sell('10.00', { expires_in: 1 }))
  assert.equal([quote.to_amount, dear.to_amount], ['24.875000', '26.000000'])
  assert.is((await must(exchange(ada.client, quote), 201)).to_amount, '24.875000')
  // Without a spread there is no leg for it.
  const { spread } = await house(coin)
  const free = await quoted(ada.client, sell('1.00'))
  assert.is((await must(exchange(ada.client, free), 201)).rate, '2.6')
  assert.is((await house(coin)).spread, spread)
  const read = () => must(ada.client.get(`/v1/quotes/${dear.id}`), 200)
  await until(async () => (await read()).state === 'expired')
  assertRefused(await exchange(ada.client, dear), 409, 'quote_expired')
  assert.is(await posted(ada.client, ada.gold), '89.00')
  await setGold('2.5')
})

test('no quote outlives its rate, and an expired rate gives none', async () => {
  const ada = await trader()
  const soon = new Date(Date.now() + 2_500)
  await setGold('2.5', { valid_until: soon.toISOString() })
  const quote = await quoted(ada.client, sell('1.00', { expires_in: 120 }))
  assert.ok(Date.parse(quote.expires_at) - Date.parse(quote.created_at) <= 2_000)
  const ask = () => ada.client.post('/v1/quotes', { side: 'sell', ...sell('1.00') })
  await until(() => Date.now() >= soon.getTime())
  assertRefused(await ask(), 422, 'no_exchange_rate')
  await setGold('2.5')
  await must(ask(), 201)
})

test('twenty quotes can be open, also when they are asked for at once', async () => {
  const ada = await trader()
  const ask = () => ada.client.post('/v1/quotes', { side: 'sell', ...sell('1.00') })
  const replies = await Promise.all(Array.from({ length: 25 }, ask))
  assert.is(replies.filter(({ status }) => status === 201).length, 20)
  assertRefused(await ask(), 409, 'too_many_quotes_open')
})

test('without liquidity nothing is exchanged, and the quote can be used when there is some', async () => {
  const ada = await trader()
  const silver = (await freshAsset(world, 0)).currency
  await must(setRate(operator, `${gold}/${silver}`, '100'), 200)
  await openWallet(ada.client, silver)
  const quote = await quoted(ada.client, { from: gold, to: silver, amount: '1.00' })
  assert.is(quote.to_amount, '99')
  assertRefused(await exchange(ada.client, quote), 422, 'liquidity_exhausted')
  // Enough for what is got, but not for the spread.
  await addLiquidity(world.deps.ledger, silver, 99n)
  assertRefused(await exchange(ada.client, quote), 422, 'liquidity_exhausted')
  await addLiquidity(world.deps.ledger, silver, 1n)
  await must(exchange(ada.client, quote), 201)
  assert.equal(await house(silver), { liquidity: 0n, spread: 1n })
})

test.run()
