import type { Kassa } from '../../server/main.ts'
import { assert, suite } from '../lib/suite.ts'
import { startTcpProxy, type TcpProxy } from '../lib/tcp-proxy.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('a payment in doubt, as a page')

/** One Kassa reaches the ledger directly; the one under test reaches it through a proxy. */
let world: World
let proxy: TcpProxy
let kassa: Kassa

test.before(async () => {
  world = await createWorld()
  proxy = await startTcpProxy({ target: world.deps.config.tigerbeetleAddresses[0] ?? '' })
  kassa = await world.startAnother({
    env: { TIGERBEETLE_ADDRESSES: proxy.address, LEDGER_DEADLINE_MS: '1000' },
  })
  // The ledger's client makes its connection with the first call.
  await must(world.client(kassa.url).get('/readyz'), 200)
})
test.after(async () => {
  await world.stop()
  await proxy.close()
})

test('the same form can be sent again until the truth is known, and pays once', async () => {
  const payer = await world.signUp({})
  const payee = await world.signUp({ username: 'payee' })
  const bank = await world.paymentSystem()
  const deposit = { wallet_id: payer.walletId, amount: '100', currency: 'USD', reference: '1' }
  await must(bank.post('/v1/deposits', deposit), 201)
  const client = world.client(kassa.url)
  for (const [name, value] of payer.client.cookies) client.cookies.set(name, value)
  const form = { from: payer.walletNumber, to: 'payee', amount: '7', memo: '', key: 'one form' }

  proxy.hold('answers')
  const doubt = await client.send('POST', '/pay', { form })
  assert.is(doubt.status, 503)
  assert.match(String(doubt.headers['content-type']), /^text\/html/)
  assert.match(doubt.text, /has not answered yet/)
  for (const [name, value] of Object.entries(form)) {
    assert.ok(doubt.text.includes(`name="${name}" value="${value}"`), name)
  }
  const home = await client.get('/')
  assert.is(home.status, 503)
  assert.match(home.text, /The ledger does not answer/)

  proxy.release()
  await until(() => kassa.deps.ledger.pending === 0)
  const paid = await client.send('POST', '/pay', { form })
  assert.is(paid.status, 303)
  assert.match(String(paid.headers.location), /&again/)
  const wallet = await must(payee.client.get(`/v1/wallets/${payee.walletId}`), 200)
  assert.is(wallet.balance.available, '7.00')
})

test.run()
