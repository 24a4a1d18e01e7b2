/** Exchanges where two want the same at once, where time runs out, or where something goes wrong. */
import { recover } from '../../server/flows/recovery.ts'
import { checkBooks } from '../lib/books.ts'
import { type Disturbance, disturb } from '../lib/disturb.ts'
import { addLiquidity, exchange, freshAsset, quoted, readHouse, setRate } from '../lib/exchange.ts'
import { type Client, type Json, sameSession } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pay, posted } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('exchanges at once')

let world: World
let bank: Client
let gold: string
let coin: string
/** A second Kassa, whose submissions to the ledger are disturbed. */
let url: string
let disturbance: Disturbance

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
  const operator = await world.operator()
  gold = (await freshAsset(world, 2)).currency
  coin = (await freshAsset(world, 0)).currency
  await must(setRate(operator, `${gold}/${coin}`, '10', { spread_basis_points: 1_000 }), 200)
  disturbance = disturb()
  url = (await world.startAnother({ adapt: disturbance.adapt })).url
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

interface Trader {
  client: Client
  /** The same person at the disturbed Kassa. */
  disturbed: Client
  gold: string
  coin: string
}

async function trader(): Promise<Trader> {
  const { client } = await world.signUp()
  const [first, second] = [await openWallet(client, gold), await openWallet(client, coin)]
  await fund(bank, first.id, '100.00', gold)
  const disturbed = sameSession(client, world.client(url))
  return { client, disturbed, gold: first.id, coin: second.id }
}

const quote = ({ client }: Trader, amount: string, more: Json = {}) =>
  quoted(client, { from: gold, to: coin, amount, ...more })
const state = async ({ client }: Trader, { id }: Json) =>
  (await must(client.get(`/v1/quotes/${id}`), 200)).state
const addCoins = (minor: bigint) => addLiquidity(world.deps.ledger, coin, minor)
const house = () => readHouse(world.deps.ledger, { currency: coin })
const balances = async ({ client, ...wallets }: Trader) => [
  await posted(client, wallets.gold),
  await posted(client, wallets.coin),
]

test('the same exchange twice over two processes: the right is posted once, both are told', async () => {
  await addCoins(100n)
  const ada = await trader()
  const asked = await quote(ada, '10.00')
  let first: Json
  disturbance.before(1, async () => {
    first = await must(exchange(ada.client, asked), 201)
  })
  const late = await exchange(ada.disturbed, asked)
  assert.equal([late.status, late.body], [201, first])
  assert.is(late.headers['idempotency-replayed'], 'true')
  assert.equal(await balances(ada), ['90.00', '90'])
})

test('twenty copies at once, at two processes, exchange once', async () => {
  await addCoins(100n)
  const ada = await trader()
  const asked = await quote(ada, '10.00')
  disturbance.reset()
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      exchange(index % 2 ? ada.client : ada.disturbed, asked),
    ),
  )
  assert.is(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size, 1)
  const replays = replies.filter(({ headers }) => headers['idempotency-replayed'] === 'true')
  assert.is(replays.length, 19)
  assert.equal(await balances(ada), ['90.00', '90'])
})

test('exchange against a payment by the same quote: the later one is told that it is used', async () => {
  await addCoins(100n)
  const [ada, ben] = [await trader(), await trader()]
  const asked = await quote(ada, '10.00')
  let payment: Json
  disturbance.before(1, async () => {
    const input = { quote_id: asked.id, to_wallet_id: ben.coin }
    payment = await must(pay(ada.client, input), 201)
  })
  const late = await exchange(ada.disturbed, asked)
  assertRefused(late, 409, 'quote_used')
  assert.is(late.body.exchange_id, payment.id)
  assert.equal(await balances(ada), ['90.00', '0'])
  assert.equal(await balances(ben), ['100.00', '90'])
})

test('exchange against the deadline: what has run out by the ledger is not done any more', async () => {
  const ada = await trader()
  const asked = await quote(ada, '10.00', { expires_in: 1 })
  disturbance.before(1, () => until(async () => (await state(ada, asked)) === 'expired'))
  assertRefused(await exchange(ada.disturbed, asked), 409, 'quote_expired')
  assertRefused(await exchange(ada.client, asked), 409, 'quote_expired')
  assert.equal(await balances(ada), ['100.00', '0'])
})

test('a process whose clock is slow cannot use a quote after its time', async () => {
  const ada = await trader()
  const slow = await world.startAnother({ nowMs: () => Date.now() - 60_000 })
  const client = sameSession(ada.client, world.client(slow.url))
  const asked = await quote(ada, '10.00', { expires_in: 1 })
  await until(async () => (await state(ada, asked)) === 'expired')
  assert.is((await must(client.get(`/v1/quotes/${asked.id}`), 200)).state, 'open')
  assertRefused(await exchange(client, asked), 409, 'quote_expired')
  assert.equal(await balances(ada), ['100.00', '0'])
})

test('fifty exchanges for liquidity that is enough for seven: seven happen', async () => {
  const { liquidity } = await house()
  // Each takes 10 coins out: 9 for the customer, and 1 that the house keeps.
  await addCoins(79n - liquidity)
  const traders = await Promise.all(Array.from({ length: 10 }, trader))
  const asked = await Promise.all(
    traders.flatMap((it) =>
      Array.from({ length: 5 }, async () => ({ by: it, quote: await quote(it, '1.00') })),
    ),
  )
  const before = await house()
  disturbance.reset()
  const replies = await Promise.all(
    asked.map(({ by, quote: it }, index) => exchange(index % 2 ? by.client : by.disturbed, it)),
  )
  assert.is(replies.filter(({ status }) => status === 201).length, 7)
  for (const reply of replies) {
    if (reply.status !== 201) assertRefused(reply, 422, 'liquidity_exhausted')
  }
  const after = await house()
  assert.equal(after, { liquidity: before.liquidity - 70n, spread: before.spread + 7n })
  // Those that were declined can be used later.
  await addCoins(430n)
  const again = await Promise.all(asked.map(({ by, quote: it }) => exchange(by.client, it)))
  assert.ok(again.every(({ status }) => status === 201))
  assert.equal(await house(), {
    liquidity: before.liquidity + 430n - 500n,
    spread: before.spread + 50n,
  })
})

test('a deposit that comes right before the exchange lets it happen, a payment keeps it from it', async () => {
  await addCoins(2_000n)
  const [ada, ben] = [await trader(), await trader()]
  const asked = await quote(ada, '100.01')
  disturbance.before(1, () => fund(bank, ada.gold, '0.01', gold))
  await must(exchange(ada.disturbed, asked), 201)
  const second = await quote(ben, '100.00')
  disturbance.before(1, () =>
    must(
      pay(ben.client, { from_wallet_id: ben.gold, to_wallet_id: ada.gold, amount: '0.01' }),
      201,
    ),
  )
  assertRefused(await exchange(ben.disturbed, second), 422, 'insufficient_funds')
  assert.is(await state(ben, second), 'open')
})

test('an exchange whose answer is lost leaves doubt; the same again tells the truth', async () => {
  await addCoins(100n)
  const ada = await trader()
  const asked = await quote(ada, '10.00')
  disturbance.loseAnswerOf(1)
  const doubt = await exchange(ada.disturbed, asked)
  assertRefused(doubt, 503, 'outcome_unknown')
  disturbance.reset()
  const truth = await exchange(ada.disturbed, asked)
  assert.is(truth.status, 201)
  assert.is(truth.headers['idempotency-replayed'], 'true')
  assert.is(truth.body.id, doubt.body.operation_id)
  assert.equal(await balances(ada), ['90.00', '90'])
})

test("a quote whose right comes late is nobody's; recovery has nothing to do", async () => {
  const ada = await trader()
  const later = { ...world.deps, nowMs: () => Date.now() + 120_000 }
  await recover(later)
  disturbance.loseAnswerOf(1)
  const input = { from: gold, to: coin, amount: '1.00', side: 'sell' }
  const doubt = await ada.disturbed.post('/v1/quotes', input)
  assertRefused(doubt, 503, 'ledger_unavailable')
  assert.is(doubt.body.operation_id, undefined)
  disturbance.reset()
  assert.equal(await recover(later), {})
  await quote(ada, '1.00')
})

test.run()
