/** Kassa is killed at every step of its work on a refund: it is given once, and never too much. */
import { checkBooks } from '../lib/books.ts'
import { killCrashChildren } from '../lib/crash.ts'
import { type Scenario, testScenarios } from '../lib/crash-scenarios.ts'
import type { Client } from '../lib/http.ts'
import { fund, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('refunds, crash')

let world: World
let bank: Client

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
})
test.after(async () => {
  await killCrashChildren()
  await checkBooks(world.deps.ledger)
  await world.stop()
})

/** A payment of 10.00 to somebody who has 90.00 besides, and a refund of it that is yet to be sent. */
async function refundOf(input: { amount?: string; reason?: string }) {
  const [payer, payee] = [await world.signUp(), await world.signUp()]
  await Promise.all([fund(bank, payer.walletId, '10.00'), fund(bank, payee.walletId, '90.00')])
  const { id } = await must(pay(payer.client, { to_wallet_id: payee.walletId, amount: '10' }), 201)
  const path = `/v1/transfers/${id}/refunds`
  const headers = { 'idempotency-key': unique('refund') }
  return {
    path,
    payee,
    scenario: {
      client: payee.client,
      send: (client: Client) => client.post(path, input, { headers }),
      isKeyed: true,
    },
  }
}

const scenarios: Readonly<Record<string, () => Promise<Scenario>>> = {
  async 'a refund of all that is left'() {
    const { path, payee, scenario } = await refundOf({ reason: 'broken' })
    return {
      ...scenario,
      async check({ status, body }) {
        assert.equal([status, body.amount, body.reason], [201, '10.00', 'broken'])
        assert.is(await posted(payee.client, payee.walletId), '90.00')
        const { data, refundable } = await must(payee.client.get(path), 200)
        assert.equal([data, refundable], [[body], '0.00'])
      },
    }
  },

  async 'a refund of too much'() {
    const { path, payee, scenario } = await refundOf({ amount: '10.01' })
    return {
      ...scenario,
      async check({ status, body }) {
        assert.is(status, 422)
        assert.ok(['refund_too_large', 'declined'].includes(body.code), body.code)
        const { data, refundable } = await must(payee.client.get(path), 200)
        assert.equal([data, refundable], [[], '10.00'])
        assert.is(await posted(payee.client, payee.walletId), '100.00')
      },
    }
  },
}

testScenarios(test, () => world, scenarios)

test.run()
