/** What costs a fee: the process is killed at each step, and the request is sent again. */
import { checkBooks } from '../lib/books.ts'
import { killCrashChildren } from '../lib/crash.ts'
import { type Scenario, testScenarios } from '../lib/crash-scenarios.ts'
import { setFee } from '../lib/fees.ts'
import type { Client, Json } from '../lib/http.ts'
import { pair, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('fees, killed')

let world: World
let bank: Client
let bankName: string
let operator: Client

test.before(async () => {
  world = await createWorld()
  ;[bank, operator] = await Promise.all([world.paymentSystem(), world.operator()])
  const [{ name }] = (await must(operator.get('/v1/payment-systems'), 200)).data
  bankName = name
})
test.after(async () => {
  await killCrashChildren()
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const keyed = () => ({ headers: { 'idempotency-key': unique('key') } })

/** The fee of an operation: told again as it was, also when it is another one by then. */
const fees = { payment: '1.00', withdrawal: '1.00' } as const

async function charge(operation: keyof typeof fees, refund = 'none'): Promise<void> {
  await setFee(operator, operation, { fixed: fees[operation], refund })
}

async function balances(client: Client, walletId: string): Promise<string[]> {
  const { balance } = await must(client.get(`/v1/wallets/${walletId}`), 200)
  return [balance.posted, balance.available]
}

const scenarios: Readonly<Record<string, () => Promise<Scenario>>> = {
  async 'a payment with a fee that is another one when it is sent again'() {
    const { payer, payee, from, to } = await pair(world, bank, '10.00')
    await charge('payment')
    const options = keyed()
    const input = { to_wallet_id: to, amount: '6.00' }
    return {
      client: payer,
      send: (client) => client.post('/v1/transfers', input, options),
      isKeyed: true,
      meanwhile: async () => {
        await setFee(operator, 'payment', { fixed: '2.00' })
      },
      async check({ status, body }) {
        assert.is(status, 201)
        // Killed before the ledger had it, it costs what holds by now.
        const left = { '1.00': '3.00', '2.00': '2.00' }[String(body.fee.amount)]
        assert.equal([await posted(payer, from), await posted(payee, to)], [left, '6.00'])
        assert.equal(await must(payee.get(`/v1/transfers/${body.id}`), 200), body)
      },
    }
  },

  async 'a withdrawal with a fee'() {
    const { payer, from } = await pair(world, bank, '10.00')
    await charge('withdrawal')
    const options = keyed()
    const input = { wallet_id: from, amount: '6.00', payment_system: bankName, destination: 'IBAN' }
    return {
      client: payer,
      send: (client) => client.post('/v1/withdrawals', input, options),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.fee?.amount], [201, '1.00'])
        assert.equal(await balances(payer, from), ['10.00', '3.00'])
      },
    }
  },

  async 'a refund with a part of the fee'() {
    const { payer, payee, from, to } = await pair(world, bank, '10.00')
    await charge('payment', 'proportional')
    const paid: Json = await must(pay(payer, { to_wallet_id: to, amount: '8.00' }), 201)
    const options = keyed()
    return {
      client: payee,
      send: (client) => client.post(`/v1/transfers/${paid.id}/refunds`, { amount: '4' }, options),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.fee_refunded], [201, '0.50'])
        assert.equal([await posted(payer, from), await posted(payee, to)], ['5.50', '4.00'])
      },
    }
  },
}

testScenarios(test, () => world, scenarios)

test.run()
