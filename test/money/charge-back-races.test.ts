/** Charge-backs between whose look and step something else is committed, and what is told then. */
import type { Transfer } from 'tigerbeetle-node'
import { ControlCode, TransferCode } from '../../accounting/chart.ts'
import { type Ledger, LedgerUnavailable } from '../../accounting/client.ts'
import { checkBooks } from '../lib/books.ts'
import { type Client, type Json, type Reply, sameSession } from '../lib/http.ts'
import { assertRefused, fund, pay, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('charge-back races')

let world: World
let bank: Client
let operator: Client
let shop: Person
/** The payment system at a Kassa whose ledger can be disturbed. */
let disturbed: Client
/** Carried out once, before the disturbed Kassa submits a transfer of this code. */
let before: { code: number; work: () => Promise<unknown> } | undefined
/** Whether the disturbed Kassa's ledger answers nothing after it has taken a transfer of this code. */
let goesAwayAfter: number | undefined

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
  operator = await world.operator()
  shop = await world.signUp()
  const other = await world.startAnother({
    adapt: (deps) => ({ ...deps, ledger: disturb(deps.ledger) }),
  })
  disturbed = world.client(other.url)
  sameSession(bank, disturbed)
})
test.before.each(() => {
  before = undefined
  goesAwayAfter = undefined
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

function disturb(ledger: Ledger): Ledger {
  let isAway = false
  const changes: Partial<Ledger> = {
    async createTransfers(batch: Transfer[]) {
      const has = (wanted: number | undefined) => batch.some(({ code }) => code === wanted)
      if (before && has(before.code)) {
        const { work } = before
        before = undefined
        await work()
      }
      const results = await ledger.createTransfers(batch)
      isAway ||= has(goesAwayAfter)
      return results
    },
    async queryTransfers(filter) {
      isAway &&= goesAwayAfter !== undefined
      if (isAway) throw new LedgerUnavailable('it went away')
      return ledger.queryTransfers(filter)
    },
  }
  return Object.assign(Object.create(ledger), changes)
}

const told = (more: Json = {}) => ({ reason: 'Card stolen', reference: unique('back'), ...more })

function reverse(deposit: Json, more: Json = {}, by = bank): Promise<Reply> {
  return by.post(`/v1/deposits/${deposit.id}/reversals`, told(more))
}

const freezing = (person: Person, step: 'freeze' | 'thaw') =>
  must(operator.post(`/v1/wallets/${person.walletId}/${step}`, { reason: 'race' }), 200)

async function read(person: Person): Promise<[state: string, posted: string, owed?: string]> {
  const { state, balance } = await must(person.client.get(`/v1/wallets/${person.walletId}`), 200)
  return [state, balance.posted, balance.owed]
}

async function funded(amount: string): Promise<{ person: Person; deposit: Json }> {
  const person = await world.signUp()
  return { person, deposit: await fund(bank, person.walletId, amount) }
}

test('a payment between look and charge-back wins: the balancing leg takes what is left', async () => {
  const { person, deposit } = await funded('10.00')
  const work = () => pay(person.client, { to_wallet_id: shop.walletId, amount: '7.00' })
  before = { code: ControlCode.returnable_use, work }
  const booked = await must(reverse(deposit, {}, disturbed), 201)
  assert.equal([booked.from_wallet, booked.owed], ['3.00', '7.00'])
  assert.equal(await read(person), ['active', '0.00', '7.00'])
})

test('payments and charge-backs all at once leave no wallet below zero', async () => {
  const { person, deposit } = await funded('20.00')
  const [backs, payments] = await Promise.all([
    Promise.all(Array.from({ length: 20 }, () => reverse(deposit, { amount: '0.50' }))),
    Promise.all(
      Array.from({ length: 20 }, () =>
        pay(person.client, { to_wallet_id: shop.walletId, amount: '1.00' }),
      ),
    ),
  ])
  const cents = (amount: string) => Number(amount.replace('.', ''))
  const owed = backs.reduce((sum, { body }) => sum + cents(body.owed), 0)
  const given = backs.reduce((sum, { body }) => sum + cents(body.from_wallet), 0)
  const paid = payments.filter(({ status }) => status === 201).length * 100
  assert.is(given + owed, 1000)
  const [, posted, stillOwed = '0.00'] = await read(person)
  assert.equal([cents(posted), cents(stillOwed)], [2000 - given - paid, owed])
})

test('a freeze between look and charge-back: the burnt attempt is followed by one through it', async () => {
  const { person, deposit } = await funded('10.00')
  before = { code: ControlCode.returnable_use, work: () => freezing(person, 'freeze') }
  const once = told({ amount: '4.00' })
  const booked = await must(reverse(deposit, once, disturbed), 201)
  assert.equal([booked.from_wallet, booked.owed], ['4.00', '0.00'])
  assert.equal(await read(person), ['frozen', '6.00', undefined])
  assert.equal((await reverse(deposit, once)).body, booked)
  await freezing(person, 'thaw')
})

test('a thaw between look and charge-back makes the step stale: it is taken again without', async () => {
  const { person, deposit } = await funded('10.00')
  await freezing(person, 'freeze')
  before = { code: ControlCode.returnable_use, work: () => freezing(person, 'thaw') }
  const booked = await must(reverse(deposit, {}, disturbed), 201)
  assert.equal([booked.from_wallet, booked.owed], ['10.00', '0.00'])
  assert.equal(await read(person), ['active', '0.00', undefined])
})

test('twenty copies while a wallet is frozen and thawed take back once', async () => {
  const { person, deposit } = await funded('10.00')
  const once = told({ amount: '6.00' })
  const flicker = async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      await freezing(person, 'freeze')
      await freezing(person, 'thaw')
    }
  }
  const [replies] = await Promise.all([
    Promise.all(Array.from({ length: 20 }, () => reverse(deposit, once))),
    flicker(),
  ])
  assert.equal([...new Set(replies.map(({ status }) => status))], [201])
  assert.is(new Set(replies.map(({ text }) => text)).size, 1)
  assert.equal(await read(person), ['active', '4.00', undefined])
})

test('a copy that wins between look and charge-back makes this one a replay', async () => {
  const { person, deposit } = await funded('10.00')
  const once = told()
  before = { code: ControlCode.returnable_use, work: () => must(reverse(deposit, once), 201) }
  const late = await reverse(deposit, once, disturbed)
  assert.equal([late.status, late.body.amount, late.body.owed], [201, '10.00', '0.00'])
  assert.is(late.headers['idempotency-replayed'], 'true')
  assert.equal(await read(person), ['active', '0.00', undefined])
})

test('a part taken between look and charge-back: all that is left is less by then', async () => {
  const { deposit } = await funded('10.00')
  const part = { amount: '4.00' }
  before = { code: ControlCode.returnable_use, work: () => must(reverse(deposit, part), 201) }
  assert.is((await must(reverse(deposit, {}, disturbed), 201)).amount, '6.00')
})

test('a deposit that was looked up before a charge-back pays nothing; the next one does', async () => {
  const { person, deposit } = await funded('10.00')
  await must(pay(person.client, { to_wallet_id: shop.walletId, amount: '10.00' }), 201)
  before = { code: TransferCode.deposit, work: () => must(reverse(deposit), 201) }
  await fund(disturbed, person.walletId, '4.00')
  assert.equal(await read(person), ['active', '4.00', '10.00'])
  await fund(disturbed, person.walletId, '3.00')
  assert.equal(await read(person), ['active', '4.00', '7.00'])
})

test('two deposits that both want to pay what is owed pay no more than that', async () => {
  const { person, deposit } = await funded('10.00')
  await must(pay(person.client, { to_wallet_id: shop.walletId, amount: '10.00' }), 201)
  await must(reverse(deposit), 201)
  before = { code: TransferCode.deposit, work: () => fund(bank, person.walletId, '8.00') }
  await fund(disturbed, person.walletId, '8.00')
  assert.equal(await read(person), ['active', '6.00', undefined])
})

test('a ledger that goes away after a charge-back leaves doubt; the same request tells the truth', async () => {
  const { person, deposit } = await funded('10.00')
  const once = told({ amount: '4.00' })
  goesAwayAfter = ControlCode.returnable_use
  assertRefused(await reverse(deposit, once, disturbed), 503, 'outcome_unknown')
  goesAwayAfter = undefined
  const truth = await reverse(deposit, once, disturbed)
  assert.equal([truth.status, truth.body.from_wallet], [201, '4.00'])
  assert.is(truth.headers['idempotency-replayed'], 'true')
  assert.equal(await read(person), ['active', '6.00', undefined])
})

test.run()
