import { randomInt, randomUUID } from 'node:crypto'
import { bankAccount } from '../../accounting/accounts.ts'
import { assetOf } from '../../accounting/chart.ts'
import type { Ledger } from '../../accounting/client.ts'
import { formatAmount } from '../../accounting/money.ts'
import { recover as settle } from '../../server/flows/recovery.ts'
import type { Kassa } from '../../server/main.ts'
import { checkBooks } from '../lib/books.ts'
import { type Client, type Reply, sameSession } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { type Direction, startTcpProxy, type TcpProxy } from '../lib/tcp-proxy.ts'
import { addOperator, adjust, approvalOf, approve, debitBalance } from '../lib/treasury.ts'
import { until } from '../lib/until.ts'
import { createWorld, defaultPassword, must, type Person, type World } from '../lib/world.ts'

const test = suite('a ledger that does not answer')

const deadlineMs = 1_000
const queueLimit = 4

/** One Kassa reaches the ledger directly; the one under test reaches it through a proxy. */
let world: World
let proxy: TcpProxy
let kassa: Kassa
let bank: Client
/** Called before transfers are submitted by the Kassa under test. */
let atSubmission = async () => {}

test.before(async () => {
  world = await createWorld({ env: { FOUR_EYES: 'on' } })
  bank = await world.paymentSystem()
  proxy = await startTcpProxy({ target: world.deps.config.tigerbeetleAddresses[0] ?? '' })
  kassa = await world.startAnother({
    env: {
      TIGERBEETLE_ADDRESSES: proxy.address,
      LEDGER_DEADLINE_MS: String(deadlineMs),
      LEDGER_QUEUE_LIMIT: String(queueLimit),
      FOUR_EYES: 'on',
    },
    adapt: (deps) => ({ ...deps, ledger: watch(deps.ledger) }),
  })
  // The ledger's client makes its connection with the first call.
  await must(world.client(kassa.url).get('/readyz'), 200)
})

function watch(ledger: Ledger): Ledger {
  const changes: Partial<Ledger> = {
    async createTransfers(batch) {
      // A transfer without an id only asks for the ledger's time, as the job does that follows it.
      if (batch.some(({ id }) => id > 0n)) await atSubmission()
      return ledger.createTransfers(batch)
    },
  }
  return Object.assign(Object.create(ledger), changes)
}

test.after.each(recover)

test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
  await proxy.close()
})

/** Lets the ledger answer again and waits until Kassa knows it. */
async function recover(): Promise<void> {
  proxy.release()
  await until(() => kassa.deps.ledger.pending === 0)
}

/** What recovery does of itself in an hour from now. */
const settleCutOff = () => settle({ ...world.deps, nowMs: () => Date.now() + 3_600_000 })

/** The same session, sent to the Kassa under test. */
function through(client: Client): Client {
  const same = world.client(kassa.url)
  for (const [name, value] of client.cookies) same.cookies.set(name, value)
  return same
}

/** Two people, the first with this much; `payer` pays through the proxy. */
async function pair(amount: string): Promise<{ ada: Person; ben: Person; payer: Client }> {
  const [ada, ben] = await Promise.all([world.signUp(), world.signUp()])
  if (amount !== '0') await fund(bank, ada.walletId, amount)
  return { ada, ben, payer: through(ada.client) }
}

function assertUnknown(reply: Reply): void {
  assertRefused(reply, 503, 'outcome_unknown')
  assert.match(reply.body.operation_id, /^[0-9a-f-]{36}$/)
  assert.match(String(reply.headers['retry-after']), /^[1-9]\d*$/)
}

function assertUnavailable(reply: Reply): void {
  assertRefused(reply, 503, 'ledger_unavailable')
  assert.match(String(reply.headers['retry-after']), /^[1-9]\d*$/)
}

/**
 * Sends a request and holds the ledger when it submits something, until it is in doubt. What is under way
 * is let through first: the client sends one request after the other, and would keep this one back.
 */
async function bringIntoDoubt(direction: Direction, send: () => Promise<Reply>): Promise<Reply> {
  let held: Promise<void> | undefined
  const hold = async () => {
    await until(() => kassa.deps.ledger.pending === 0)
    proxy.hold(direction)
  }
  atSubmission = () => (held ??= hold())
  const reply = await send()
  atSubmission = async () => {}
  assertUnknown(reply)
  return reply
}

const isReplay = ({ headers }: Reply) => headers['idempotency-replayed'] === 'true'

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

test('an acceptance in doubt that was declined since does not happen when it arrives', async () => {
  const [paying, payee, third] = await Promise.all([
    world.signUp({ username: `payer${randomInt(1e9)}` }),
    world.signUp(),
    world.signUp(),
  ])
  const { username } = (await must(paying.client.get('/v1/session'), 200)).user
  await fund(bank, paying.walletId, '10.00')
  const ask = { from_username: username, to_wallet_id: payee.walletId, amount: '10.00' }
  const { id } = await must(payee.client.post('/v1/payment-requests', ask), 201)
  const accept = (client: Client) => client.post(`/v1/payment-requests/${id}/accept`, {})
  await bringIntoDoubt('requests', () => accept(through(paying.client)))
  await must(pay(paying.client, { to_wallet_id: third.walletId, amount: '10.00' }), 201)
  assertRefused(await accept(paying.client), 422, 'insufficient_funds')
  await fund(bank, paying.walletId, '10.00')
  await recover()
  assert.is(await posted(paying.client, paying.walletId), '10.00')
  await must(accept(paying.client), 201)
  assert.ok(isReplay(await accept(through(paying.client))))
  assert.is(await posted(payee.client, payee.walletId), '10.00')
})

test('an approval in doubt that was declined since does not happen when it arrives', async () => {
  const operator = await world.operator()
  const other = (await addOperator(world, operator)).client
  const usd = assetOf('USD')
  const inBank = () => debitBalance(world, bankAccount(usd))
  const ask = (kind: string, amount: string) => must(adjust(operator, { kind, amount }), 202)
  const contribute = async (amount: string) =>
    must(approve(await ask('equity_contribution', amount), other), 200)
  await contribute('10.00')
  const allMinor = await inBank()
  const all = formatAmount(allMinor, usd)
  const [late, first] = [await ask('equity_withdrawal', all), await ask('equity_withdrawal', all)]
  await bringIntoDoubt('requests', () => approve(late, through(other)))
  await must(approve(first, other), 200)
  assertRefused(await approve(late, other), 422, 'adjustment_exceeds_balance')
  await contribute(all)
  await recover()
  assert.is(await inBank(), allMinor)
  assert.is((await approvalOf(late, operator)).state, 'pending')
  await must(approve(late, through(other)), 200)
  assert.is((await approve(late, other)).status, 200)
  assert.is(await inBank(), 0n)
})

test('an assignment in doubt that was declined since does not happen when it arrives', async () => {
  const [person, another] = await Promise.all([world.signUp(), world.signUp()])
  const operator = await world.operator()
  const reason = 'a test'
  const input = { amount: '7', currency: 'USD', reference: unique('lost') }
  const unmatched = { ...input, wallet_id: randomUUID(), on_unmatched: 'suspense' }
  const { id } = await must(bank.post('/v1/deposits', unmatched), 201)
  const assign = (by: Client, wallet_id: string) =>
    by.post(`/v1/suspense/${id}/assign`, { wallet_id, reason })
  const turn = (way: string) =>
    must(operator.post(`/v1/wallets/${person.walletId}/${way}`, { reason }), 200)
  await bringIntoDoubt('requests', () => assign(through(operator), person.walletId))
  await turn('freeze')
  assertRefused(await assign(operator, person.walletId), 422, 'recipient_closed')
  await turn('thaw')
  await recover()
  assert.is((await must(operator.get(`/v1/suspense/${id}`), 200)).state, 'open')
  await must(assign(operator, another.walletId), 200)
  assertRefused(await assign(through(operator), person.walletId), 409, 'suspense_assigned')
  assert.is(await posted(person.client, person.walletId), '0.00')
  assert.is(await posted(another.client, another.walletId), '7.00')
})

test('a closing in doubt that was refused since does not close the wallet when it arrives', async () => {
  const { ada, ben } = await pair('0')
  const close = (client: Client) => client.send('POST', `/v1/wallets/${ada.walletId}/close`)
  await bringIntoDoubt('requests', () => close(through(ada.client)))
  await fund(bank, ada.walletId, '5.00')
  assertRefused(await close(ada.client), 409, 'wallet_not_empty')
  await must(pay(ada.client, { to_wallet_id: ben.walletId, amount: '5.00' }), 201)
  await recover()
  await settleCutOff()
  assert.is((await must(ada.client.get(`/v1/wallets/${ada.walletId}`), 200)).state, 'active')
  await fund(bank, ada.walletId, '1.00')
})

test('a payment in doubt that was refused since does not happen when it arrives', async () => {
  const { ada, ben, payer } = await pair('10.00')
  const key = unique('key')
  const input = { to_wallet_id: ben.walletId, amount: '3' }
  await bringIntoDoubt('requests', () => pay(payer, input, key))
  await openWallet(ada.client, 'USD')
  assertRefused(await pay(ada.client, input, key), 422, 'wallet_ambiguous')
  await recover()
  assert.is(await posted(ben.client, ben.walletId), '0.00')
  assertRefused(await pay(payer, input, key), 422, 'wallet_ambiguous')
})

test('an atomic batch in doubt that was refused since does not happen when it arrives', async () => {
  const { ada, ben, payer } = await pair('10.00')
  const headers = { 'idempotency-key': unique('key') }
  const transfers = ['3', '4'].map((amount) => ({ to_wallet_id: ben.walletId, amount }))
  const send = (client: Client) =>
    client.post('/v1/transfers/batch', { atomic: true, transfers }, { headers })
  await bringIntoDoubt('requests', () => send(payer))
  await openWallet(ada.client, 'USD')
  assertRefused(await send(ada.client), 422, 'wallet_ambiguous')
  await recover()
  assert.is(await posted(ben.client, ben.walletId), '0.00')
})

test('a clock that is fast does not refuse a capture that is in doubt and can still happen', async () => {
  const { ada, ben } = await pair('10.00')
  const early = await world.startAnother({
    adapt: (deps) => ({ ...deps, nowMs: () => Date.now() + 120_000 }),
  })
  const input = { to_wallet_id: ben.walletId, amount: '4', expires_in: 60 }
  const { id } = await must(ada.client.post('/v1/holds', input), 201)
  const headers = { 'idempotency-key': unique('key') }
  const capture = (client: Client) => client.post(`/v1/holds/${id}/capture`, {}, { headers })
  await bringIntoDoubt('requests', () => capture(through(ben.client)))
  const told = await capture(sameSession(ben.client, world.client(early.url)))
  await recover()
  assert.is(await posted(ben.client, ben.walletId), told.status === 201 ? '4.00' : '0.00')
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
