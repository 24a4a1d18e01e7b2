import {
  clearingAccount,
  createAccounts,
  readBalances,
  walletAccount,
} from '../../accounting/accounts.ts'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import {
  createLedger,
  type Ledger,
  LedgerOutcomeUnknown,
  LedgerUnavailable,
} from '../../accounting/client.ts'
import { computeUuid, hashInput, type Uuid } from '../../accounting/ids.ts'
import type { Leg } from '../../accounting/legs.ts'
import { type Plan, submitAttempts, submitOnce } from '../../accounting/transfers.ts'
import { mintId } from '../../db/ids.ts'
import { ledgerOptions } from '../lib/ledger.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('transfers')

const usd = assetOf('USD')
let ledger: Ledger
let clearing: Uuid
let counter = 0

test.before(async () => {
  ledger = await createLedger(ledgerOptions())
  const account = clearingAccount(Number.parseInt(mintId().slice(-7), 16), usd)
  await createAccounts(ledger, [account])
  clearing = account.id
})

test.after(() => ledger.close())

async function wallet(fundedMinor = 0n): Promise<Uuid> {
  const id = mintId()
  await createAccounts(ledger, [walletAccount(id, usd)])
  if (fundedMinor > 0n) await submitOnce(ledger, plan(deposit(id, fundedMinor)))
  return id
}

const leg = (from: Uuid, to: Uuid, amountMinor: bigint): Leg => ({
  debitAccountId: from,
  creditAccountId: to,
  amountMinor,
  asset: usd,
  code: TransferCode.payment,
})

const deposit = (to: Uuid, amountMinor: bigint): Leg => ({
  ...leg(clearing, to, amountMinor),
  code: TransferCode.deposit,
})

/** A plan for a new operation, whose input is its legs. */
function plan(...legs: [Leg, ...Leg[]]): Plan {
  counter += 1
  const operationId = computeUuid('test', clearing, counter)
  return again(operationId, ...legs)
}

/** A plan for an operation that has been submitted before. */
function again(operationId: Uuid, ...legs: [Leg, ...Leg[]]): Plan {
  const input = legs.flatMap((l) => [l.debitAccountId, l.creditAccountId, l.amountMinor])
  return { operationId, inputHash: hashInput(...input), legs }
}

async function available(id: Uuid): Promise<bigint | undefined> {
  return (await readBalances(ledger, [id])).get(id)?.availableMinor
}

test('a repeated submission is a replay and moves nothing again', async () => {
  const [a, b] = [await wallet(1_000n), await wallet()]
  const payment = plan(leg(a, b, 300n))
  const first = await submitOnce(ledger, payment)
  const second = await submitOnce(ledger, payment)
  assert.ok(first.kind === 'done' && !first.replayed)
  assert.ok(second.kind === 'done' && second.replayed)
  assert.equal(second.operation, first.operation)
  assert.is(await available(a), 700n)
  assert.is(await available(b), 300n)
})

test('another input under the same id is a conflict that shows what happened', async () => {
  const [a, b] = [await wallet(1_000n), await wallet()]
  const payment = plan(leg(a, b, 300n))
  await submitOnce(ledger, payment)
  const other = await submitOnce(ledger, again(payment.operationId, leg(a, b, 301n)))
  assert.ok(other.kind === 'conflict')
  assert.is(other.operation.amountMinor, 300n)
  assert.is(await available(b), 300n)
})

test('a decline is final: the same operation stays declined when the money has come', async () => {
  const [a, b] = [await wallet(), await wallet()]
  const payment = plan(leg(a, b, 300n))
  assert.equal(await submitOnce(ledger, payment), {
    kind: 'declined',
    leg: 0,
    reason: 'exceeds_credits',
  })
  await submitOnce(ledger, plan(deposit(a, 500n)))
  const second = await submitOnce(ledger, payment)
  assert.is(second.kind, 'declined')
  assert.is(await available(a), 500n)
})

test('a chain declined at a later leg stays declined, also without that leg', async () => {
  const [a, b, c] = [await wallet(1_000n), await wallet(), await wallet()]
  const withFee = plan(leg(a, b, 900n), leg(a, c, 200n))
  assert.is((await submitOnce(ledger, withFee)).kind, 'declined')
  const withoutFee = again(withFee.operationId, leg(a, b, 900n))
  assert.is((await submitOnce(ledger, withoutFee)).kind, 'declined')
  assert.is(await available(a), 1_000n)
})

test('a chain happens whole, and its replay is recognised whatever the legs are now', async () => {
  const [a, b, c] = [await wallet(1_000n), await wallet(), await wallet()]
  const withFee = plan(leg(a, b, 700n), leg(a, c, 10n))
  assert.is((await submitOnce(ledger, withFee)).kind, 'done')
  const newFee = { ...withFee, legs: [leg(a, b, 700n), leg(a, c, 20n)] as const }
  const replay = await submitOnce(ledger, { ...newFee, legs: [newFee.legs[0], newFee.legs[1]] })
  assert.ok(replay.kind === 'done' && replay.replayed)
  assert.is(await available(c), 10n)
})

test('a transfer to a wallet of another currency is invalid and burns nothing', async () => {
  const a = await wallet(1_000n)
  const euro = mintId()
  await createAccounts(ledger, [walletAccount(euro, assetOf('EUR'))])
  assert.equal(await submitOnce(ledger, plan(leg(a, euro, 1n))), {
    kind: 'invalid',
    leg: 0,
    status: 'accounts_must_have_the_same_ledger',
  })
})

test('a ledger lost after a submission leaves doubt, never "nothing was submitted"', async () => {
  const [a, b, c] = [await wallet(1_000n), await wallet(), await wallet()]
  const gone = () => Promise.reject(new LedgerUnavailable('gone'))
  const isDoubt = (error: unknown) => error instanceof LedgerOutcomeUnknown

  const payment = plan(leg(a, b, 300n))
  await submitOnce(ledger, payment)
  await assert.rejects(submitOnce({ ...ledger, lookupTransfers: gone }, payment), isDoubt)

  const withFee = plan(leg(a, b, 600n), leg(a, c, 200n))
  let calls = 0
  const createTransfers: Ledger['createTransfers'] = (batch) => {
    calls += 1
    return calls > 1 ? gone() : ledger.createTransfers(batch)
  }
  await assert.rejects(submitOnce({ ...ledger, createTransfers }, withFee), isDoubt)
  await assert.rejects(
    submitOnce({ ...ledger, createTransfers: gone }, plan(leg(a, b, 1n))),
    (error) => error instanceof LedgerUnavailable,
  )
  assert.is(await available(a), 700n)
})

test('an object operation that was declined succeeds later, once, with twenty racers', async () => {
  const missing = mintId()
  const object = plan(deposit(missing, 50n))
  for (const attempt of [0, 1]) {
    assert.equal(await submitAttempts(ledger, [object], 0), {
      submission: { kind: 'declined', leg: 0, reason: 'credit_account_not_found' },
      attempt,
    })
  }
  await createAccounts(ledger, [walletAccount(missing, usd)])
  const racers = await Promise.all(
    Array.from({ length: 20 }, () => submitAttempts(ledger, [object], 0)),
  )
  const done = racers.map(({ submission }) => submission)
  assert.ok(done.every((submission) => submission.kind === 'done'))
  assert.is(done.filter((s) => s.kind === 'done' && !s.replayed).length, 1)
  assert.is(await available(missing), 50n)
})

test('after a decline an object operation tries its next plan; of all racers one does one of them', async () => {
  const [missing, other] = [mintId(), await wallet()]
  const first = plan(deposit(missing, 50n))
  const second = { ...first, legs: [deposit(other, 50n)] as const }
  const wanted = Array.from({ length: 20 }, (_, index) =>
    submitAttempts(ledger, index % 2 ? [first, second] : [first], 0),
  )
  const racers = (await Promise.all(wanted)).map(({ submission }) => submission)
  const firsts = racers.filter((submission) => submission.kind === 'done' && !submission.replayed)
  assert.is(firsts.length, 1)
  assert.ok(
    racers.every(({ kind }, index) => kind === 'done' || (kind === 'declined' && !(index % 2))),
  )
  assert.is(await available(other), 50n)
  await createAccounts(ledger, [walletAccount(missing, usd)])
  const { submission } = await submitAttempts(ledger, [first], 0)
  assert.ok(submission.kind === 'done' && submission.replayed)
  assert.is(await available(missing), 0n)
})

test('two hundred payments race for money that allows exactly fifty', async () => {
  const [a, b] = [await wallet(500n), await wallet()]
  const outcomes = await Promise.all(
    Array.from({ length: 200 }, () => submitOnce(ledger, plan(leg(a, b, 10n)))),
  )
  assert.is(outcomes.filter(({ kind }) => kind === 'done').length, 50)
  assert.is(outcomes.filter(({ kind }) => kind === 'declined').length, 150)
  assert.is(await available(a), 0n)
  assert.is(await available(b), 500n)
})

test.run()
