/** Limits: the process is killed at each step, and the request is sent again. */
import { budgetAccount } from '../../accounting/accounts.ts'
import { readBudget } from '../../accounting/budgets.ts'
import { assetOf } from '../../accounting/chart.ts'
import { checkBooks } from '../lib/books.ts'
import { killCrashChildren } from '../lib/crash.ts'
import { type Scenario, testScenarios } from '../lib/crash-scenarios.ts'
import type { Client } from '../lib/http.ts'
import { left, setLimit } from '../lib/limits.ts'
import { addPaymentSystem, fund, pair, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('limits, killed')

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

/** A payer with 100.00 who may spend 10.00 a day and 12.00 a week. */
async function limited() {
  const { payer, from, to } = await pair(world, bank, '100.00')
  const userId: string = (await must(payer.get('/v1/session'), 200)).user.id
  await setLimit(operator, userId, '10.00')
  await setLimit(operator, userId, '12.00', { window: 'week' })
  return { payer, from, to, userId }
}

const scenarios: Readonly<Record<string, () => Promise<Scenario>>> = {
  async 'a payment within two limits'() {
    const { payer, from, to } = await limited()
    const key = unique('key')
    return {
      client: payer,
      send: (client) => pay(client, { to_wallet_id: to, amount: '9.00' }, key),
      isKeyed: true,
      async check({ status }) {
        assert.is(status, 201)
        assert.is(await posted(payer, from), '91.00')
        assert.equal([await left(payer, 'day'), await left(payer, 'week')], ['1.00', '3.00'])
      },
    }
  },

  async 'a payment that one of two limits declines'() {
    const { payer, from, to } = await limited()
    await must(pay(payer, { to_wallet_id: to, amount: '10.00' }), 201)
    const key = unique('key')
    return {
      client: payer,
      send: (client) => pay(client, { to_wallet_id: to, amount: '1.00' }, key),
      isKeyed: true,
      // A decline whose reason was not kept is still a decline, also when there is no limit any more.
      async meanwhile() {
        await setLimit(operator, (await must(payer.get('/v1/session'), 200)).user.id, '10.00')
      },
      async check({ status, body }) {
        assert.is(status, 422)
        assert.ok(['limit_exceeded', 'declined'].includes(body.code), body.code)
        assert.is(await posted(payer, from), '90.00')
        assert.equal([await left(payer, 'day'), await left(payer, 'week')], ['0.00', '2.00'])
      },
    }
  },

  async 'setting a limit, and using it'() {
    const { payer, to, userId } = await limited()
    await must(pay(payer, { to_wallet_id: to, amount: '8.00' }), 201)
    const input = { currency: 'USD', window: 'day', amount: '9.00' }
    const budget = budgetAccount({ userId, window: 'day' }, assetOf('USD'))
    let payments = 0
    return {
      client: operator,
      send: (client) => client.send('PUT', `/v1/users/${userId}/limits`, { json: input }),
      isKeyed: true,
      // Whether the row was written before the process died or not: the ledger has what is told.
      async meanwhile() {
        const wanted = (await must(payer.get('/v1/limits'), 200)).data[0].limit
        const { status } = await pay(payer, { to_wallet_id: to, amount: '2.00' })
        assert.is(status, wanted === '10.00' ? 201 : 422)
        payments = status === 201 ? 1 : 0
        const { totalMinor } = await readBudget(world.deps.ledger, budget.id)
        assert.is(totalMinor, wanted === '10.00' ? 1000n : 900n)
      },
      async check({ status, body }) {
        assert.is(status, 200)
        const used = payments === 1 ? '10.00' : '8.00'
        assert.equal([body.limit, body.used, body.left], ['9.00', used, payments ? '0.00' : '1.00'])
      },
    }
  },

  async 'a deposit above the cap'() {
    const client = await addPaymentSystem(world)
    const { id } = (await must(client.get('/v1/session'), 200)).user
    await setLimit(operator, id, '5.00')
    const person = await world.signUp()
    await fund(client, person.walletId, '4.00')
    const input = { wallet_id: person.walletId, amount: '2.00', currency: 'USD' }
    const reference = unique('above')
    return {
      client,
      send: (client) => client.post('/v1/deposits', { ...input, reference }),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.suspense?.state], [201, 'open'])
        assert.equal(
          [await posted(person.client, person.walletId), await left(client)],
          ['4.00', '1.00'],
        )
        const { data } = await must(client.get('/v1/deposits'), 200)
        assert.is(data.length, 2)
      },
    }
  },
}

testScenarios(test, () => world, scenarios)

test.run()
