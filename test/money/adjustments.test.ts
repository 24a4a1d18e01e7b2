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
  suspenseAccount,
  walletAccount,
  writeOffsAccount,
} from '../../accounting/accounts.ts'
import { AccountCode, assetOf } from '../../accounting/chart.ts'
import { formatAmount } from '../../accounting/money.ts'
import { checkBooks } from '../lib/books.ts'
import { catchUp } from '../lib/catch-up.ts'
import type { Client, Json } from '../lib/http.ts'
import { assertRefused, fund, pay, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { adjust, approvalOf, approve, debitBalance } from '../lib/treasury.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('adjustments')

const usd = assetOf('USD')
const unknownWallet = '019363a0-0000-7000-8000-000000000001'

let world: World
let operator: Client
let bank: Client
/** A payment system of its own, with money in its clearing account. */
let system: { id: string; number: number; name: string }
let person: Person

test.before(async () => {
  world = await createWorld()
  operator = await world.operator()
  const name = unique('system')
  const email = `${name}@bank.example.com`
  const made = await must(operator.post('/v1/payment-systems', { name, email }), 201)
  system = made.payment_system
  bank = world.client()
  await must(bank.post('/v1/sessions', { email, password: made.password }), 201)
  person = await world.signUp()
  await fund(bank, person.walletId, '100.00')
})
test.after(async () => {
  checkHouse(await checkBooks(world.deps.ledger))
  await world.stop()
})

const sideOf = new Map<number, 'asset' | 'claim' | 'expense'>([
  ...[AccountCode.clearing, AccountCode.bank, AccountCode.receivable].map(
    (code) => [code, 'asset'] as const,
  ),
  ...[
    AccountCode.wallet,
    AccountCode.liquidity,
    AccountCode.suspense,
    AccountCode.equity,
    AccountCode.feeIncome,
    AccountCode.spreadIncome,
    AccountCode.paymentSystemIncome,
  ].map((code) => [code, 'claim'] as const),
  ...[AccountCode.rewards, AccountCode.paymentSystemFees, AccountCode.writeOffs].map(
    (code) => [code, 'expense'] as const,
  ),
])

/** Assets = liabilities + equity + income - expenses, and no account is left out of it. */
function checkHouse(accounts: Awaited<ReturnType<typeof checkBooks>>): void {
  const sums = { asset: 0n, claim: 0n, expense: 0n }
  for (const account of accounts.filter(({ ledger }) => ledger === usd.ledger)) {
    const side = sideOf.get(account.code)
    if (!side) throw new Error(`account code ${account.code} has no side`)
    const debit = account.debits_posted - account.credits_posted
    sums[side] += side === 'claim' ? -debit : debit
  }
  assert.is(sums.asset, sums.claim - sums.expense)
}

const balances = (accounts: readonly AccountPlan[]) =>
  Promise.all(accounts.map((account) => debitBalance(world, account)))

const booked = (input: Json): Promise<Json> => must(adjust(operator, input), 201)

const clearing = () => clearingAccount(system.number, usd)

/** A deposit in suspense, of 25.00 unless told otherwise. */
const suspended = (more: Json = {}): Promise<Json> =>
  must(
    bank.post('/v1/deposits', {
      wallet_id: unknownWallet,
      amount: '25.00',
      currency: 'USD',
      reference: unique('unmatched'),
      on_unmatched: 'suspense',
      ...more,
    }),
    201,
  )

/** Somebody who owes 40.00 after a charge-back. */
async function debtor(): Promise<Person> {
  const [owing, shop] = [await world.signUp(), await world.signUp()]
  const deposit = await fund(bank, owing.walletId, '40.00')
  await must(pay(owing.client, { to_wallet_id: shop.walletId, amount: '40.00' }), 201)
  const told = { reason: 'Card stolen', reference: unique('back') }
  await must(bank.post(`/v1/deposits/${deposit.id}/reversals`, told), 201)
  return owing
}

const owed = async ({ client, walletId }: Person): Promise<string | undefined> =>
  (await must(client.get(`/v1/wallets/${walletId}`), 200)).balance.owed

/** In an order in which there is always something to take it from. */
const kinds: readonly [
  kind: string,
  amount: string,
  debit: () => AccountPlan,
  credit: () => AccountPlan,
][] = [
  ['equity_contribution', '50.00', () => bankAccount(usd), () => equityAccount(usd)],
  ['equity_withdrawal', '0.01', () => equityAccount(usd), () => bankAccount(usd)],
  ['liquidity_funding', '30.00', () => bankAccount(usd), () => liquidityAccount(usd)],
  ['liquidity_draining', '10.00', () => liquidityAccount(usd), () => bankAccount(usd)],
  ['settlement', '20.00', () => bankAccount(usd), clearing],
  ['prefunding', '5.00', clearing, () => bankAccount(usd)],
  ['payment_system_fee', '1.50', () => paymentSystemFeesAccount(usd), clearing],
  ['payment_system_income', '0.25', clearing, () => paymentSystemIncomeAccount(usd)],
]

for (const [kind, amount, debit, credit] of kinds) {
  test(`${kind} moves its amount from its one account to its other`, async () => {
    const concerns = credit === clearing || debit === clearing
    const named = concerns ? { payment_system: system.name } : {}
    const accounts = [debit(), credit()]
    const before = await balances(accounts)
    const reference = unique(kind)
    const made = await booked({ kind, amount, reference, ...named })
    assert.equal([made.kind, made.amount, made.currency], [kind, amount, 'USD'])
    assert.equal([made.state, made.reference, made.reason], ['approved', reference, 'a test'])
    assert.is(made.payment_system_id, concerns ? system.id : null)
    assert.equal(made.decided_by, made.requested_by)
    const minor = BigInt(amount.replace('.', ''))
    const after = await balances(accounts)
    assert.equal(
      after.map((balance, index) => balance - before[index]!),
      [minor, -minor],
    )
    assert.equal(await must(operator.get(`/v1/adjustments/${made.id}`), 200), made)
  })
}

test('a write-off lowers what a customer owes, by no more than that', async () => {
  const owing = await debtor()
  const accounts = [writeOffsAccount(usd), receivableAccount(owing.userId, usd)]
  const before = await balances(accounts)
  const writeOff = { kind: 'write_off', user_id: owing.userId }
  assertRefused(
    await adjust(operator, { ...writeOff, amount: '40.01' }),
    422,
    'adjustment_exceeds_balance',
  )
  await booked({ ...writeOff, amount: '15.00' })
  assert.is(await owed(owing), '25.00')
  await booked({ ...writeOff, amount: '25.00' })
  assert.is(await owed(owing), undefined)
  assert.equal(await balances(accounts), [before[0]! + 4000n, 0n])
  const nothing = await adjust(operator, {
    kind: 'write_off',
    user_id: person.userId,
    amount: '0.01',
  })
  assertRefused(nothing, 422, 'adjustment_exceeds_balance', 'who never owed anything')
  assert.is(nothing.body.available, '0.00')
})

test('a reward is seen by the customer with its reference, and by no reason', async () => {
  const { client, walletId, walletNumber } = await world.signUp()
  const accounts = [rewardsAccount(usd), walletAccount(walletId, usd)]
  const before = await balances(accounts)
  const reference = 'Welcome'
  const made = await booked({ kind: 'reward', wallet_id: walletNumber, amount: '3.00', reference })
  assert.is(made.wallet_id, walletId)
  assert.equal(await balances(accounts), [before[0]! + 300n, before[1]! - 300n])
  const { data } = await must(client.get(`/v1/wallets/${walletId}/transactions?kind=reward`), 200)
  const [{ id, kind, amount, balance, memo, counterparty, reference: seen }] = data
  assert.equal([id, kind, amount, balance], [made.id, 'reward', '3.00', '3.00'])
  assert.equal([memo, counterparty.name, seen], [null, 'Kassa', reference])
})

test('a reward to a wallet that is frozen, closed or of another currency is refused', async () => {
  const { client, walletId } = await world.signUp()
  const reward = { kind: 'reward', wallet_id: walletId, amount: '1.00' }
  const other = await adjust(operator, { ...reward, currency: 'EUR' })
  assertRefused(other, 422, 'currency_mismatch')
  await must(operator.post(`/v1/wallets/${walletId}/freeze`, { reason: 'x' }), 200)
  assertRefused(await adjust(operator, reward), 422, 'recipient_closed')
  await must(operator.post(`/v1/wallets/${walletId}/thaw`, { reason: 'x' }), 200)
  await must(client.send('POST', `/v1/wallets/${walletId}/close`), 200)
  assertRefused(await adjust(operator, reward), 422, 'recipient_closed')
})

test('a payout from suspense takes all of a deposit, once, and excludes other ways out', async () => {
  await booked({ kind: 'equity_contribution', amount: '25.00' })
  const deposit = await suspended()
  const accounts = [suspenseAccount(system.number, usd), bankAccount(usd), clearing()]
  const before = await balances(accounts)
  const payout = { kind: 'suspense_payout', deposit_id: deposit.id, reason: 'a test' }
  const key = unique('payout')
  const send = () =>
    operator.post('/v1/adjustments', payout, { headers: { 'idempotency-key': key } })
  const made = await must(send(), 201)
  assert.equal([made.amount, made.currency, made.deposit_id], ['25.00', 'USD', deposit.id])
  const after = await balances(accounts)
  assert.equal(
    after.map((balance, index) => balance - before[index]!),
    [2500n, -2500n, 0n],
  )
  const replay = await send()
  assert.equal([replay.status, replay.headers['idempotency-replayed']], [201, 'true'])
  assert.equal(replay.body, made)

  const { suspense } = await must(bank.get(`/v1/deposits/${deposit.id}`), 200)
  assert.equal([suspense.state, suspense.changed_at], ['paid_out', made.decided_at])
  const path = `/v1/suspense/${deposit.id}`
  const refused = [
    await operator.post(`${path}/assign`, { wallet_id: person.walletId, reason: 'x' }),
    await operator.post(`${path}/return`, { reason: 'x' }),
    await operator.post('/v1/adjustments', payout),
    await bank.post(`/v1/deposits/${deposit.id}/reversals`, {
      reason: 'x',
      reference: unique('back'),
    }),
  ]
  for (const reply of refused) assertRefused(reply, 409, 'suspense_paid_out')

  await catchUp(world.deps)
  const { data } = await must(operator.get('/v1/suspense?status=paid_out'), 200)
  assert.equal(
    data.map(({ id }: Json) => id),
    [deposit.id],
  )
})

test('what was assigned or returned is not paid out, nor what never was in suspense', async () => {
  const [assigned, returned] = [await suspended(), await suspended()]
  const to = { wallet_id: person.walletId, reason: 'x' }
  await must(operator.post(`/v1/suspense/${assigned.id}/assign`, to), 200)
  await must(operator.post(`/v1/suspense/${returned.id}/return`, { reason: 'x' }), 200)
  const { id } = await fund(bank, person.walletId, '1.00')
  for (const [depositId, status, code] of [
    [assigned.id, 409, 'suspense_assigned'],
    [returned.id, 409, 'suspense_returned'],
    [id, 404, 'suspense_not_found'],
    [unknownWallet, 404, 'suspense_not_found'],
  ]) {
    const payout = { kind: 'suspense_payout', deposit_id: depositId, reason: 'x' }
    assertRefused(await operator.post('/v1/adjustments', payout), status, code)
  }
})

test('more than there is: refused, nothing remains, and under its key for ever', async () => {
  const held = await debitBalance(world, bankAccount(usd))
  const key = unique('key')
  const excess = `${held / 100n + 1n}.00`
  const withdrawal = { kind: 'equity_withdrawal', amount: excess }
  const refused = await adjust(operator, withdrawal, key)
  assertRefused(refused, 422, 'adjustment_exceeds_balance')
  const { available, required, currency } = refused.body
  assert.equal([available, required, currency], [formatAmount(held, usd), excess, 'USD'])
  await booked({ kind: 'equity_contribution', amount: excess })
  const replay = await adjust(operator, withdrawal, key)
  assertRefused(replay, 422, 'adjustment_exceeds_balance')
  assert.is(replay.headers['idempotency-replayed'], 'true')
  await catchUp(world.deps)
  const { data } = await must(operator.get('/v1/adjustments?status=pending'), 200)
  assert.equal(data, [])
  for (const kind of ['settlement', 'payment_system_fee']) {
    const reply = await adjust(operator, { kind, payment_system: system.id, amount: '10000' })
    assertRefused(reply, 422, 'adjustment_exceeds_balance', kind)
  }
})

test('settled money is not there to pay out, until the house gives it back', async () => {
  const input = { wallet_id: person.walletId, amount: '30.00' }
  const held = await debitBalance(world, clearing())
  const rest = held - 1000n
  const amount = `${rest / 100n}.${String(rest % 100n).padStart(2, '0')}`
  const settled = { kind: 'settlement', payment_system: system.id, amount }
  await booked(settled)
  const withdraw = () =>
    person.client.post('/v1/withdrawals', {
      ...input,
      payment_system: system.id,
      destination: 'DE00',
    })
  assertRefused(await withdraw(), 422, 'payout_capacity_exceeded')
  await booked({ ...settled, kind: 'prefunding', amount: '20.00' })
  await must(withdraw(), 201)
  const reserved = await adjust(operator, { ...settled, amount: '0.01' })
  assertRefused(reserved, 422, 'adjustment_exceeds_balance', 'what is reserved is not settled')
})

test('a key books once, twenty times at once, and belongs to one input', async () => {
  const key = unique('key')
  const before = await debitBalance(world, bankAccount(usd))
  const input = { kind: 'equity_contribution', amount: '7.00' }
  const replies = await Promise.all(Array.from({ length: 20 }, () => adjust(operator, input, key)))
  assert.equal([...new Set(replies.map(({ status }) => status))], [201])
  assert.is(new Set(replies.map(({ body }) => body.id)).size, 1)
  assert.is((await debitBalance(world, bankAccount(usd))) - before, 700n)
  for (const change of [{ amount: '7.01' }, { reason: 'other' }, { kind: 'liquidity_funding' }]) {
    const reply = await adjust(operator, { ...input, ...change }, key)
    assertRefused(reply, 409, 'idempotency_key_reused', JSON.stringify(change))
  }
  assert.is((await adjust(operator, { ...input, amount: 7 }, key)).status, 201)
})

test('each kind takes what it concerns and nothing else, and amounts as everywhere', async () => {
  const contribution = { kind: 'equity_contribution', amount: '1.00' }
  const cases: [change: Json, code: string][] = [
    [{ amount: '0' }, 'amount_not_positive'],
    [{ amount: '-1' }, 'amount_not_positive'],
    [{ amount: '1.001' }, 'amount_too_precise'],
    [{ amount: '1e3' }, 'amount_malformed'],
    [{ amount: 'NaN' }, 'amount_malformed'],
    [{ amount: '9'.repeat(45) }, 'amount_too_large'],
    [{ currency: 'JPY', amount: '1.0' }, 'amount_too_precise'],
    [{ currency: 'XXX' }, 'currency_not_supported'],
    [{ amount: undefined }, 'invalid_request'],
    [{ reason: undefined }, 'invalid_request'],
    [{ reason: '' }, 'invalid_request'],
    [{ payment_system: system.id }, 'invalid_request'],
    [{ kind: 'settlement' }, 'invalid_request'],
    [{ kind: 'payment' }, 'invalid_request'],
    [{ kind: 'deposit', wallet_id: person.walletId }, 'invalid_request'],
    [{ kind: 'suspense_payout', deposit_id: unknownWallet }, 'invalid_request'],
    [{ kind: 'settlement', payment_system: 'nobody' }, 'payment_system_not_found'],
    [{ kind: 'write_off', user_id: unknownWallet }, 'user_not_found'],
    [{ kind: 'write_off', user_id: system.id }, 'user_not_found'],
    [{ kind: 'reward', wallet_id: unknownWallet }, 'wallet_not_found'],
    [{ kind: 'reward', wallet_id: clearing().id }, 'wallet_not_found'],
    [{ kind: 'reward', wallet_id: '1000000000' }, 'wallet_number_mistyped'],
  ]
  for (const [change, code] of cases) {
    const reply = await adjust(operator, { ...contribution, ...change })
    assert.is(reply.body.code, code, JSON.stringify(change))
  }
})

test('without four eyes an approval is there, approved by who has asked', async () => {
  const made = await booked({ kind: 'equity_contribution', amount: '1.00' })
  const approval = await approvalOf(made, operator)
  assert.equal([approval.kind, approval.state], ['adjustment', 'approved'])
  assert.equal(approval.body, { kind: made.kind, amount: '1.00', currency: 'USD' })
  assert.equal(await must(approve(made, operator), 200), approval)
  await catchUp(world.deps)
  const page = await must(operator.get('/v1/adjustments?limit=1&status=approved'), 200)
  assert.equal(page.data, [made])
  const next = await must(operator.get(`/v1/adjustments?limit=1&cursor=${page.next_cursor}`), 200)
  assert.ok(next.data[0].created_at <= made.created_at)
  const systems = await must(operator.get('/v1/approvals?kind=payment_system'), 200)
  assert.equal(
    systems.data.map(({ body }: Json) => body.payment_system_id),
    [system.id],
  )
})

test.run()
