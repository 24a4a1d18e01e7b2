/** Batches and payrolls: the process is killed at each step, and the request is sent again. */
import { checkBooks } from '../lib/books.ts'
import { killCrashChildren } from '../lib/crash.ts'
import { type Scenario, testScenarios } from '../lib/crash-scenarios.ts'
import type { Client } from '../lib/http.ts'
import { pair, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('batches, killed')

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

const scenarios: Readonly<Record<string, () => Promise<Scenario>>> = {
  async 'a batch of independent payments'() {
    const { payer, payee, to } = await pair(world, bank, '10.00')
    const options = { headers: { 'idempotency-key': unique('batch') } }
    const transfers = [
      { to_wallet_id: to, amount: '4.00', memo: 'one' },
      { to_wallet_id: to, amount: '9.00' },
      { to_wallet_id: to, amount: '1.234' },
      { to_wallet_id: to, amount: '6.00' },
    ]
    return {
      client: payer,
      send: (client) => client.post('/v1/transfers/batch', { atomic: false, transfers }, options),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.counts], [200, { done: 2, refused: 2 }])
        assert.is(await posted(payee, to), '10.00')
      },
    }
  },

  async 'an atomic batch'() {
    const { payer, payee, to } = await pair(world, bank, '10.00')
    const options = { headers: { 'idempotency-key': unique('batch') } }
    const transfers = [
      { to_wallet_id: to, amount: '4.00', memo: 'one' },
      { to_wallet_id: to, amount: '6.00' },
    ]
    return {
      client: payer,
      send: (client) => client.post('/v1/transfers/batch', { atomic: true, transfers }, options),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.counts], [200, { done: 2, refused: 0 }])
        assert.is(await posted(payee, to), '10.00')
      },
    }
  },

  async 'an atomic batch that is declined'() {
    const { payer, payee, to } = await pair(world, bank, '5.00')
    const options = { headers: { 'idempotency-key': unique('batch') } }
    const transfers = [
      { to_wallet_id: to, amount: '4.00' },
      { to_wallet_id: to, amount: '6.00' },
    ]
    return {
      client: payer,
      send: (client) => client.post('/v1/transfers/batch', { atomic: true, transfers }, options),
      isKeyed: true,
      async check({ status, body }) {
        assert.is(status, 422)
        assert.ok(['insufficient_funds', 'declined'].includes(body.code), body.code)
        assert.is(await posted(payee, to), '0.00')
      },
    }
  },

  async 'uploading a payroll'() {
    const { payer, payee, to } = await pair(world, bank, '10.00')
    const headers = { 'content-type': 'text/csv', 'idempotency-key': unique('payroll') }
    const text = `${to},4.00,one\n${to},9.00\n${to},1.234\n${to},6.00\n`
    return {
      client: payer,
      send: (client) => client.send('POST', '/v1/payrolls', { text, headers }),
      isKeyed: true,
      async check({ status, body: { id } }) {
        assert.is(status, 202)
        await until(async () => {
          const { state } = await must(payer.get(`/v1/payrolls/${id}`), 200)
          return state === 'finished'
        })
        const { done, refused } = await must(payer.get(`/v1/payrolls/${id}`), 200)
        assert.equal([done, refused, await posted(payee, to)], [2, 2, '10.00'])
      },
    }
  },
}

testScenarios(test, () => world, scenarios)

test.run()
