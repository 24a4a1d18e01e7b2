/**
 * Kassa is killed by SIGKILL at every step of its work on a request, one after the other, and is
 * started again: sent again with the same key or reference, each operation has happened exactly once.
 * Which steps there are is learnt from an undisturbed run.
 */
import { randomInt } from 'node:crypto'
import { checkBooks } from '../lib/books.ts'
import { type CrashChild, killCrashChildren, startCrashChild } from '../lib/crash.ts'
import { type Scenario, sessionAt, testScenarios } from '../lib/crash-scenarios.ts'
import type { Client, Reply } from '../lib/http.ts'
import { addPaymentSystem, closeAccount, fund, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('crash')

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
  async 'a payment'() {
    const [payer, payee] = [await world.signUp(), await world.signUp()]
    await fund(bank, payer.walletId, '10.00')
    const key = unique('key')
    const input = { to_wallet_id: payee.walletId, amount: '3', memo: 'rent' }
    return {
      client: payer.client,
      send: (client) => pay(client, input, key),
      isKeyed: true,
      async check({ status, body }) {
        assert.is(status, 201)
        assert.is(await posted(payer.client, payer.walletId), '7.00')
        assert.is(await posted(payee.client, payee.walletId), '3.00')
        const told = await must(payee.client.get(`/v1/transfers/${body.id}`), 200)
        assert.is(told.memo, 'rent')
      },
    }
  },

  async 'a payment without enough money'() {
    const [payer, payee] = [await world.signUp(), await world.signUp()]
    const key = unique('key')
    const input = { to_wallet_id: payee.walletId, amount: '3' }
    return {
      client: payer.client,
      send: (client) => pay(client, input, key),
      isKeyed: true,
      async check({ status, body }) {
        assert.is(status, 422)
        assert.ok(['insufficient_funds', 'declined'].includes(body.code))
        await fund(bank, payer.walletId, '10.00')
        assert.is((await pay(payer.client, input, key)).body.code, body.code)
        assert.is(await posted(payee.client, payee.walletId), '0.00')
      },
    }
  },

  async 'the first deposit of a payment system'() {
    const person = await world.signUp()
    const input = {
      wallet_id: person.walletId,
      amount: '7',
      currency: 'USD',
      reference: unique('crash'),
      details: 'salary',
    }
    return {
      client: await addPaymentSystem(world),
      send: (client) => client.post('/v1/deposits', input),
      isKeyed: true,
      async check({ status, body }) {
        assert.is(status, 201)
        assert.is(body.details, 'salary')
        assert.is(await posted(person.client, person.walletId), '7.00')
      },
    }
  },

  async 'a deposit to a closed wallet that is opened afterwards'() {
    const [person, other] = [await world.signUp(), await world.signUp()]
    const wallet = { id: person.walletId, currency: 'USD' }
    const input = {
      wallet_id: person.walletId,
      amount: '7',
      currency: 'USD',
      reference: unique('crash'),
    }
    return {
      client: bank,
      send: (client) => client.post('/v1/deposits', input),
      isKeyed: true,
      meanwhile: await closeAccount(world.deps.ledger, wallet, other.walletId),
      async check({ status }) {
        assert.is(status, 201)
        assert.is(await posted(person.client, person.walletId), '7.00')
      },
    }
  },

  async 'opening a wallet'() {
    const person = await world.signUp()
    const open = (client: Client) => client.post('/v1/wallets', { currency: 'EUR' })
    return {
      client: person.client,
      send: open,
      isKeyed: false,
      async check({ status }) {
        assert.is(status, 201)
        // There is no key: the first try may have opened one as well. Each of them is whole.
        const { data } = await must(person.client.get('/v1/wallets'), 200)
        assert.ok(data.length <= 3)
        for (const { id, currency, balance } of data) {
          await fund(bank, id, '5', currency)
          const sum = Number(balance.posted) + 5
          assert.is(Number(await posted(person.client, id)), sum)
        }
      },
    }
  },
}

testScenarios(test, () => world, scenarios)

const paymentCount = 90
const depositCount = 30
const senders = 8
const kills = 3

test('killed at random under load, each payment and deposit happens exactly once', async () => {
  const [payer, payee] = [await world.signUp(), await world.signUp()]
  await fund(bank, payer.walletId, '1000.00')
  const payments = Array.from({ length: paymentCount }, () => {
    const [key, memo] = [unique('key'), unique('memo')]
    const input = { to_wallet_id: payee.walletId, amount: '1', memo }
    return (child: CrashChild) => pay(sessionAt(world, child, payer.client), input, key)
  })
  const deposits = Array.from({ length: depositCount }, () => {
    const reference = unique('load')
    const input = { wallet_id: payee.walletId, amount: '100', currency: 'USD', reference }
    return (child: CrashChild) => sessionAt(world, child, bank).post('/v1/deposits', input)
  })
  const waiting = payments.flatMap((payment, index) => {
    const deposit = deposits[index / 3]
    return deposit ? [payment, deposit] : [payment]
  })
  assert.is(waiting.length, paymentCount + depositCount)
  const killAfter = new Set(Array.from({ length: kills }, () => randomInt(1, waiting.length - 20)))

  let current = startCrashChild(world.deps.config)
  let answered = 0
  function crash(): void {
    current = current.then(async (child) => {
      await child.kill()
      return startCrashChild(world.deps.config)
    })
  }

  /** Sends again and again, as a client does that gets no answer. */
  async function persist(send: (child: CrashChild) => Promise<Reply>): Promise<Reply> {
    for (;;) {
      const child = await current
      const reply = await send(child).catch(() => undefined)
      if (reply && reply.status !== 503) return reply
    }
  }
  const replies = new Map<(child: CrashChild) => Promise<Reply>, Reply>()
  async function work(): Promise<void> {
    for (let send = waiting.shift(); send; send = waiting.shift()) {
      replies.set(send, await persist(send))
      answered += 1
      if (killAfter.has(answered)) crash()
    }
  }
  await Promise.all(Array.from({ length: senders }, work))

  const last = await current
  for (const [send, reply] of replies) {
    assert.is(reply.status, 201, reply.text)
    const again = await send(last)
    assert.is(again.headers['idempotency-replayed'], 'true')
    assert.equal(again.body, reply.body)
  }
  const about = `killed after ${[...killAfter].join()} answers`
  assert.is(new Set([...replies.values()].map(({ body }) => body.id)).size, replies.size, about)
  assert.is(await posted(payer.client, payer.walletId), `${1_000 - paymentCount}.00`, about)
  const received = `${paymentCount + 100 * depositCount}.00`
  assert.is(await posted(payee.client, payee.walletId), received, about)
})

test.run()
