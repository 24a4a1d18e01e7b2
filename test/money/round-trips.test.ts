import type { Kassa } from '../../server/main.ts'
import { setFee } from '../lib/fees.ts'
import type { Client } from '../lib/http.ts'
import { setLimit } from '../lib/limits.ts'
import { fund, openWallet, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { startTcpProxy, type TcpProxy } from '../lib/tcp-proxy.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('round trips to PostgreSQL')

/** Kassa reaches PostgreSQL through a proxy, which sees all that it is asked, by whatever library. */
let world: World
let proxy: TcpProxy
let kassa: Kassa
let payer: Person
let payee: Person
/** What was sent to PostgreSQL, without heartbeats, jobs and what follows the ledger beside the requests. */
let sent: string[] = []
/** Connections that serve no requests. */
const background = new Set<number>()

test.before(async () => {
  world = await createWorld()
  const direct = new URL(world.deps.config.databaseUrl)
  proxy = await startTcpProxy({
    target: direct.host,
    onRequest(chunk, connection) {
      const text = chunk.toString('latin1')
      if (/kassa listen|graphile_worker/.test(text)) background.add(connection)
      if (!background.has(connection) && !/tail_(cursors|deadlines)/.test(text)) sent.push(text)
    },
  })
  direct.host = proxy.address
  kassa = await world.startAnother({ env: { DATABASE_URL: direct.href } })
  payer = await world.signUp()
  payee = await world.signUp()
  await fund(await world.paymentSystem(), payer.walletId, '1000.00')
})

test.after(async () => {
  await world.stop()
  await proxy.close()
})

/** The payer's session, at the Kassa behind the proxy. */
function observed(): Client {
  const client = world.client(kassa.url)
  for (const [name, value] of payer.client.cookies) client.cookies.set(name, value)
  return client
}

/** What PostgreSQL is asked during `work`. */
async function asked(work: () => Promise<unknown>): Promise<string[]> {
  sent = []
  await work()
  return sent
}

const stretch = 10
const stretchesMax = 20

/**
 * Ten requests in a row that cost nothing. A session is read again when the proof that no
 * notification is missing got too old, as on a machine that is busy: then another ten are tried.
 */
async function costsNothing(send: (client: Client) => Promise<unknown>): Promise<boolean> {
  const client = observed()
  for (let tries = 0; tries < stretchesMax; tries += 1) {
    await must(client.get('/v1/session'), 200)
    const queries = await asked(async () => {
      for (let count = 0; count < stretch; count += 1) await send(client)
    })
    if (queries.length === 0) return true
    assert.ok(
      queries.every((query) => !/insert|update|delete/i.test(query)),
      `PostgreSQL was asked ${queries.join()}`,
    )
  }
  return false
}

test('the proxy sees what PostgreSQL is asked', async () => {
  const queries = await asked(() => observed().get('/v1/wallets'))
  assert.match(queries.join(), /select .* from "wallets"/)
})

test('a payment to a wallet id costs none, with a key or without', async () => {
  const input = { to_wallet_id: payee.walletId, amount: '1' }
  const before = Number(await posted(payee.client, payee.walletId))
  assert.ok(await costsNothing((client) => must(pay(client, input, unique('key')), 201)))
  assert.ok(await costsNothing((client) => must(pay(client, input), 201)))
  assert.ok(Number(await posted(payee.client, payee.walletId)) >= before + 2 * stretch)
})

test('nor does a payment that costs a fee', async () => {
  const operator = await world.operator()
  await setFee(operator, 'payment', { fixed: '0.01' })
  const input = { to_wallet_id: payee.walletId, amount: '1' }
  // From the first on that the other process knows of the fee.
  await until(async () => (await pay(observed(), input)).body.fee !== undefined)
  const key = unique('fee')
  const paid = (client: Client, by?: string) => must(pay(client, input, by), 201)
  assert.ok(await costsNothing((client) => paid(client, unique('key'))))
  assert.ok(await costsNothing((client) => paid(client, key)))
  assert.equal((await paid(observed(), key)).fee, { amount: '0.01', borne_by: 'sender' })
  await setFee(operator, 'payment')
})

test('a replay costs none', async () => {
  const input = { to_wallet_id: payee.walletId, amount: '1' }
  const key = unique('key')
  assert.ok(await costsNothing((client) => must(pay(client, input, key), 201)))
})

test('a payment within limits costs none either', async () => {
  const operator = await world.operator()
  await setLimit(operator, payer.userId, '5000.00')
  await setLimit(operator, payer.userId, '9000.00', { window: 'month' })
  const input = { to_wallet_id: payee.walletId, amount: '1' }
  assert.ok(await costsNothing((client) => must(pay(client, input, unique('key')), 201)))
  const { data } = await must(payer.client.get('/v1/limits'), 200)
  assert.ok(data.every(({ used }: { used: string }) => Number(used) >= stretch))
})

test('naming the paying wallet and the currency costs none, with several wallets too', async () => {
  const euros = await openWallet(payer.client, 'EUR')
  const from_wallet_id = payer.walletId
  const input = { from_wallet_id, to_wallet_id: payee.walletId, amount: '1', currency: 'USD' }
  assert.ok(await costsNothing((client) => must(pay(client, input), 201)))
  const own = { from_wallet_id: euros.id, to_wallet_id: payee.walletId, amount: '1' }
  assert.is((await pay(observed(), own)).body.code, 'currency_mismatch')
})

test('a memo is one statement for all that are written together', async () => {
  const input = { to_wallet_id: payee.walletId, from_wallet_id: payer.walletId, amount: '1' }
  const client = observed()
  await must(client.get('/v1/session'), 200)
  const queries = await asked(() =>
    Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        must(pay(client, { ...input, memo: `memo ${index}` }), 201),
      ),
    ),
  )
  const inserts = queries.filter((query) => /insert into memos/i.test(query))
  assert.ok(inserts.length > 0 && inserts.length < 25, `${inserts.length} statements`)
})

test.run()
