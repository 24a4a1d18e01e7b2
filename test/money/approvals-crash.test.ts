/** Kassa is killed at every step of asking, of approving, and of both at once: it is booked once. */
import { TransferCode } from '../../accounting/chart.ts'
import { readTrail } from '../../accounting/trail.ts'
import { checkBooks } from '../lib/books.ts'
import { killCrashChildren } from '../lib/crash.ts'
import { type Scenario, testScenarios } from '../lib/crash-scenarios.ts'
import type { Client, Json } from '../lib/http.ts'
import { fund, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { addOperator, adjust, approvalOf, approve } from '../lib/treasury.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('approvals, killed')

/** With four eyes, and without. */
let world: World
let other: World
let ada: Client
let grace: Client
/** The only operator where one is enough. */
let alone: Client

test.before(async () => {
  ;[world, other] = await Promise.all([
    createWorld({ env: { FOUR_EYES: 'on' } }),
    createWorld({ env: { FOUR_EYES: 'off' } }),
  ])
  ;[ada, alone] = await Promise.all([world.operator(), other.operator()])
  grace = (await addOperator(world, ada)).client
})
test.after(async () => {
  await killCrashChildren()
  await checkBooks(world.deps.ledger)
  await Promise.all([world.stop(), other.stop()])
})

/** A settlement that is yet to be asked for, of a payment system with money enough. */
async function settlement({ paymentSystem, signUp }: World, operator: Client): Promise<Json> {
  const { walletId } = await signUp()
  await fund(await paymentSystem(), walletId, '10.00')
  const { data } = await must(operator.get('/v1/payment-systems'), 200)
  return { kind: 'settlement', payment_system: data[0].id, amount: '4.00' }
}

/** The amounts that were moved under the id of an adjustment, in minor units. */
async function moved({ deps }: World, { id }: Json): Promise<bigint[]> {
  const trail = await readTrail(deps.ledger, id, { code: TransferCode.settlement })
  return trail.map(({ amount }) => amount)
}

const withFourEyes: Readonly<Record<string, () => Promise<Scenario>>> = {
  async 'asking for an adjustment'() {
    const key = unique('key')
    const input = await settlement(world, ada)
    return {
      client: ada,
      send: (client) => adjust(client, input, key),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state], [202, 'pending'])
        assert.equal(await moved(world, body), [])
        assert.is((await approvalOf(body, grace)).state, 'pending')
      },
    }
  },

  async 'approving an adjustment'() {
    const input = await settlement(world, ada)
    const adjustment = await must(adjust(ada, input), 202)
    return {
      client: grace,
      send: (client) => approve(adjustment, client),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state], [200, 'approved'])
        assert.equal(await moved(world, body), [400n])
      },
    }
  },

  async 'approving a payment system'() {
    const name = unique('system')
    const input = { name, email: `${name}@bank.example.com` }
    const approval = await must(ada.post('/v1/payment-systems', input), 202)
    return {
      client: grace,
      send: (client) => approve(approval, client),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state, body.failure], [200, 'approved', null])
        assert.ok(body.applied_at)
        const { data } = await must(ada.get(`/v1/users?email=${input.email}`), 200)
        assert.equal(
          data.map(({ id }: Json) => id),
          [body.body.payment_system_id],
        )
      },
    }
  },

  async 'approving a raised cap'() {
    const name = unique('system')
    const input = { name, email: `${name}@bank.example.com` }
    const system = await must(ada.post('/v1/payment-systems', input), 202)
    await must(approve(system, grace), 200)
    const path = `/v1/users/${system.body.payment_system_id}/limits`
    const set = (amount: string, status: number) =>
      must(ada.send('PUT', path, { json: { currency: 'USD', window: 'day', amount } }), status)
    await set('10.00', 200)
    const approval = await set('20.00', 202)
    return {
      client: grace,
      send: (client) => approve(approval, client),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state, body.failure], [200, 'approved', null])
        assert.ok(body.applied_at)
        const { data } = await must(ada.get(path), 200)
        assert.is(data[0].limit, '20.00')
      },
    }
  },
}

const withoutFourEyes: Readonly<Record<string, () => Promise<Scenario>>> = {
  async 'an adjustment without four eyes'() {
    const key = unique('key')
    const input = await settlement(other, alone)
    return {
      client: alone,
      send: (client) => adjust(client, input, key),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state, body.amount], [201, 'approved', '4.00'])
        assert.equal(await moved(other, body), [400n])
      },
    }
  },
}

testScenarios(test, () => world, withFourEyes)
testScenarios(test, () => other, withoutFourEyes)

test.run()
