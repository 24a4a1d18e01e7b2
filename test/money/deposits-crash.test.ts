/** What grows around deposits, killed at each step and sent again: see test/lib/crash-scenarios.ts. */
import { checkBooks } from '../lib/books.ts'
import { killCrashChildren } from '../lib/crash.ts'
import { type Scenario, testScenarios } from '../lib/crash-scenarios.ts'
import type { Client, Json } from '../lib/http.ts'
import { addPaymentSystem, fund, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('deposits, crashes')

let world: World
let bank: Client
let operator: Client

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
  operator = await world.operator()
})
test.after(async () => {
  await killCrashChildren()
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const unmatched = (wallet = '1000000000') => ({
  wallet_id: wallet,
  amount: '7.00',
  currency: 'USD',
  reference: unique('crash'),
  on_unmatched: 'suspense',
})

const freezing = (walletId: string, step: 'freeze' | 'thaw') =>
  must(operator.post(`/v1/wallets/${walletId}/${step}`, { reason: 'test' }), 200)

const suspended = (): Promise<Json> => must(bank.post('/v1/deposits', unmatched()), 201)

const scenarios: Readonly<Record<string, () => Promise<Scenario>>> = {
  async 'a charge-back of money that is spent in part, from a frozen wallet'() {
    const [person, shop] = [await world.signUp(), await world.signUp()]
    const { id } = await fund(bank, person.walletId, '10.00')
    await must(pay(person.client, { to_wallet_id: shop.walletId, amount: '4.00' }), 201)
    await freezing(person.walletId, 'freeze')
    const input = { amount: '9.00', reason: 'Card stolen', reference: unique('crash') }
    return {
      client: bank,
      send: (client) => client.post(`/v1/deposits/${id}/reversals`, input),
      isKeyed: true,
      async check({ status, body }) {
        assert.is(status, 201)
        assert.equal([body.from_wallet, body.owed, body.reason], ['6.00', '3.00', 'Card stolen'])
        const wallet = await must(person.client.get(`/v1/wallets/${person.walletId}`), 200)
        assert.equal([wallet.state, wallet.balance.owed], ['frozen', '3.00'])
        const { data } = await must(bank.get(`/v1/deposits/${id}/reversals`), 200)
        assert.equal(data, [body])
      },
    }
  },

  async 'the first deposit of a payment system, into suspense, of a wallet that is thawed then'() {
    const person = await world.signUp()
    await freezing(person.walletId, 'freeze')
    const client = await addPaymentSystem(world)
    const input = unmatched(person.walletId)
    return {
      client,
      send: (client) => client.post('/v1/deposits', input),
      isKeyed: true,
      meanwhile: async () => void (await freezing(person.walletId, 'thaw')),
      async check({ status, body }) {
        assert.is(status, 201)
        const { data } = await must(client.get('/v1/deposits'), 200)
        assert.equal(data, [body])
        const isInWallet = body.wallet_id === person.walletId
        assert.is(body.suspense?.state, isInWallet ? undefined : 'open')
        assert.is(await posted(person.client, person.walletId), isInWallet ? '7.00' : '0.00')
      },
    }
  },

  async 'an assignment'() {
    const [person, { id }] = [await world.signUp(), await suspended()]
    const input = { wallet_id: person.walletNumber, reason: 'Found' }
    return {
      client: operator,
      send: (client) => client.post(`/v1/suspense/${id}/assign`, input),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state, body.wallet_id], [200, 'assigned', person.walletId])
        assert.is(await posted(person.client, person.walletId), '7.00')
      },
    }
  },

  async 'a return'() {
    const { id } = await suspended()
    return {
      client: operator,
      send: (client) => client.post(`/v1/suspense/${id}/return`, { reason: 'Not ours' }),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state], [200, 'returned'])
        const { suspense } = await must(bank.get(`/v1/deposits/${id}`), 200)
        assert.equal([suspense.state, suspense.changed_at], ['returned', body.changed_at])
      },
    }
  },
}

testScenarios(test, () => world, scenarios)

test.run()
