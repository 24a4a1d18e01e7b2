import { bankAccount } from '../../accounting/accounts.ts'
import { readApproval, requestApproval, useApproval } from '../../accounting/approvals.ts'
import { assetOf } from '../../accounting/chart.ts'
import { insertApproval } from '../../db/approvals.ts'
import { mintId } from '../../db/ids.ts'
import { keepDecision } from '../../server/flows/approvals.ts'
import { recover } from '../../server/flows/recovery.ts'
import { checkBooks } from '../lib/books.ts'
import { catchUp } from '../lib/catch-up.ts'
import { basic, type Client, type Json } from '../lib/http.ts'
import { assertRefused, unique } from '../lib/money.ts'
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
import { until } from '../lib/until.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('approvals')

const usd = assetOf('USD')
const nobody = '00000000-0000-7000-8000-000000000000'

let world: World
/** Who asks, and who else there is. */
let ada: Client
let adaId: string
let grace: { client: Client; id: string; email: string }

test.before(async () => {
  world = await createWorld({ env: { FOUR_EYES: 'on' } })
  ada = await world.operator()
  adaId = (await must(ada.get('/v1/session'), 200)).user.id
  grace = await addOperator(world, ada)
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const inBank = () => debitBalance(world, bankAccount(usd))

const contribution = (amount = '10.00'): Json => ({ kind: 'equity_contribution', amount })

/** An adjustment that the first operator has asked for. */
async function asked(input: Json = contribution(), key?: string): Promise<Json> {
  const adjustment = await must(adjust(ada, input, key), 202)
  assert.is(adjustment.state, 'pending')
  return adjustment
}

test('nothing is booked until another operator approves it, and then once', async () => {
  const before = await inBank()
  const key = unique('key')
  const adjustment = await asked(contribution(), key)
  assert.equal([adjustment.decided_by, adjustment.decided_at], [null, null])
  assert.is(Date.parse(adjustment.expires_at) - Date.parse(adjustment.created_at), 7 * 86_400_000)
  assertRefused(await approve(adjustment, ada), 403, 'own_request')
  assertRefused(await reject(adjustment, ada), 403, 'own_request')
  assertRefused(await withdraw(adjustment, grace.client), 403, 'not_the_requester')
  const replay = await adjust(ada, contribution(), key)
  assert.equal([replay.status, replay.body], [202, adjustment])
  assert.is(replay.headers['idempotency-replayed'], 'true')
  assert.is(await inBank(), before)

  const approved = await must(approve(adjustment, grace.client), 200)
  assert.equal([approved.state, approved.requested_by.id], ['approved', adaId])
  assert.equal(approved.decided_by, { id: grace.id, email: grace.email, name: null })
  assert.is((await inBank()) - before, 1000n)
  assert.equal(await must(approve(adjustment, grace.client), 200), approved)
  assertRefused(await reject(adjustment, grace.client), 409, 'approval_approved')
  assertRefused(await withdraw(adjustment, ada), 409, 'approval_approved')
  assertRefused(await approve(adjustment, ada), 403, 'own_request')
  assert.is((await inBank()) - before, 1000n)
  const again = await adjust(ada, contribution(), key)
  assert.equal([again.status, again.body.state, again.body.id], [202, 'approved', adjustment.id])
})

test('what was rejected or withdrawn stays so, tells why, and is not booked', async () => {
  const before = await inBank()
  const [rejected, withdrawn] = [await asked(), await asked()]
  const rejection = await must(reject(rejected, grace.client), 200)
  assert.equal(
    [rejection.state, rejection.decided_by.id, rejection.decision_reason],
    ['rejected', grace.id, 'not now'],
  )
  const withdrawal = await must(withdraw(withdrawn, ada), 200)
  assert.equal(
    [withdrawal.state, withdrawal.decided_by.id, withdrawal.decision_reason],
    ['withdrawn', adaId, null],
  )
  assert.equal(await must(reject(rejected, grace.client), 200), rejection)
  assert.equal(await must(withdraw(withdrawn, ada), 200), withdrawal)
  assertRefused(await approve(rejected, grace.client), 409, 'approval_rejected')
  assertRefused(await withdraw(rejected, ada), 409, 'approval_rejected')
  assertRefused(await approve(withdrawn, grace.client), 409, 'approval_withdrawn')
  assertRefused(await reject(withdrawn, grace.client), 409, 'approval_withdrawn')
  const adjustment = await must(ada.get(`/v1/adjustments/${rejected.id}`), 200)
  assert.equal([adjustment.state, adjustment.decision_reason], ['rejected', 'not now'])
  assert.is(await inBank(), before)
})

test('what there is not enough for is refused and stays pending: it can be approved later', async () => {
  const excess = `${(await inBank()) / 100n + 100n}.00`
  const adjustment = await asked({ kind: 'equity_withdrawal', amount: excess })
  for (let time = 0; time < 2; time += 1) {
    assertRefused(await approve(adjustment, grace.client), 422, 'adjustment_exceeds_balance')
  }
  assert.is((await approvalOf(adjustment, ada)).state, 'pending')
  await must(approve(await asked(contribution(excess)), grace.client), 200)
  assert.is((await must(approve(adjustment, grace.client), 200)).state, 'approved')
  const other = await asked({ kind: 'equity_withdrawal', amount: '999999999.00' })
  assertRefused(await approve(other, grace.client), 422, 'adjustment_exceeds_balance')
  assert.is((await must(reject(other, grace.client), 200)).state, 'rejected')
})

test('a reward to a frozen wallet waits until it is thawed', async () => {
  const { walletId } = await world.signUp()
  const standing = (step: string) => ada.post(`/v1/wallets/${walletId}/${step}`, { reason: 'x' })
  await must(standing('freeze'), 200)
  const reward = await asked({ kind: 'reward', wallet_id: walletId, amount: '1.00' })
  assertRefused(await approve(reward, grace.client), 422, 'recipient_closed')
  await must(standing('thaw'), 200)
  await must(approve(reward, grace.client), 200)
})

test('the ledger says when the time has run out', async () => {
  const { db, ledger } = world.deps
  const [id, inputHash] = [mintId(), 7]
  const body = { kind: 'equity_contribution', amount: '1.00', currency: 'USD' }
  await insertApproval(db, {
    operationId: id,
    inputHash,
    kind: 'adjustment',
    body,
    reason: 'a test',
    requestedBy: adaId,
  })
  await requestApproval(ledger, { id, inputHash, asset: usd, timeoutSeconds: 1 })
  const before = await inBank()
  await until(async () => (await approvalOf({ id }, ada)).state === 'expired')
  // The ledger runs things out a moment later than its time says.
  await until(async () => (await approve({ id }, grace.client)).body.code === 'approval_expired')
  assertRefused(await reject({ id }, grace.client), 409, 'approval_expired')
  assertRefused(await withdraw({ id }, ada), 409, 'approval_expired')
  assert.is(await inBank(), before)
  await catchUp(world.deps)
  const { data } = await must(ada.get('/v1/approvals?status=expired'), 200)
  assert.equal(
    data.map((approval: Json) => approval.id),
    [id],
  )
})

test('an operator who was deactivated approves nothing, also with an open session', async () => {
  const gone = await addOperator(world, ada)
  const adjustment = await asked()
  await must(ada.post(`/v1/users/${gone.id}/deactivate`, { reason: 'has left' }), 200)
  assertRefused(await approve(adjustment, gone.client), 401, 'not_signed_in')
  assert.is((await approvalOf(adjustment, ada)).state, 'pending')
  await must(withdraw(adjustment, ada), 200)
})

test('a payment system is made by the approval, without a password that anybody knows', async () => {
  const name = unique('system')
  const email = `${name}@bank.example.com`
  const approval = await must(ada.post('/v1/payment-systems', { name, email }), 202)
  const { payment_system_id: id } = approval.body
  assert.equal(approval.body, { name, email, payment_system_id: id })
  assert.equal([approval.state, approval.applied_at, approval.failure], ['pending', null, null])
  const path = `/v1/payment-systems/${id}/credential`
  assertRefused(await ada.send('POST', path), 404, 'payment_system_not_found')
  assertRefused(await approve(approval, ada), 403, 'own_request')

  const approved = await must(approve(approval, grace.client), 200)
  assert.equal([approved.state, approved.failure], ['approved', null])
  assert.ok(approved.applied_at)
  assert.equal(await must(approve(approval, grace.client), 200), approved)
  const { password, payment_system } = await must(ada.send('POST', path), 201)
  assert.equal([payment_system.id, payment_system.name], [id, name])
  const headers = basic(email, password)
  assert.is((await must(world.client().get('/v1/session', { headers }), 200)).user.id, id)
  assertRefused(await ada.post('/v1/payment-systems', { name, email }), 409, 'email_taken')
})

test('of two payment systems of one name one is approved, the other stays pending', async () => {
  const input = { name: unique('system'), email: `${unique('one')}@bank.example.com` }
  const first = await must(ada.post('/v1/payment-systems', input), 202)
  const second = await must(ada.post('/v1/payment-systems', input), 202)
  await must(approve(first, grace.client), 200)
  assertRefused(await approve(second, grace.client), 409, 'email_taken')
  assert.is((await must(reject(second, grace.client), 200)).state, 'rejected')
})

test('lists tell what waits, and adjustments are approvals as well', async () => {
  const adjustment = await asked()
  const name = unique('system')
  const email = `${name}@bank.example.com`
  const system = await must(ada.post('/v1/payment-systems', { name, email }), 202)
  await catchUp(world.deps)
  const idsOf = async (path: string) =>
    (await must(ada.get(path), 200)).data.map(({ id }: Json) => id)
  assert.equal(await idsOf('/v1/approvals?status=pending'), [system.id, adjustment.id])
  assert.equal(await idsOf('/v1/approvals?status=pending&kind=adjustment'), [adjustment.id])
  assert.equal(await idsOf('/v1/adjustments?status=pending'), [adjustment.id])
  assertRefused(await ada.get(`/v1/adjustments/${system.id}`), 404, 'adjustment_not_found')
  assertRefused(await ada.get(`/v1/adjustments/${nobody}`), 404, 'adjustment_not_found')
  for (const send of [approve, reject, withdraw]) {
    assertRefused(await send({ id: nobody }, grace.client), 404, 'approval_not_found')
  }
  for (const approval of [system, adjustment]) await must(reject(approval, grace.client), 200)
  await catchUp(world.deps)
  assert.equal(await idsOf('/v1/approvals?status=pending'), [])
  assert.equal((await idsOf('/v1/approvals?status=rejected')).slice(0, 2), [
    system.id,
    adjustment.id,
  ])
})

test('what was approved and cut off is carried out by recovery, once; what cannot be is noted', async () => {
  const { deps } = world
  const ask = (input: Json) => must(ada.post('/v1/payment-systems', input), 202)
  const input = { name: unique('system'), email: `${unique('cut')}@bank.example.com` }
  const [first, second] = [await ask(input), await ask({ ...input, email: `x${input.email}` })]
  for (const { id } of [first, second]) {
    const approval = await readApproval(deps.ledger, id, 0n)
    assert.ok(approval)
    const decisionHash = await keepDecision(deps, { userId: grace.id }, id, 'approved', null)
    const { step } = await useApproval(deps.ledger, approval, decisionHash, [], 0)
    assert.is(step.kind, 'done')
    const { state, applied_at } = await approvalOf({ id }, ada)
    assert.equal([state, applied_at], ['approved', null])
  }
  // By this recovery, or by that of the job.
  await until(async () => {
    await catchUp(deps)
    await recover(deps)
    const approvals = await Promise.all([first, second].map((it) => approvalOf(it, ada)))
    return approvals.every(({ applied_at }) => applied_at !== null)
  })
  assert.is((await recover(deps)).approvals, undefined)
  assert.is((await approvalOf(first, ada)).failure, null)
  const { applied_at, failure, decided_by } = await approvalOf(second, ada)
  assert.equal([failure, decided_by.id], ['name_taken', grace.id])
  assert.ok(applied_at)
  const found = await must(ada.get(`/v1/users?email=${input.email}`), 200)
  assert.equal(
    found.data.map(({ id }: Json) => id),
    [first.body.payment_system_id],
  )
})

test('the audit tells who asked, who tried and who approved', async () => {
  const adjustment = await asked()
  await approve(adjustment, ada)
  await approve(adjustment, grace.client)
  const { data } = await must(ada.get('/v1/audit?limit=4'), 200)
  assert.equal(
    data.slice(1).map((entry: Json) => [entry.operator_id, entry.action, entry.subject_id]),
    [
      [grace.id, 'POST /v1/approvals/{id}/approve', adjustment.id],
      [adaId, 'POST /v1/approvals/{id}/approve', adjustment.id],
      [adaId, 'POST /v1/adjustments', null],
    ],
  )
})

test.run()
