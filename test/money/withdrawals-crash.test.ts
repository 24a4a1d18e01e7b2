/**
 * Kassa is killed by SIGKILL at every step of asking for a withdrawal, taking, confirming, failing and
 * cancelling it, one after the other, and is started again: sent again, each has happened exactly once.
 */
import { checkBooks } from '../lib/books.ts'
import { killCrashChildren } from '../lib/crash.ts'
import { type Scenario, testScenarios } from '../lib/crash-scenarios.ts'
import type { Client, Json } from '../lib/http.ts'
import { fund, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('withdrawals, crash')

const iban = 'DE89 3704 0044 0532 0130 00'

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

interface Situation extends Person {
  path: string
  /** The balance: posted, held and available. */
  balance(): Promise<string[]>
}

/** Somebody with 10.00 who has asked for 3.00, taken or not. */
async function prepare(isTaken: boolean): Promise<Situation> {
  const person = await funded()
  const { id } = await must(person.client.post('/v1/withdrawals', orderOf(person)), 201)
  const path = `/v1/withdrawals/${id}`
  if (isTaken) await must(bank.send('POST', `${path}/take`), 200)
  return { ...person, path, balance: () => balanceOf(person) }
}

async function funded(): Promise<Person> {
  const person = await world.signUp()
  await fund(bank, person.walletId, '10.00')
  return person
}

const orderOf = ({ walletId }: Person): Json => ({
  wallet_id: walletId,
  amount: '3',
  payment_system: 'First payment system',
  destination: iban,
})

async function balanceOf({ client, walletId }: Person): Promise<string[]> {
  const { balance } = await must(client.get(`/v1/wallets/${walletId}`), 200)
  return [balance.posted, balance.held, balance.available]
}

const scenarios: Readonly<Record<string, () => Promise<Scenario>>> = {
  async 'asking for a withdrawal'() {
    const person = await funded()
    const headers = { 'idempotency-key': unique('key') }
    return {
      client: person.client,
      send: (client) => client.post('/v1/withdrawals', orderOf(person), { headers }),
      isKeyed: true,
      async check({ status, body }) {
        assert.is(status, 201)
        assert.equal(await balanceOf(person), ['10.00', '3.00', '7.00'])
        if (body.state === 'requested') {
          const taken = await must(bank.send('POST', `/v1/withdrawals/${body.id}/take`), 200)
          assert.is(taken.destination, iban)
        }
      },
    }
  },

  async 'taking a withdrawal'() {
    const { path, balance } = await prepare(false)
    const headers = { 'idempotency-key': unique('key') }
    return {
      client: bank,
      send: (client) => client.send('POST', `${path}/take`, { headers }),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state, body.destination], [200, 'taken', iban])
        assert.equal(await balance(), ['10.00', '3.00', '7.00'])
      },
    }
  },

  async 'confirming a withdrawal of a wallet that was frozen'() {
    const { path, balance, client: owner, walletId } = await prepare(true)
    await must(operator.post(`/v1/wallets/${walletId}/freeze`, { reason: 'test' }), 200)
    return {
      client: bank,
      send: (client) => client.post(`${path}/confirm`, { reference: 'Z 1' }),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state, body.reference], [200, 'confirmed', 'Z 1'])
        assert.equal(await balance(), ['7.00', '0.00', '7.00'])
        assert.is((await must(owner.get(`/v1/wallets/${walletId}`), 200)).state, 'frozen')
      },
    }
  },

  async 'failing a withdrawal'() {
    const { path, balance } = await prepare(true)
    return {
      client: bank,
      send: (client) => client.post(`${path}/fail`, { reason: 'no such account' }),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state, body.reason], [200, 'failed', 'no such account'])
        assert.equal(await balance(), ['10.00', '0.00', '10.00'])
      },
    }
  },

  async 'cancelling a withdrawal'() {
    const { path, balance, client: owner } = await prepare(false)
    return {
      client: owner,
      send: (client) => client.send('POST', `${path}/cancel`),
      isKeyed: true,
      async check({ status, body }) {
        assert.equal([status, body.state], [200, 'cancelled'])
        assert.equal(await balance(), ['10.00', '0.00', '10.00'])
      },
    }
  },
}

testScenarios(test, () => world, scenarios)

test.run()
