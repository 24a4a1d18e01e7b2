/** Each step of a payment request, killed by SIGKILL at every step of the work on it. */
import { checkBooks } from '../lib/books.ts'
import { killCrashChildren } from '../lib/crash.ts'
import { type Scenario, testScenarios } from '../lib/crash-scenarios.ts'
import type { Client, Json } from '../lib/http.ts'
import { addPaymentSystem, fund, posted, unique } from '../lib/money.ts'
import { accept, ask, asked, end, seen, signUpNamed } from '../lib/payment-requests.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('payment requests that are cut off')

let world: World
let bank: Client

test.before(async () => {
  world = await createWorld()
  bank = await addPaymentSystem(world)
})
test.after(async () => {
  await killCrashChildren()
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const people = () => Promise.all([signUpNamed(world, 'emma'), signUpNamed(world, 'finn')])

const scenarios: Readonly<Record<string, () => Promise<Scenario>>> = {
  async 'the first request to somebody'() {
    const [emma, finn] = await people()
    const key = unique('request')
    return {
      client: emma.client,
      send: (client) => ask(emma, finn, { memo: 'dinner' }, { key, by: client }),
      isKeyed: true,
      async check({ status, body, text }) {
        assert.is(status, 201, text)
        assert.equal([body.state, body.memo], ['open', 'dinner'])
        assert.equal(await seen(body, finn.client), body)
      },
    }
  },

  async 'accepting a request'() {
    const [emma, finn] = await people()
    await fund(bank, finn.walletId, '10.00')
    const request = await asked(emma, finn, { amount: '3.00', memo: 'dinner' })
    return {
      client: finn.client,
      send: (client) => accept(request, client),
      isKeyed: true,
      async check({ status, body, text }) {
        assert.is(status, 201, text)
        assert.is(body.memo, 'dinner')
        assert.equal(await must(emma.client.get(`/v1/transfers/${body.id}`), 200), body)
        assert.is((await seen(request, emma.client)).transfer_id, body.id)
        assert.is(await posted(finn.client, finn.walletId), '7.00')
        assert.is(await posted(emma.client, emma.walletId), '3.00')
      },
    }
  },

  async 'declining a request'() {
    const [emma, finn] = await people()
    return ended(await asked(emma, finn), 'decline', finn, 'declined')
  },

  async 'cancelling a request'() {
    const [emma, finn] = await people()
    return ended(await asked(emma, finn), 'cancel', emma, 'cancelled')
  },
}

function ended(
  request: Json,
  step: 'decline' | 'cancel',
  { client }: Person,
  state: string,
): Scenario {
  return {
    client,
    send: (same) => end(request, step, same),
    isKeyed: true,
    async check({ status, body, text }) {
      assert.is(status, 200, text)
      assert.equal(body, { ...request, state })
    },
  }
}

testScenarios(test, () => world, scenarios)

test.run()
