import type { Kassa } from '../../server/main.ts'
import { checkBooks } from '../lib/books.ts'
import { assertUnknown, createDoubtfulWorld, type DoubtfulWorld, queueLimit } from '../lib/doubt.ts'
import { setRate } from '../lib/exchange.ts'
import { type Client, isReplay, type Reply } from '../lib/http.ts'
import { assertRefused, fund, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import type { TcpProxy } from '../lib/tcp-proxy.ts'
import { until } from '../lib/until.ts'
import { defaultPassword, must, type World } from '../lib/world.ts'

const test = suite('a ledger that does not answer')

let world: World
let bank: Client
let through: DoubtfulWorld['through']
let pair: DoubtfulWorld['pair']
let bringIntoDoubt: DoubtfulWorld['bringIntoDoubt']
let recover: DoubtfulWorld['recover']
let stop: DoubtfulWorld['stop']
let kassa: Kassa
let proxy: TcpProxy

test.before(async () => {
  ;({ world, bank, through, pair, bringIntoDoubt, recover, stop, kassa, proxy } =
    await createDoubtfulWorld())
})
test.after.each(() => recover())
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await stop()
})

function assertUnavailable(reply: Reply): void {
  assertRefused(reply, 503, 'ledger_unavailable')
  assert.match(String(reply.headers['retry-after']), /^[1-9]\d*$/)
}

test('a payment whose answer is lost is in doubt; the same key tells that it happened', async () => {
  const { ada, ben, payer } = await pair('10.00')
  const key = unique('key')
  const input = { to_wallet_id: ben.walletId, amount: '3' }
  const doubt = await bringIntoDoubt('answers', () => pay(payer, input, key))
  assert.is(await posted(ben.client, ben.walletId), '3.00')
  assertUnavailable(await pay(payer, input, key))
  await recover()
  const truth = await pay(payer, input, key)
  assert.is(truth.status, 201)
  assert.ok(isReplay(truth))
  assert.is(truth.body.id, doubt.body.operation_id)
  const direct = await pay(ada.client, input, key)
  assert.equal(direct.body, truth.body)
  assert.is(await posted(ben.client, ben.walletId), '3.00')
})

test('a payment that has not arrived is in doubt; the same key pays it once', async () => {
  const { ben, payer } = await pair('10.00')
  const key = unique('key')
  const input = { to_wallet_id: ben.walletId, amount: '3' }
  const doubt = await bringIntoDoubt('requests', () => pay(payer, input, key))
  assert.is(await posted(ben.client, ben.walletId), '0.00')
  await recover()
  const truth = await pay(payer, input, key)
  assert.is(truth.status, 201)
  assert.is(truth.body.id, doubt.body.operation_id)
  assert.is(await posted(ben.client, ben.walletId), '3.00')
})

test('the other process can tell the truth first; what arrives late pays nothing again', async () => {
  const { ada, ben, payer } = await pair('10.00')
  const key = unique('key')
  const input = { to_wallet_id: ben.walletId, amount: '3' }
  await bringIntoDoubt('requests', () => pay(payer, input, key))
  const direct = await pay(ada.client, input, key)
  assert.is(direct.status, 201)
  assert.not(isReplay(direct))
  await recover()
  assert.ok(isReplay(await pay(payer, input, key)))
  assert.is(await posted(ben.client, ben.walletId), '3.00')
})

test('a decline in doubt is told as a decline later, and stays one', async () => {
  const { ada, ben, payer } = await pair('1.00')
  const key = unique('key')
  const input = { to_wallet_id: ben.walletId, amount: '3' }
  await bringIntoDoubt('answers', () => pay(payer, input, key))
  await fund(bank, ada.walletId, '10.00')
  await recover()
  const truth = await pay(payer, input, key)
  assertRefused(truth, 422, 'declined')
  assert.ok(isReplay(truth))
  assert.is(await posted(ben.client, ben.walletId), '0.00')
})

test('a deposit in doubt is told by its reference', async () => {
  const { ada } = await pair('0')
  const input = {
    wallet_id: ada.walletId,
    amount: '7',
    currency: 'USD',
    reference: unique('doubt'),
  }
  const doubt = await bringIntoDoubt('answers', () => through(bank).post('/v1/deposits', input))
  await recover()
  const truth = await through(bank).post('/v1/deposits', input)
  assert.is(truth.status, 201)
  assert.ok(isReplay(truth))
  assert.is(truth.body.id, doubt.body.operation_id)
  assert.is(await posted(ada.client, ada.walletId), '7.00')
})

test('a ledger that is known not to answer gets nothing more; that is told at once', async () => {
  const { ada, ben, payer } = await pair('10.00')
  const input = { to_wallet_id: ben.walletId, amount: '3' }
  proxy.hold('requests')
  assertUnavailable(await payer.get('/v1/wallets'))
  const key = unique('key')
  const { pending } = kassa.deps.ledger
  assertUnavailable(await pay(payer, input, key))
  assertUnavailable(await payer.get(`/v1/wallets/${ada.walletId}`))
  assertUnavailable(await payer.get(`/v1/wallets/${ada.walletId}/transactions`))
  assert.is(kassa.deps.ledger.pending, pending, 'nothing was submitted')
  await recover()
  const reply = await pay(payer, input, key)
  assert.is(reply.status, 201)
  assert.not(isReplay(reply))
  assert.is(await posted(ben.client, ben.walletId), '3.00')
})

test('who asks for quotes meanwhile has none open when the ledger answers again', async () => {
  const { payer } = await pair('0')
  await must(setRate(await world.operator(), 'USD/EUR', '0.9'), 200)
  const ask = () => payer.post('/v1/quotes', { from: 'USD', to: 'EUR', amount: '10', side: 'sell' })
  await until(async () => (await ask()).status === 201)
  proxy.hold('requests')
  for (let count = 0; count < 25; count += 1) assertUnavailable(await ask())
  await recover()
  await must(ask(), 201)
})

test('more calls than may wait for the ledger are refused at once', async () => {
  const { ben, payer } = await pair('10.00')
  const input = { to_wallet_id: ben.walletId, amount: '1' }
  const keys = Array.from({ length: queueLimit + 3 }, () => unique('key'))
  let refused: Reply[] = []
  await bringIntoDoubt('requests', async () => {
    const replies = await Promise.all(keys.map((key) => pay(payer, input, key)))
    refused = replies.filter(({ body }) => body.code === 'ledger_unavailable')
    const waited = replies.filter((reply) => !refused.includes(reply))
    waited.forEach(assertUnknown)
    return waited[0] ?? replies[0]!
  })
  assert.ok(refused.length >= 3)
  await recover()
  for (const key of keys) assert.is((await pay(payer, input, key)).status, 201)
  assert.is(await posted(ben.client, ben.walletId), '7.00')
})

test('connections that break are made again, and nothing is lost or paid twice', async () => {
  const { ben, payer } = await pair('20.00')
  const input = { to_wallet_id: ben.walletId, amount: '1' }
  const keys = Array.from({ length: 20 }, () => unique('key'))
  const paying = keys.map((key) => pay(payer, input, key))
  await Promise.race(paying)
  proxy.cut()
  for (const { status, body } of await Promise.all(paying)) {
    assert.ok([201, 503].includes(status), `${status} ${JSON.stringify(body)}`)
  }
  for (const key of keys) {
    await until(async () => isReplay(await pay(payer, input, key)))
  }
  assert.is(await posted(ben.client, ben.walletId), '20.00')
})

test('who signs up meanwhile has a wallet as soon as the ledger answers', async () => {
  proxy.hold('requests')
  const client = world.client(kassa.url)
  const person = { email: `${unique('new')}@example.com`, password: defaultPassword }
  await must(client.post('/v1/users', person), 201)
  assertUnavailable(await client.get('/v1/wallets'))
  await recover()
  const { data } = await must(client.get('/v1/wallets'), 200)
  assert.equal(data[0].balance, { posted: '0.00', held: '0.00', available: '0.00' })
  await fund(bank, data[0].id, '1.00')
  assert.is(await posted(client, data[0].id), '1.00')
})

test('readyz tells of the ledger', async () => {
  proxy.hold('requests')
  const client = world.client(kassa.url)
  assert.is((await client.get('/readyz')).status, 503)
  assert.is((await client.get('/livez')).status, 200)
  await recover()
  await until(async () => (await client.get('/readyz')).status === 200)
})

test.run()
