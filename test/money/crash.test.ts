/**
 * Kassa is killed by SIGKILL at every step of its work on a request, one after the other, and is
 * started again: sent again with the same key or reference, each operation has happened exactly once.
 * Which steps there are is learnt from an undisturbed run.
 */
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { checkBooks } from '../lib/books.ts'
import { type CrashChild, killCrashChildren, startCrashChild } from '../lib/crash.ts'
import type { Client, Reply } from '../lib/http.ts'
import { addPaymentSystem, closeAccount, fund, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
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

/** The same session, at a process. */
function at(child: CrashChild, client: Client): Client {
  const same = world.client(child.url)
  for (const [name, value] of client.cookies) same.cookies.set(name, value)
  return same
}

/** A request in a situation of its own, and what must be true once it was sent again. */
interface Scenario {
  client: Client
  send(client: Client): Promise<Reply>
  /** Whether it has a key or a reference, by which it happens at most once. */
  isKeyed: boolean
  /** Called before it is sent again. */
  meanwhile?(): Promise<void>
  check(reply: Reply): Promise<void>
}

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

/** The steps of a request that nothing disturbs. */
async function learnSteps(child: CrashChild, scenario: Scenario): Promise<readonly string[]> {
  await child.stopAt(0)
  await scenario.send(at(child, scenario.client))
  await until(() => child.steps.at(-1) === 'before the answer')
  return [...child.steps]
}

/** Kills the process at a step of the request; answers the process that was started in its place. */
async function crashAt(child: CrashChild, scenario: Scenario, step: number): Promise<CrashChild> {
  await child.stopAt(step)
  const lost = scenario.send(at(child, scenario.client)).catch(() => undefined)
  await child.stopped()
  await child.kill()
  assert.is(await lost, undefined, 'there was no answer')
  const next = await startCrashChild(world.deps.config)
  await scenario.meanwhile?.()
  const again = at(next, scenario.client)
  const reply = await scenario.send(again)
  await scenario.check(reply)
  if (scenario.isKeyed) {
    const replay = await scenario.send(again)
    await scenario.check(replay)
    assert.is(replay.body.id ?? replay.body.code, reply.body.id ?? reply.body.code)
  }
  return next
}

for (const [name, prepare] of Object.entries(scenarios)) {
  test(`${name}, killed at each step, happens exactly once`, async () => {
    const first = await startCrashChild(world.deps.config)
    const steps = await learnSteps(first, await prepare())
    assert.ok(steps.length >= 4, steps.join())
    const left = steps.map((_, index) => index + 1)
    const work = async (child: CrashChild) => {
      for (let step = left.shift(); step !== undefined; step = left.shift()) {
        child = await crashAt(child, await prepare(), step).catch((error: Error) => {
          error.message = `killed at step ${step}, ${steps[step! - 1]}: ${error.message}`
          throw error
        })
      }
      await child.kill()
    }
    const others = Array.from({ length: availableParallelism() - 1 }, () =>
      startCrashChild(world.deps.config),
    )
    await Promise.all([first, ...(await Promise.all(others))].map(work))
  })
}

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
    return (child: CrashChild) => pay(at(child, payer.client), input, key)
  })
  const deposits = Array.from({ length: depositCount }, () => {
    const reference = unique('load')
    const input = { wallet_id: payee.walletId, amount: '100', currency: 'USD', reference }
    return (child: CrashChild) => at(child, bank).post('/v1/deposits', input)
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
