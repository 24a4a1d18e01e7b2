import { recover } from '../../server/flows/recovery.ts'
import { checkBooks } from '../lib/books.ts'
import { disturb } from '../lib/disturb.ts'
import { type Client, type Json, sameSession } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pair, pay, posted } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('freezing and closing wallets')

let world: World
let bank: Client
let operator: Client
/** Another Kassa, whose submissions to the ledger can be overtaken. */
let disturbance: ReturnType<typeof disturb>
let disturbedUrl: string

test.before(async () => {
  world = await createWorld()
  disturbance = disturb()
  const other = await world.startAnother({ adapt: disturbance.adapt })
  disturbedUrl = other.url
  ;[bank, operator] = await Promise.all([world.paymentSystem(), world.operator()])
})
test.before.each(() => disturbance.reset())
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const reason = { reason: 'a test' }
const freeze = (id: string) => operator.post(`/v1/wallets/${id}/freeze`, reason)
const thaw = (id: string) => operator.post(`/v1/wallets/${id}/thaw`, reason)
const close = (client: Client, id: string) => client.send('POST', `/v1/wallets/${id}/close`)
const atDisturbed = (client: Client) => sameSession(client, world.client(disturbedUrl))

async function stateOf(client: Client, id: string): Promise<string> {
  return (await must(client.get(`/v1/wallets/${id}`), 200)).state
}

function hold(from: Client, to: string, amount: string, expires_in = 600): Promise<Json> {
  return must(from.post('/v1/holds', { to_wallet_id: to, amount, expires_in }), 201)
}

test('a frozen wallet neither pays nor is paid, until it is thawed', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '10.00')
  const frozen = await must(freeze(from), 200)
  assert.equal([frozen.state, frozen.balance.available], ['frozen', '10.00'])
  assert.is(await stateOf(payer, from), 'frozen')
  assertRefused(await pay(payer, { to_wallet_id: to, amount: '1' }), 422, 'wallet_closed')
  assertRefused(await pay(payee, { to_wallet_id: from, amount: '1' }), 422, 'recipient_closed')
  const input = { wallet_id: from, amount: '1', currency: 'USD', reference: 'to a frozen wallet' }
  assertRefused(await bank.post('/v1/deposits', input), 422, 'recipient_closed')
  assert.is((await must(freeze(from), 200)).state, 'frozen')

  assert.is((await must(thaw(from), 200)).state, 'active')
  assert.is((await must(thaw(from), 200)).state, 'active')
  await must(pay(payer, { to_wallet_id: to, amount: '1' }), 201)
  await must(bank.post('/v1/deposits', input), 201)
  assert.is(await posted(payer, from), '10.00')
  const { data } = await must(payer.get(`/v1/wallets/${from}/transactions?limit=3`), 200)
  const told = data.map((entry: Json) => `${entry.kind} ${entry.amount}`)
  assert.equal(told, ['deposit 1.00', 'payment 1.00', 'deposit 10.00'], 'only what moves money')
})

test('while a wallet is frozen, what is held can be given back or run out, but not be captured', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '10.00')
  const given = await hold(payer, to, '4.00')
  const running = await hold(payer, to, '5.00', 1)
  await must(freeze(from), 200)
  assertRefused(await payee.post(`/v1/holds/${given.id}/capture`, {}), 422, 'payer_closed')
  await must(payee.send('POST', `/v1/holds/${given.id}/void`), 200)
  await until(
    async () => (await must(payer.get(`/v1/holds/${running.id}`), 200)).state === 'expired',
  )
  await until(async () => {
    const { balance } = await must(payer.get(`/v1/wallets/${from}`), 200)
    return balance.available === '10.00'
  })
})

test('twenty operators freeze and thaw at once: the ledger has one of the two, and says which', async () => {
  const { payer, from, to } = await pair(world, bank, '10.00')
  for (let round = 0; round < 5; round += 1) {
    const steps = Array.from({ length: 20 }, (_, index) => (index % 2 ? thaw(from) : freeze(from)))
    for (const { status } of await Promise.all(steps)) assert.ok([200, 503].includes(status))
    const state = await stateOf(payer, from)
    const paid = await pay(payer, { to_wallet_id: to, amount: '0.01' })
    assert.is(paid.status, state === 'active' ? 201 : 422)
  }
})

test('a freeze that arrives late, after the thaw, has happened already', async () => {
  const { payer, from } = await pair(world, bank, '10.00')
  const at = sameSession(operator, world.client(disturbedUrl))
  // Between the look and the submission of a freeze somebody else freezes and thaws.
  disturbance.before(1, async () => {
    await must(freeze(from), 200)
    await must(thaw(from), 200)
    disturbance.failAt(1)
  })
  const late = await at.post(`/v1/wallets/${from}/freeze`, reason)
  disturbance.reset()
  assertRefused(late, 503, 'outcome_unknown')
  assert.is(await stateOf(payer, from), 'active')
})

test('freezing is for operators, and closing for the owner', async () => {
  const { payer, payee, from } = await pair(world, bank, '0')
  assertRefused(await payer.post(`/v1/wallets/${from}/freeze`, reason), 403, 'role_not_allowed')
  assertRefused(await close(payee, from), 404, 'wallet_not_found')
  assertRefused(await close(operator, from), 403, 'role_not_allowed')
  const nobody = '019363a0-0000-7000-8000-00000000000f'
  assertRefused(await freeze(nobody), 404, 'wallet_not_found')
  assertRefused(await thaw(nobody), 404, 'wallet_not_found')
})

test('an operator names a wallet by its number, as people do, and is told whose it is', async () => {
  const ada = await world.signUp({ name: 'Ada Lovelace' })
  const found = await must(operator.get(`/v1/wallets/${ada.walletNumber}`), 200)
  assert.equal([found.id, found.owner.name], [ada.walletId, 'Ada Lovelace'])
  assert.is((await must(freeze(ada.walletNumber), 200)).state, 'frozen')
  assert.is((await must(thaw(ada.walletNumber), 200)).state, 'active')
  const mistyped = String(BigInt(ada.walletNumber) + 1n)
  assertRefused(await freeze(mistyped), 422, 'wallet_number_mistyped')
  const own = await must(ada.client.get(`/v1/wallets/${ada.walletNumber}`), 200)
  assert.is(own.owner, undefined)
  const other = await world.signUp()
  assertRefused(await other.client.get(`/v1/wallets/${ada.walletNumber}`), 404, 'wallet_not_found')
  assert.is((await must(close(ada.client, ada.walletNumber), 200)).state, 'closed')
})

test('an empty wallet is closed for ever, and its history stays readable', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '10.00')
  assertRefused(await close(payer, from), 409, 'wallet_not_empty')
  assert.is(await stateOf(payer, from), 'active')
  await must(pay(payer, { to_wallet_id: to, amount: '10.00', memo: 'the last' }), 201)
  assert.is((await must(close(payer, from), 200)).state, 'closed')
  assert.is((await must(close(payer, from), 200)).state, 'closed')
  assertRefused(await pay(payee, { to_wallet_id: from, amount: '1' }), 422, 'recipient_closed')
  assertRefused(await freeze(from), 422, 'wallet_closed')
  assertRefused(await thaw(from), 422, 'wallet_closed')
  const { data } = await must(payer.get(`/v1/wallets/${from}/transactions?kind=payment`), 200)
  assert.is(data[0].memo, 'the last')
})

test('a wallet of which or for which something is held is not empty', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '10.00')
  const all = await hold(payer, to, '10.00')
  assertRefused(await close(payer, from), 409, 'wallet_not_empty')
  assertRefused(await close(payee, to), 409, 'wallet_not_empty')
  await must(payee.post(`/v1/holds/${all.id}/capture`, {}), 201)
  await must(close(payer, from), 200)
})

test('a closed wallet is left out of the choice of who pays and who is paid', async () => {
  const [ada, ben] = await Promise.all([
    world.signUp(),
    world.signUp({ username: `ben.${Date.now()}` }),
  ])
  const { username } = (await must(ben.client.get('/v1/session'), 200)).user
  await must(close(ben.client, ben.walletId), 200)
  const input = { to_username: username, amount: '1.00' }
  await fund(bank, ada.walletId, '5.00')
  assertRefused(await pay(ada.client, input), 422, 'recipient_not_found')
  const second = await openWallet(ben.client, 'USD')
  const paid = await must(pay(ada.client, input), 201)
  assert.is(paid.to_wallet_id, second.id)
  // No wallet has to be named: only one of the two can pay.
  await must(pay(ben.client, { to_wallet_id: ada.walletId, amount: '1.00' }), 201)
})

test('closed wallets do not count against the limit of a currency', async () => {
  const { client } = await world.signUp()
  for (let count = 0; count < 12; count += 1) {
    const { id } = await openWallet(client, 'EUR')
    await must(close(client, id), 200)
  }
})

/** What happens between the steps of closing a wallet, and what the owner is told. */
const overtaken: [
  name: string,
  step: number,
  race: (from: string, other: Person) => Promise<void>,
][] = [
  [
    'close against pay: a payment that the ledger has first keeps the wallet open',
    1,
    async (from, other) => {
      await must(pay(other.client, { to_wallet_id: from, amount: '1.00' }), 201)
    },
  ],
  [
    'close against pay: a payment that comes after the tentative closing is refused',
    2,
    async (from, other) => {
      const late = await pay(other.client, { to_wallet_id: from, amount: '1.00' })
      assertRefused(late, 422, 'recipient_closed')
    },
  ],
]
for (const [name, step, race] of overtaken) {
  test(name, async () => {
    const [ada, ben] = await Promise.all([world.signUp(), world.signUp()])
    await fund(bank, ben.walletId, '5.00')
    disturbance.before(step, () => race(ada.walletId, ben))
    const reply = await close(atDisturbed(ada.client), ada.walletId)
    const isClosed = step === 2
    assert.is(reply.status, isClosed ? 200 : 409, reply.text)
    assert.is(await stateOf(ada.client, ada.walletId), isClosed ? 'closed' : 'active')
    assert.is(await posted(ada.client, ada.walletId), isClosed ? '0.00' : '1.00')
  })
}

test('ten closings at once agree, and so do those of a wallet with money', async () => {
  for (const amount of ['0', '1.00']) {
    const { payer, from } = await pair(world, bank, amount)
    const replies = await Promise.all(Array.from({ length: 10 }, () => close(payer, from)))
    const expected = amount === '0' ? 200 : 409
    assert.equal(
      replies.map(({ status }) => status),
      Array(10).fill(expected),
    )
    assert.is(await stateOf(payer, from), amount === '0' ? 'closed' : 'active')
  }
})

test('a closing that was cut off after its first step is decided by recovery', async () => {
  for (const amount of ['0', '1.00']) {
    const { payer, payee, from } = await pair(world, bank, '0')
    if (amount !== '0') {
      const other = await must(payee.get('/v1/wallets'), 200)
      await fund(bank, other.data[0].id, amount)
      // What comes in between the look and the first step keeps it open.
      disturbance.before(1, async () => {
        await must(pay(payee, { to_wallet_id: from, amount }), 201)
        disturbance.failAt(1)
      })
    } else disturbance.failAt(2)
    const cut = await close(atDisturbed(payer), from)
    disturbance.reset()
    assertRefused(cut, 503, 'outcome_unknown')
    assert.is(await stateOf(payer, from), 'closing')
    const later = { ...world.deps, nowMs: () => Date.now() + 120_000 }
    assert.ok(((await recover(later)).closings ?? 0) >= 1)
    assert.is(await stateOf(payer, from), amount === '0' ? 'closed' : 'active')
    assert.is(await stateOf(payer, from), amount === '0' ? 'closed' : 'active')
    assert.is((await recover(later)).closings, undefined)
  }
})

test.run()
