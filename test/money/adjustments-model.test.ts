/** Adjustments at random against a model of the house's accounts in whole yen. */
import fc from 'fast-check'
import {
  type AccountPlan,
  bankAccount,
  clearingAccount,
  equityAccount,
  liquidityAccount,
  paymentSystemFeesAccount,
  paymentSystemIncomeAccount,
  receivableAccount,
  rewardsAccount,
  walletAccount,
  writeOffsAccount,
} from '../../accounting/accounts.ts'
import { assetOf } from '../../accounting/chart.ts'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json } from '../lib/http.ts'
import { fund, openWallet, pay, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { adjust, debitBalance } from '../lib/treasury.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('model of adjustments')

const yen = assetOf('JPY')

let world: World
let operator: Client
let accounts: Record<string, AccountPlan>
/** What each kind concerns besides the house. */
let parties: Record<string, Json>

test.before(async () => {
  world = await createWorld()
  const [bank, owing, shop] = await Promise.all([
    world.paymentSystem(),
    world.signUp(),
    world.signUp(),
  ])
  operator = await world.operator()
  const [from, to] = [await openWallet(owing.client, 'JPY'), await openWallet(shop.client, 'JPY')]
  await fund(bank, to.id, '500', 'JPY')
  const deposit = await fund(bank, from.id, '300', 'JPY')
  await must(
    pay(owing.client, { from_wallet_id: from.id, to_wallet_id: to.id, amount: '300' }),
    201,
  )
  const told = { reason: 'Card stolen', reference: unique('back') }
  await must(bank.post(`/v1/deposits/${deposit.id}/reversals`, told), 201)
  const { data } = await must(operator.get('/v1/payment-systems'), 200)
  accounts = {
    bank: bankAccount(yen),
    liquidity: liquidityAccount(yen),
    equity: equityAccount(yen),
    clearing: clearingAccount(data[0].number, yen),
    receivable: receivableAccount(owing.userId, yen),
    wallet: walletAccount(to.id, yen),
    fees: paymentSystemFeesAccount(yen),
    income: paymentSystemIncomeAccount(yen),
    writeOffs: writeOffsAccount(yen),
    rewards: rewardsAccount(yen),
  }
  const system = { payment_system: data[0].id }
  parties = {
    settlement: system,
    prefunding: system,
    payment_system_fee: system,
    payment_system_income: system,
    write_off: { user_id: owing.userId },
    reward: { wallet_id: to.id },
  }
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

/** Debits less credits, by account. */
type Books = Record<string, bigint>

async function readBooks(): Promise<Books> {
  const entries = Object.entries(accounts).map(
    async ([name, account]) => [name, await debitBalance(world, account)] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}

/** What each kind debits and credits. */
const sides: Readonly<Record<string, readonly [debit: string, credit: string]>> = {
  equity_contribution: ['bank', 'equity'],
  equity_withdrawal: ['equity', 'bank'],
  liquidity_funding: ['bank', 'liquidity'],
  liquidity_draining: ['liquidity', 'bank'],
  settlement: ['bank', 'clearing'],
  prefunding: ['clearing', 'bank'],
  payment_system_fee: ['fees', 'clearing'],
  payment_system_income: ['clearing', 'income'],
  write_off: ['writeOffs', 'receivable'],
  reward: ['rewards', 'wallet'],
}
/** What is had, or owed to the house, is never less than nothing; what is set aside never more. */
const neverNegative = ['bank', 'clearing', 'receivable']
const neverPositive = ['liquidity']

/** The books after an adjustment, or undefined when it has to be refused. */
function book(before: Books, kind: string, amount: bigint): Books | undefined {
  const [debit, credit] = sides[kind]!
  const after = { ...before }
  after[debit] = after[debit]! + amount
  after[credit] = after[credit]! - amount
  const isPossible =
    neverNegative.every((name) => after[name]! >= 0n) &&
    neverPositive.every((name) => after[name]! <= 0n)
  return isPossible ? after : undefined
}

const adjustments = fc.array(
  fc.record({
    kind: fc.constantFrom(...Object.keys(sides)),
    amount: fc.oneof(fc.bigInt(1n, 100n), fc.bigInt(1n, 2_000n)),
  }),
  { minLength: 15, maxLength: 30 },
)

test('each adjustment is booked or refused as the model says, and nothing else moves', async () => {
  const seen = { booked: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(adjustments, async (steps) => {
      let books = await readBooks()
      for (const { kind, amount } of steps) {
        const input = { kind, amount: String(amount), currency: 'JPY', ...parties[kind] }
        const { status, body } = await adjust(operator, input)
        const after = book(books, kind, amount)
        const expected = after ? '201 approved' : '422 adjustment_exceeds_balance'
        assert.is(`${status} ${body.code ?? body.state}`, expected, `${kind} of ${amount}`)
        seen[after ? 'booked' : 'refused'] += 1
        books = after ?? books
      }
      assert.equal(await readBooks(), books)
    }),
    { numRuns: 5 },
  )
  assert.ok(seen.booked > 0 && seen.refused > 0, JSON.stringify(seen))
})

test.run()
