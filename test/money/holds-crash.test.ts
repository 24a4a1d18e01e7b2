/** Holds, freezing and closing: the process is killed at each step, and the request is sent again. */
import { checkBooks } from '../lib/books.ts'
import { killCrashChildren } from '../lib/crash.ts'
import { type Scenario, testScenarios } from '../lib/crash-scenarios.ts'
import type { Client } from '../lib/http.ts'
import { pair, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('holds and standing, killed')

let world: World
let bank: Client
let operator: Client

test.before(async () => {
  world = await createWorld()
  ;[bank, operator] = await Promise.all([world.paymentSystem(), world.operator()])
})
test.after(async () => {
  await killCrashChildren()
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const keyed = () => ({ headers: { 'idempotency-key': unique('key') } })

/** A payer with 10.00 of which 6.00 are held for a payee. */
async function held() {
  const { payer, payee, from, to } = await pair(world, bank, '10.00')
  const hold = await must(payer.post('/v1/holds', { to_wallet_id: to, amount: '6.00' }), 201)
  const balance = async () => (await must(payer.get(`/v1/wallets/${from}`), 200)).balance
  return { payee, to, path: `/v1/holds/${hold.id}`, balance }
}

const scenarios: Readonly<Record<string, () => Promise<Scenario>>> = {
  async 'placing a hold'() {
    const { payer, from, to } = await pair(world, bank, '10.00')
    const options = keyed()
    const input = { to_wallet_id: to, amount: '6.00', memo: 'room' }
    return {
      client: payer,
      send: (client) => client.post('/v1/holds', input, options),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state, body.memo], [201, 'open', 'room'])
        const { balance } = await must(payer.get(`/v1/wallets/${from}`), 200)
        assert.equal([balance.held, balance.available], ['6.00', '4.00'])
      },
    }
  },

  async 'capturing a part with the rest held again'() {
    const { payee, to, path, balance } = await held()
    const options = keyed()
    return {
      client: payee,
      send: (client) => client.post(`${path}/capture`, { amount: '2.00', final: false }, options),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.amount, body.hold.state], [201, '2.00', 'open'])
        const { posted: left, held: rest } = await balance()
        assert.equal([left, rest, await posted(payee, to)], ['8.00', '4.00', '2.00'])
      },
    }
  },

  async 'giving a hold back'() {
    const { payee, path, balance } = await held()
    return {
      client: payee,
      send: (client) => client.send('POST', `${path}/void`),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state], [200, 'voided'])
        assert.is((await balance()).available, '10.00')
      },
    }
  },

  async 'freezing a wallet'() {
    const { from } = await pair(world, bank, '10.00')
    return {
      client: operator,
      send: (client) => client.post(`/v1/wallets/${from}/freeze`, { reason: 'a test' }),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state], [200, 'frozen'])
        const thawed = await must(
          operator.post(`/v1/wallets/${from}/thaw`, { reason: 'a test' }),
          200,
        )
        assert.is(thawed.state, 'active')
        await must(operator.post(`/v1/wallets/${from}/freeze`, { reason: 'a test' }), 200)
      },
    }
  },

  async 'closing an empty wallet'() {
    const { payer, from } = await pair(world, bank, '0')
    return {
      client: payer,
      send: (client) => client.send('POST', `/v1/wallets/${from}/close`),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state], [200, 'closed'])
      },
    }
  },
}

testScenarios(test, () => world, scenarios)

test.run()
