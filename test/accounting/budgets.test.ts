import fc from 'fast-check'
import { budgetAccount, createAccounts, walletAccount } from '../../accounting/accounts.ts'
import { giveBack, givingBack, readNextReturn } from '../../accounting/budget-uses.ts'
import {
  type Budget,
  putInForce,
  readBudget,
  readBudgets,
  toBudgetLeg,
} from '../../accounting/budgets.ts'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { createLedger, type Ledger } from '../../accounting/client.ts'
import { hashInput, type Uuid } from '../../accounting/ids.ts'
import { submitStep } from '../../accounting/steps.ts'
import { readTrail } from '../../accounting/trail.ts'
import { chainLegs, submitOnce } from '../../accounting/transfers.ts'
import { mintId } from '../../db/ids.ts'
import { ledgerOptions } from '../lib/ledger.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'

const test = suite('budgets')

const usd = assetOf('USD')
/** Each stands for a process: it remembers on its own what is in force. */
let processes: Ledger[] = []
let ledger: Ledger

test.before(async () => {
  processes = await Promise.all([0, 1, 2].map(() => createLedger(ledgerOptions())))
  ledger = processes[0]!
})
test.after(() => {
  for (const each of processes) each.close()
})

const budget = (windowSeconds = 86_400, window = 'day'): Budget => ({
  userId: mintId(),
  asset: usd,
  window,
  windowSeconds,
})

const accountOf = (of: Budget): Uuid => budgetAccount(of, usd).id
const read = (of: Budget) => readBudget(ledger, accountOf(of))

/** Uses something on its own; answers the operation's id, or undefined when it was declined. */
async function use(of: Budget, amountMinor: bigint, at = ledger): Promise<Uuid | undefined> {
  const operationId = mintId()
  const inputHash = hashInput('use', amountMinor)
  const leg = toBudgetLeg(of, amountMinor)
  const submission = await submitOnce(at, { operationId, inputHash, legs: [leg] })
  if (submission.kind === 'declined') assert.is(submission.reason, 'exceeds_credits')
  else assert.is(submission.kind, 'done')
  return submission.kind === 'done' ? operationId : undefined
}

test('what was used is back when the window has passed, each part at its time', async () => {
  const short = budget(1)
  await putInForce(ledger, short, { amountMinor: 100n, version: 1n })
  assert.ok(await use(short, 60n))
  assert.not.ok(await use(short, 41n))
  assert.ok(await use(short, 40n))
  assert.not.ok(await use(short, 1n))
  assert.equal(await read(short), { totalMinor: 100n, usedMinor: 100n })
  const next = await readNextReturn(ledger, accountOf(short), 1)
  assert.is(next?.amountMinor, 60n)
  await until(async () => (await read(short)).usedMinor === 0n)
  assert.is(await readNextReturn(ledger, accountOf(short), 1), undefined)
  assert.ok(await use(short, 100n))
})

test('a higher limit is granted at once, of a lower one what is not in use', async () => {
  const one = budget()
  await putInForce(ledger, one, { amountMinor: 100n, version: 1n })
  const used = await use(one, 80n)
  await putInForce(ledger, one, { amountMinor: 50n, version: 2n })
  assert.equal(await read(one), { totalMinor: 80n, usedMinor: 80n })
  assert.not.ok(await use(one, 1n))
  await giveBack(ledger, used!)
  await putInForce(ledger, one, { amountMinor: 50n, version: 2n })
  assert.equal(await read(one), { totalMinor: 50n, usedMinor: 0n })
  await putInForce(ledger, one, { amountMinor: 120n, version: 3n })
  assert.ok(await use(one, 120n))
})

test('a thousand who ask at once cost a look at the ledger, also while the rest waits to be taken', async () => {
  let calls = 0
  const counted: Ledger = Object.assign(Object.create(ledger), {
    queryTransfers: (...args: Parameters<Ledger['queryTransfers']>) => {
      calls += 1
      return ledger.queryTransfers(...args)
    },
    lookupAccounts: (...args: Parameters<Ledger['lookupAccounts']>) => {
      calls += 1
      return ledger.lookupAccounts(...args)
    },
    createTransfers: (...args: Parameters<Ledger['createTransfers']>) => {
      calls += 1
      return ledger.createTransfers(...args)
    },
  })
  const one = budget()
  async function askAtOnce(amountMinor: bigint, version: bigint): Promise<number> {
    calls = 0
    const asking = Array.from({ length: 1_000 }, () =>
      putInForce(counted, one, { amountMinor, version }),
    )
    await Promise.all(asking)
    return calls
  }
  // Reads how it stands, changes it, and reads it again.
  assert.is(await askAtOnce(100n, 1n), 5)
  assert.is(await askAtOnce(100n, 1n), 0)
  const used = await use(one, 80n)
  assert.is(await askAtOnce(50n, 2n), 5)
  assert.is(await askAtOnce(50n, 2n), 2)
  assert.equal(await read(one), { totalMinor: 80n, usedMinor: 80n })
  await giveBack(ledger, used!)
  assert.is(await askAtOnce(50n, 2n), 5)
  assert.is(await askAtOnce(50n, 2n), 0)
  assert.equal(await read(one), { totalMinor: 50n, usedMinor: 0n })
})

test('who asks after something has come back does not share a look from before', async () => {
  const one = budget()
  const [seen, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let looks = 0
  const slow: Ledger = Object.assign(Object.create(ledger), {
    async lookupAccounts(...args: Parameters<Ledger['lookupAccounts']>) {
      const accounts = await ledger.lookupAccounts(...args)
      looks += 1
      if (looks > 1) return accounts
      seen.resolve()
      await gate.promise
      return accounts
    },
  })
  await putInForce(ledger, one, { amountMinor: 100n, version: 1n })
  const used = await use(one, 100n)
  await putInForce(ledger, one, { amountMinor: 50n, version: 2n })
  const early = putInForce(slow, one, { amountMinor: 50n, version: 2n })
  await seen.promise
  await giveBack(ledger, used!)
  await putInForce(slow, one, { amountMinor: 50n, version: 2n })
  assert.equal(await read(one), { totalMinor: 50n, usedMinor: 0n })
  gate.resolve()
  await early
  assert.equal(await read(one), { totalMinor: 50n, usedMinor: 0n })
})

test('nothing at all can be the limit, and the same again by a newer version', async () => {
  const one = budget()
  await putInForce(ledger, one, { amountMinor: 0n, version: 1n })
  assert.not.ok(await use(one, 1n))
  await putInForce(ledger, one, { amountMinor: 7n, version: 2n })
  await putInForce(ledger, one, { amountMinor: 7n, version: 5n })
  assert.equal(await read(one), { totalMinor: 7n, usedMinor: 0n })
  const [newest] = await readTrail(ledger, accountOf(one), { limit: 1, newestFirst: true })
  assert.is(newest?.user_data_64, 5n)
})

test('an old limit does not come back, whoever has not heard of the new one', async () => {
  const one = budget()
  await putInForce(ledger, one, { amountMinor: 10n, version: 2n })
  await Promise.all(
    processes.map((each) => putInForce(each, one, { amountMinor: 1_000n, version: 1n })),
  )
  assert.is((await read(one)).totalMinor, 10n)
})

test('of versions that race over several processes the newest is in force, and they never add up', async () => {
  const limit = fc.record({
    version: fc.bigInt({ min: 1n, max: 20n }),
    amountMinor: fc.bigInt({ min: 0n, max: 1_000n }),
  })
  const limits = fc.uniqueArray(limit, {
    minLength: 1,
    maxLength: 6,
    selector: ({ version }) => version,
  })
  await fc.assert(
    fc.asyncProperty(limits, async (racing) => {
      const one = budget()
      await Promise.all(
        racing.flatMap((each) => processes.map((process) => putInForce(process, one, each))),
      )
      const newest = racing.reduce((a, b) => (a.version > b.version ? a : b))
      assert.is((await read(one)).totalMinor, newest.amountMinor)
    }),
    { numRuns: 30 },
  )
})

test('a hundred uses over several processes fit exactly', async () => {
  const one = budget()
  await putInForce(ledger, one, { amountMinor: 50n, version: 1n })
  const uses = await Promise.all(
    Array.from({ length: 100 }, (_, index) => use(one, 1n, processes[index % processes.length])),
  )
  assert.is(uses.filter(Boolean).length, 50)
  assert.equal(await read(one), { totalMinor: 50n, usedMinor: 50n })
})

test('lowering while it is in use never lets more pass than the higher of both limits', async () => {
  const one = budget()
  await putInForce(ledger, one, { amountMinor: 40n, version: 1n })
  const lower = () => putInForce(processes[1]!, one, { amountMinor: 20n, version: 2n })
  const uses = Array.from({ length: 40 }, (_, index) => async () => {
    if (index === 20) await lower()
    return use(one, 1n)
  })
  const passed = (await Promise.all(uses.map((each) => each()))).filter(Boolean).length
  const { totalMinor, usedMinor } = await read(one)
  assert.is(usedMinor, BigInt(passed))
  assert.ok(passed >= 20 && passed <= 40)
  assert.is(totalMinor, usedMinor > 20n ? usedMinor : 20n)
})

test('a budget and the payment behind it happen together or not at all', async () => {
  const [from, to] = [mintId(), mintId()]
  await createAccounts(ledger, [walletAccount(from, usd), walletAccount(to, usd)])
  const one = budget()
  await putInForce(ledger, one, { amountMinor: 100n, version: 1n })
  const payment = {
    debitAccountId: from,
    creditAccountId: to,
    amountMinor: 5n,
    asset: usd,
    code: TransferCode.payment,
  }
  const plan = {
    operationId: mintId(),
    inputHash: 1,
    ...chainLegs([toBudgetLeg(one, 5n)], [payment]),
  }
  const submission = await submitOnce(ledger, plan)
  assert.ok(submission.kind === 'declined' && submission.leg === 1)
  assert.is((await read(one)).usedMinor, 0n)
  const later = await submitOnce(ledger, { ...plan, legs: [payment], principalLeg: 0 })
  assert.is(later.kind, 'declined')
})

test('giving back leaves to itself what runs out meanwhile', async () => {
  const short = budget(1, 'short')
  const long = { ...short, window: 'long', windowSeconds: 86_400 }
  for (const each of [short, long]) {
    await putInForce(ledger, each, { amountMinor: 9n, version: 1n })
  }
  const operationId = mintId()
  const legs = [toBudgetLeg(short, 9n), toBudgetLeg(long, 9n)] as const
  const held = { ...toBudgetLeg(long, 0n), timeoutSeconds: 0 }
  await submitOnce(ledger, { operationId, inputHash: 1, ...chainLegs(legs, [held]) })
  const counts: number[] = []
  const step = await givingBack(ledger, operationId, async (voids) => {
    counts.push(voids.length)
    // The clock goes on between reading and submitting.
    if (counts.length === 1) await until(async () => (await read(short)).usedMinor === 0n)
    return submitStep(ledger, voids)
  })
  assert.is(step.kind, 'done')
  assert.equal(counts.length, 2)
  assert.equal(
    (await readBudgets(ledger, [short, long])).map((it) => it.usedMinor),
    [0n, 0n],
  )
  assert.is(await giveBack(ledger, operationId), false)
})

test('what comes back next is the oldest that was not given back', async () => {
  const one = budget()
  await putInForce(ledger, one, { amountMinor: 1_000n, version: 1n })
  const many = await Promise.all(Array.from({ length: 260 }, () => use(one, 1n)))
  const kept = await use(one, 3n)
  await Promise.all(many.map((id) => giveBack(ledger, id!)))
  const next = await readNextReturn(ledger, accountOf(one), one.windowSeconds)
  assert.is(next?.amountMinor, 3n)
  await giveBack(ledger, kept!)
  assert.is(await readNextReturn(ledger, accountOf(one), one.windowSeconds), undefined)
})

test.run()
