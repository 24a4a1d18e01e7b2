/** Approvals between whose look and step somebody else decides: one wins, and the ledger says who. */
import { bankAccount } from '../../accounting/accounts.ts'
import { assetOf } from '../../accounting/chart.ts'
import { checkBooks } from '../lib/books.ts'
import { disturb } from '../lib/disturb.ts'
import { type Client, type Json, type Reply, sameSession } from '../lib/http.ts'
import { assertRefused, fund, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import {
  addOperator,
  adjust,
  approvalOf,
  approve,
  debitBalance,
  reject,
  withdraw,
} from '../lib/treasury.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('approval races')

const usd = assetOf('USD')
const disturbance = disturb()

let world: World
let ada: Client
let grace: Client
let edsger: Client
let edsgerId: string
/** Grace at a Kassa that is stopped right before it submits something. */
let late: Client
let bank: Client

test.before(async () => {
  world = await createWorld({ env: { FOUR_EYES: 'on' } })
  ada = await world.operator()
  grace = (await addOperator(world, ada)).client
  ;({ client: edsger, id: edsgerId } = await addOperator(world, ada))
  bank = await world.paymentSystem()
  const other = await world.startAnother({ adapt: disturbance.adapt })
  late = sameSession(grace, world.client(other.url))
  // So that it knows the accounts of the house, and submits nothing but what is disturbed.
  await must(approve(await asked(), late), 200)
})
test.before.each(() => disturbance.reset())
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const inBank = () => debitBalance(world, bankAccount(usd))

const asked = (amount = '1.00'): Promise<Json> =>
  must(adjust(ada, { kind: 'equity_contribution', amount }), 202)

test('approve after another approve: the right is used once, both are told it is approved', async () => {
  const adjustment = await asked()
  const before = await inBank()
  disturbance.before(1, () => must(approve(adjustment, edsger), 200))
  const second = await must(approve(adjustment, late), 200)
  assert.equal(second, await approvalOf(adjustment, ada))
  assert.is(second.decided_by.id, edsgerId)
  assert.is((await inBank()) - before, 100n)
})

const ends: readonly [string, (it: Json) => Promise<Reply>, string][] = [
  ['reject', (it) => reject(it, edsger), 'approval_rejected'],
  ['withdraw', (it) => withdraw(it, ada), 'approval_withdrawn'],
]
for (const [name, end, code] of ends) {
  test(`approve after ${name}: the void was first, nothing is booked`, async () => {
    const adjustment = await asked()
    const before = await inBank()
    disturbance.before(1, () => must(end(adjustment), 200))
    assertRefused(await approve(adjustment, late), 409, code)
    assert.is(await inBank(), before)
  })
}

test('reject after approve: the post was first, it is booked', async () => {
  const adjustment = await asked()
  const before = await inBank()
  disturbance.before(1, () => must(approve(adjustment, edsger), 200))
  assertRefused(await reject(adjustment, late), 409, 'approval_approved')
  assert.is((await inBank()) - before, 100n)
})

test('reject after reject: both are told the first one', async () => {
  const adjustment = await asked()
  disturbance.before(1, () => must(reject(adjustment, edsger), 200))
  const second = await must(reject(adjustment, late), 200)
  assert.equal(second, await approvalOf(adjustment, ada))
  assertRefused(await withdraw(adjustment, ada), 409, 'approval_rejected')
})

test('an approval whose answer is lost is told by the same request', async () => {
  const adjustment = await asked()
  const before = await inBank()
  disturbance.loseAnswerOf(1)
  assertRefused(await approve(adjustment, late), 503, 'outcome_unknown')
  disturbance.reset()
  assert.is((await must(approve(adjustment, late), 200)).state, 'approved')
  assert.is((await inBank()) - before, 100n)
})

test('approve, reject and withdraw all at once: one wins, and the money says the same', async () => {
  for (let round = 0; round < 8; round += 1) {
    const adjustment = await asked()
    const before = await inBank()
    const replies = await Promise.all([
      approve(adjustment, grace),
      approve(adjustment, edsger),
      approve(adjustment, late),
      reject(adjustment, grace),
      reject(adjustment, edsger),
      withdraw(adjustment, ada),
    ])
    const { state } = await approvalOf(adjustment, ada)
    for (const { status, body } of replies) {
      assert.is(status === 200 ? body.state : body.code.replace('approval_', ''), state)
    }
    assert.is((await inBank()) - before, state === 'approved' ? 100n : 0n)
  }
})

/** Asks for the payout of a deposit in suspense, which is funded. */
async function payout(): Promise<{ deposit: Json; adjustment: Json }> {
  const deposit = await must(
    bank.post('/v1/deposits', {
      wallet_id: '019363a0-0000-7000-8000-000000000001',
      amount: '2.00',
      currency: 'USD',
      reference: unique('unmatched'),
      on_unmatched: 'suspense',
    }),
    201,
  )
  await must(approve(await asked('2.00'), grace), 200)
  const input = { kind: 'suspense_payout', deposit_id: deposit.id, reason: 'a test' }
  return { deposit, adjustment: await must(ada.post('/v1/adjustments', input), 202) }
}

test('a payout after an assignment: the right of the deposit is used, that of the approval is not', async () => {
  const { client, walletId } = await world.signUp()
  await fund(bank, walletId, '1.00')
  const { deposit, adjustment } = await payout()
  const path = `/v1/suspense/${deposit.id}/assign`
  disturbance.before(1, () => must(ada.post(path, { wallet_id: walletId, reason: 'found' }), 200))
  assertRefused(await approve(adjustment, late), 409, 'suspense_assigned')
  assert.is((await approvalOf(adjustment, ada)).state, 'pending')
  assert.is(await posted(client, walletId), '3.00')
  await must(reject(adjustment, grace), 200)
})

test('an assignment after a payout: it is paid out', async () => {
  const { walletId } = await world.signUp()
  const { deposit, adjustment } = await payout()
  disturbance.before(1, () => must(approve(adjustment, edsger), 200))
  const assigned = await late.post(`/v1/suspense/${deposit.id}/assign`, {
    wallet_id: walletId,
    reason: 'found',
  })
  assertRefused(assigned, 409, 'suspense_paid_out')
})

test.run()
