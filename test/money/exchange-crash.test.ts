/** Quotes and exchanges that are killed by SIGKILL at every step of the work on them. */
import { checkBooks } from '../lib/books.ts'
import { killCrashChildren } from '../lib/crash.ts'
import { type Scenario, testScenarios } from '../lib/crash-scenarios.ts'
import { addLiquidity, exchange, quoted, setRate } from '../lib/exchange.ts'
import type { Client } from '../lib/http.ts'
import { addPaymentSystem, fund, openWallet, pay, posted } from '../lib/money.ts'
import { signUpNamed } from '../lib/payment-requests.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('exchanges that are cut off')

let world: World
let bank: Client

test.before(async () => {
  world = await createWorld()
  bank = await addPaymentSystem(world)
  await must(setRate(await world.operator(), 'CHF/KWD', '0.3555', { spread_basis_points: 20 }), 200)
  await addLiquidity(world.deps.ledger, 'KWD', 1_000_000_000n)
})
test.after(async () => {
  await killCrashChildren()
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const sale = { from: 'CHF', to: 'KWD', side: 'sell', amount: '10.00', expires_in: 120 }

async function trader() {
  const person = await signUpNamed(world, 'trader')
  const [francs, dinars] = [
    await openWallet(person.client, 'CHF'),
    await openWallet(person.client, 'KWD'),
  ]
  await fund(bank, francs.id, '100.00', 'CHF')
  return { ...person, francs: francs.id, dinars: dinars.id }
}

const scenarios: Readonly<Record<string, () => Promise<Scenario>>> = {
  async 'asking for a quote'() {
    const ada = await trader()
    return {
      client: ada.client,
      send: (client) => client.post('/v1/quotes', sale),
      isKeyed: false,
      async check({ status, body, text }) {
        assert.is(status, 201, text)
        assert.equal(await must(ada.client.get(`/v1/quotes/${body.id}`), 200), body)
        assert.is(await posted(ada.client, ada.francs), '100.00')
      },
    }
  },

  async 'using a quote'() {
    const ada = await trader()
    const quote = await quoted(ada.client, sale)
    return {
      client: ada.client,
      send: (client) => exchange(client, quote),
      isKeyed: true,
      async check({ status, body, text }) {
        assert.is(status, 201, text)
        assert.equal(await must(ada.client.get(`/v1/exchanges/${body.id}`), 200), body)
        assert.is(await posted(ada.client, ada.francs), '90.00')
        assert.is(await posted(ada.client, ada.dinars), '3.547')
      },
    }
  },

  async 'paying into another currency'() {
    const [ada, ben] = [await trader(), await trader()]
    const quote = await quoted(ada.client, sale)
    const input = { quote_id: quote.id, to_username: ben.username, memo: 'lunch' }
    return {
      client: ada.client,
      send: (client) => pay(client, input),
      isKeyed: true,
      async check({ status, body, text }) {
        assert.is(status, 201, text)
        assert.is(body.memo, 'lunch')
        assert.equal(await must(ben.client.get(`/v1/transfers/${body.id}`), 200), body)
        assert.is(await posted(ada.client, ada.francs), '90.00')
        assert.is(await posted(ben.client, ben.dinars), '3.547')
      },
    }
  },
}

testScenarios(test, () => world, scenarios)

test.run()
