import fc from 'fast-check'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { readDeposit } from '../../accounting/deposits.ts'
import { hashInput } from '../../accounting/ids.ts'
import { formatAmount } from '../../accounting/money.ts'
import { submitOnce } from '../../accounting/transfers.ts'
import { mintId } from '../../db/ids.ts'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json, Reply } from '../lib/http.ts'
import { addPaymentSystem, assertRefused, fund, openWallet, pay, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('charge-backs')

let world: World
let bank: Client
let operator: Client
let shop: Person

test.before(async () => {
  world = await createWorld()
  bank = await addPaymentSystem(world)
  operator = await world.operator()
  shop = await world.signUp()
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const told = (more: Json = {}) => ({ reason: 'Card stolen', reference: unique('back'), ...more })

function reverse(deposit: Json, more: Json = {}, by = bank): Promise<Reply> {
  return by.post(`/v1/deposits/${deposit.id}/reversals`, told(more))
}

const spend = (person: Person, amount: string) =>
  must(pay(person.client, { to_wallet_id: shop.walletId, amount }), 201)

async function balance(person: Person): Promise<[posted: string, owed: string | undefined]> {
  const wallet = await must(person.client.get(`/v1/wallets/${person.walletId}`), 200)
  return [wallet.balance.posted, wallet.balance.owed]
}

const history = async (person: Person): Promise<Json[]> =>
  (await must(person.client.get(`/v1/wallets/${person.walletId}/transactions`), 200)).data

async function funded(amount: string): Promise<{ person: Person; deposit: Json }> {
  const person = await world.signUp()
  return { person, deposit: await fund(bank, person.walletId, amount) }
}

/** A part of the clearing account's money leaves, as by a withdrawal. */
async function payOut(deposit: Json, person: Person, amountMinor: bigint): Promise<void> {
  const booked = await readDeposit(world.deps.ledger, deposit.id)
  const id = mintId()
  const leg = {
    debitAccountId: person.walletId,
    creditAccountId: booked!.operation.debitAccountId,
    amountMinor,
    asset: assetOf('USD'),
    code: TransferCode.withdrawal,
  }
  const plan = { operationId: id, inputHash: hashInput(id), legs: [leg] as const }
  assert.is((await submitOnce(world.deps.ledger, plan)).kind, 'done')
}

test('the wallet gives what is there, the rest is owed, and the next deposits pay it first', async () => {
  const { person, deposit } = await funded('100.00')
  await spend(person, '70.00')
  const reference = unique('back')
  const reply = await reverse(deposit, { reference })
  assert.is(reply.status, 201)
  const { id, created_at, ...rest } = reply.body
  assert.ok(id[14] === '8' && Date.parse(created_at) > 0)
  assert.equal(rest, {
    deposit_id: deposit.id,
    amount: '100.00',
    from_wallet: '30.00',
    owed: '70.00',
    currency: 'USD',
    reason: 'Card stolen',
    reference,
  })
  assert.equal(await balance(person), ['0.00', '70.00'])
  assert.match(
    (await person.client.get('/')).text,
    /You owe 70\.00 USD: a\s+deposit was taken back/,
  )
  await fund(bank, person.walletId, '50.00')
  assert.equal(await balance(person), ['0.00', '20.00'])
  await fund(bank, person.walletId, '30.00')
  assert.equal(await balance(person), ['10.00', undefined])
  await fund(bank, person.walletId, '1.00')
  assert.equal(await balance(person), ['11.00', undefined])

  const entries = await history(person)
  assert.equal(
    entries.map((entry) => [entry.kind, entry.direction, entry.amount, entry.balance]),
    [
      ['deposit', 'in', '1.00', '11.00'],
      ['chargeback_payment', 'out', '20.00', '10.00'],
      ['deposit', 'in', '30.00', '30.00'],
      ['chargeback_payment', 'out', '50.00', '0.00'],
      ['deposit', 'in', '50.00', '50.00'],
      ['chargeback_payment', 'out', '30.00', '0.00'],
      ['payment', 'out', '70.00', '30.00'],
      ['deposit', 'in', '100.00', '100.00'],
    ],
  )
  assert.is(new Set(entries.map((entry) => entry.id)).size, entries.length)
  const [, later, , , , first] = entries
  assert.equal([first.memo, first.reference], ['Card stolen', reference])
  assert.equal(first.counterparty.name, entries[7].counterparty.name)
  assert.equal([later.memo, later.reference], ['Owing since a deposit was taken back', null])
  assert.is(later.counterparty.name, 'Kassa')
  const account = await must(person.client.get('/v1/account'), 200)
  const [, paid] = account['Last transactions']
  assert.match(paid, /paid back 20.00 USD to Kassa: Owing since a deposit was taken back$/)
})

test('a reference takes back once, also twenty times at once, and tells what happened then', async () => {
  const { person, deposit } = await funded('10.00')
  await spend(person, '8.00')
  const once = told({ amount: '4.00' })
  const copies = Array.from({ length: 20 }, () => reverse(deposit, once))
  const replies = await Promise.all(copies)
  assert.equal(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size, 1)
  const first = replies[0]!.body
  assert.equal([first.from_wallet, first.owed], ['2.00', '2.00'])
  const replays = replies.filter(({ headers }) => headers['idempotency-replayed'] === 'true')
  assert.is(replays.length, 19)
  assert.equal(await balance(person), ['0.00', '2.00'])
  const again = await reverse(deposit, { ...once, amount: '4', reason: 'told otherwise' })
  assert.equal([again.status, again.body], [201, first])
  assert.is(again.headers['idempotency-replayed'], 'true')

  const other = await fund(bank, shop.walletId, '10.00')
  const reuses: [Json, Json][] = [
    [deposit, { amount: '4.01' }],
    [deposit, { amount: undefined }],
    [deposit, { amount: '0' }],
    [other, {}],
  ]
  for (const [target, change] of reuses) {
    const reply = await reverse(target, { ...once, ...change })
    assertRefused(reply, 409, 'reference_reused', JSON.stringify(change))
    const { id, deposit_id, amount, currency, created_at } = first
    assert.equal(reply.body.original, { id, deposit_id, amount, currency, created_at })
  }
})

test('fifty parts at once never come to more than the deposit', async () => {
  const { person, deposit } = await funded('10.00')
  await spend(person, '3.00')
  const replies = await Promise.all(
    Array.from({ length: 50 }, () => reverse(deposit, { amount: '0.70' })),
  )
  const won = replies.filter(({ status }) => status === 201)
  assert.is(won.length, 14)
  for (const reply of replies) {
    if (reply.status !== 201) assertRefused(reply, 422, 'reversal_too_large')
  }
  assert.equal(await balance(person), ['0.00', '2.80'])
  assertRefused(await reverse(deposit, { amount: '0.21' }), 422, 'reversal_too_large')
  assert.is((await must(reverse(deposit), 201)).amount, '0.20')
  assertRefused(await reverse(deposit), 422, 'reversal_too_large')
})

test('all that is left is taken once, whatever parts race with it', async () => {
  const { person, deposit } = await funded('10.00')
  const racers = [undefined, '1.00', undefined, '2.00', '3.00', undefined]
  const replies = await Promise.all(racers.map((amount) => reverse(deposit, { amount })))
  const won = replies.filter(({ status }) => status === 201)
  const cents = won.map(({ body }) => Number(body.amount.replace('.', '')))
  assert.is(
    cents.reduce((sum, each) => sum + each),
    1000,
  )
  for (const reply of replies) {
    if (reply.status !== 201) assertRefused(reply, 422, 'reversal_too_large')
  }
  assert.equal(await balance(person), ['0.00', undefined])
})

test('only the payment system that told of a deposit takes it back or sees what was taken', async () => {
  const { deposit } = await funded('5.00')
  const other = await addPaymentSystem(world)
  await must(reverse(deposit, { amount: '1.00' }), 201)
  const list = `/v1/deposits/${deposit.id}/reversals`
  assertRefused(await reverse(deposit, {}, other), 404, 'deposit_not_found')
  assertRefused(await other.get(list), 404, 'deposit_not_found')
  assertRefused(await reverse({ id: shop.walletId }), 404, 'deposit_not_found')
  assertRefused(await reverse({ id: deposit.wallet_id }), 404, 'deposit_not_found')
  const nothing = '00000000-0000-0000-0000-000000000000'
  assertRefused(await reverse({ id: nothing }), 404, 'deposit_not_found')
  const both = told({ amount: '0.50' })
  const theirs = await fund(other, shop.walletId, '5.00')
  const mine = await must(reverse(deposit, both), 201)
  assert.is.not((await must(reverse(theirs, both, other), 201)).id, mine.id)
})

test('a part that is wrong is refused and takes nothing', async () => {
  const { person, deposit } = await funded('5.00')
  const refusals: [Json, number, string][] = [
    [{ amount: '1,5' }, 422, 'amount_malformed'],
    [{ amount: '0' }, 422, 'amount_not_positive'],
    [{ amount: -1 }, 422, 'amount_not_positive'],
    [{ amount: '1.001' }, 422, 'amount_too_precise'],
    [{ amount: '9'.repeat(50) }, 422, 'amount_too_large'],
    [{ amount: '5.01' }, 422, 'reversal_too_large'],
    [{ amount: String(2n ** 120n) }, 422, 'reversal_too_large'],
    [{ reason: '' }, 422, 'invalid_request'],
    [{ reason: undefined }, 422, 'invalid_request'],
    [{ reference: '' }, 422, 'invalid_request'],
    [{ wallet_id: person.walletId }, 422, 'invalid_request'],
  ]
  for (const [change, status, code] of refusals) {
    assertRefused(await reverse(deposit, change), status, code, JSON.stringify(change))
  }
  assert.equal(await balance(person), ['5.00', undefined])
})

test('what the payment system has paid out already it cannot take back; later it can', async () => {
  const other = await addPaymentSystem(world)
  const person = await world.signUp()
  const deposit = await fund(other, person.walletId, '10.00')
  await payOut(deposit, person, 600n)
  const all = told()
  assertRefused(await reverse(deposit, all, other), 422, 'payout_capacity_exceeded')
  assertRefused(await reverse(deposit, all, other), 422, 'payout_capacity_exceeded')
  assert.equal(await balance(person), ['4.00', undefined])
  await fund(other, shop.walletId, '6.00')
  const booked = await must(reverse(deposit, all, other), 201)
  assert.equal([booked.amount, booked.from_wallet, booked.owed], ['10.00', '4.00', '6.00'])
  assert.equal(await balance(person), ['0.00', '6.00'])
})

test('a frozen wallet gives what it has, and stays frozen', async () => {
  const { person, deposit } = await funded('10.00')
  const step = (name: string) =>
    must(operator.post(`/v1/wallets/${person.walletId}/${name}`, { reason: 'test' }), 200)
  await spend(person, '4.00')
  await step('freeze')
  const booked = await must(reverse(deposit, { amount: '8.00' }), 201)
  assert.equal([booked.from_wallet, booked.owed], ['6.00', '2.00'])
  const wallet = await must(person.client.get(`/v1/wallets/${person.walletId}`), 200)
  assert.is(wallet.state, 'frozen')
  const input = { wallet_id: person.walletId, amount: '5.00', currency: 'USD' }
  const late = { ...input, reference: unique('late') }
  assertRefused(await bank.post('/v1/deposits', late), 422, 'recipient_closed')
  assert.is((await step('thaw')).state, 'active')
  await must(bank.post('/v1/deposits', late), 201)
  assert.equal(await balance(person), ['3.00', undefined])
})

test('a closed wallet gives nothing; the other wallets of its owner pay what is owed', async () => {
  const { person, deposit } = await funded('10.00')
  const other = await openWallet(person.client, 'USD')
  const euros = await openWallet(person.client, 'EUR')
  const emptying = { from_wallet_id: person.walletId, to_wallet_id: shop.walletId, amount: '10.00' }
  await must(pay(person.client, emptying), 201)
  await must(person.client.send('POST', `/v1/wallets/${person.walletId}/close`), 200)
  const booked = await must(reverse(deposit), 201)
  assert.equal([booked.from_wallet, booked.owed], ['0.00', '10.00'])
  await fund(bank, euros.id, '10.00', 'EUR')
  await fund(bank, other.id, '12.00')
  const wallets = await must(person.client.get('/v1/wallets'), 200)
  const balances = wallets.data.map(({ balance }: Json) => [balance.posted, balance.owed])
  assert.equal(balances, [
    ['0.00', undefined],
    ['2.00', undefined],
    ['10.00', undefined],
  ])
})

test('held money is not taken; what the wallet is paid by others is not taken either', async () => {
  const { person, deposit } = await funded('10.00')
  const input = { from_wallet_id: person.walletId, to_wallet_id: shop.walletId, amount: '7.00' }
  const hold = await must(person.client.post('/v1/holds', input), 201)
  const booked = await must(reverse(deposit), 201)
  assert.equal([booked.from_wallet, booked.owed], ['3.00', '7.00'])
  await must(shop.client.send('POST', `/v1/holds/${hold.id}/void`), 200)
  assert.equal(await balance(person), ['7.00', '7.00'])
  const again = await fund(bank, person.walletId, '2.00')
  assert.equal(await balance(person), ['7.00', '5.00'])
  await must(reverse(again), 201)
  assert.equal(await balance(person), ['5.00', '5.00'])
})

test('the list is newest first, in stable pages', async () => {
  const { deposit } = await funded('10.00')
  const ids: string[] = []
  for (let count = 0; count < 5; count += 1) {
    ids.unshift((await must(reverse(deposit, { amount: '1.00' }), 201)).id)
  }
  const list = (query: string) =>
    must(bank.get(`/v1/deposits/${deposit.id}/reversals${query}`), 200)
  const first = await list('?limit=2')
  const newest = await must(reverse(deposit, { amount: '1.00' }), 201)
  const second = await list(`?limit=3&cursor=${first.next_cursor}`)
  assert.equal(
    [...first.data, ...second.data].map(({ id }) => id),
    ids,
  )
  assert.is(second.next_cursor, null)
  assert.equal((await list('')).data[0], newest)
  assert.equal((await list(`?to=2000-01-01T00:00:00Z`)).data, [])
})

type Step = { kind: 'deposit' | 'payment' | 'reversal'; cents: number; place: number }

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom('deposit', 'payment', 'reversal'),
    cents: fc.integer({ min: 1, max: 1000 }),
    place: fc.nat(),
  }),
  { maxLength: 12 },
)

test('any deposits, payments and reversals do what a plain model does', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (todo) => {
      const person = await world.signUp()
      const text = (minor: number) => formatAmount(BigInt(minor), assetOf('USD'))
      const deposits: { id: string; left: number }[] = []
      let [posted, owed] = [0, 0]
      for (const { kind, cents, place } of todo) {
        const amount = text(cents)
        const deposit = deposits[place % deposits.length]
        if (kind === 'deposit') {
          const { id } = await fund(bank, person.walletId, amount)
          deposits.push({ id, left: cents })
          const paid = Math.min(cents, owed)
          posted += cents - paid
          owed -= paid
        } else if (kind === 'payment') {
          const reply = await pay(person.client, { to_wallet_id: shop.walletId, amount })
          if (cents > posted) assertRefused(reply, 422, 'insufficient_funds')
          else posted -= cents
        } else if (deposit) {
          const reply = await reverse(deposit, { amount })
          if (cents > deposit.left) {
            assertRefused(reply, 422, 'reversal_too_large')
            continue
          }
          const given = Math.min(cents, posted)
          assert.equal(
            [reply.body.from_wallet, reply.body.owed],
            [text(given), text(cents - given)],
          )
          deposit.left -= cents
          posted -= given
          owed += cents - given
        }
        assert.equal(await balance(person), [text(posted), owed > 0 ? text(owed) : undefined])
      }
    }),
    { numRuns: 15 },
  )
})

test.run()
