/** Random histories, cut at random moments: everything at once is the same as a checkpoint and the rest. */
import fc from 'fast-check'
import { type Account, AccountFlags, type Transfer, TransferFlags } from 'tigerbeetle-node'
import { resumeFrom, takeCheckpoint } from '../../accounting/checkpoint.ts'
import { nsPerSecond } from '../../accounting/clock.ts'
import type { Finding } from '../../accounting/findings.ts'
import { createOperationCheck } from '../../accounting/operation-check.ts'
import { createReplay, type Replay } from '../../accounting/replay.ts'
import { zeroAccount } from '../embedded/lib/zero.ts'
import { kept } from '../lib/checkpoint.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('a checkpoint and the rest')

const { linked, pending, post_pending_transfer, void_pending_transfer } = TransferFlags
const { closing_credit, closing_debit } = TransferFlags

/** Of 978, EUR: two without a limit, two wallets. */
const accounts = [1, 2, 3, 4].map(
  (number): Account => ({
    ...zeroAccount,
    id: BigInt(number),
    ledger: 978,
    code: number < 3 ? 65 : 20,
    flags: number < 3 ? AccountFlags.none : AccountFlags.debits_must_not_exceed_credits,
    timestamp: BigInt(number),
  }),
)

const step = fc.record({
  kind: fc.constantFrom('single', 'single', 'pending', 'pending', 'pending', 'post', 'void'),
  debit: fc.nat(3),
  credit: fc.nat(3),
  amount: fc.bigInt(0n, 25n),
  /** Which of those that were pending before, counted from the last one. */
  target: fc.nat(4),
  timeoutSeconds: fc.constantFrom(0, 1, 30, 90, 3_600),
  closing: fc.constantFrom(0, 0, 0, closing_debit, closing_credit),
  isLinked: fc.nat(3).map((number) => number === 0),
  /** Since the step before, unless that is linked to it. */
  gapSeconds: fc.constantFrom(0, 1, 20, 45),
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** The wallets have something at first. */
const funding: Step[] = [2, 3].map((credit) => ({
  kind: 'single',
  debit: 0,
  credit,
  amount: 50n,
  target: 0,
  timeoutSeconds: 0,
  closing: 0,
  isLinked: false,
  gapSeconds: 1,
}))

const start = 1_800_000_000n * nsPerSecond

/** What the steps make of it: also what a ledger would refuse. */
function toTransfers(steps: readonly Step[]): Transfer[] {
  const opened: Transfer[] = []
  let timestamp = start
  let wasLinked = false
  return steps.map((step, index) => {
    const it = { ...step }
    timestamp += wasLinked ? 1n : BigInt(it.gapSeconds) * nsPerSecond + 7n
    const isLast = index === steps.length - 1
    wasLinked = it.isLinked && !isLast
    const target = opened.at(-1 - it.target)
    // What no flow does is a break, and then there is no checkpoint.
    if (it.kind === 'post' && (target?.flags ?? 0) & (closing_debit | closing_credit))
      it.kind = 'void'
    const isPending = it.kind === 'pending'
    const resolves = it.kind === 'post' || it.kind === 'void'
    const kindFlags = {
      single: 0,
      pending,
      post: post_pending_transfer,
      void: void_pending_transfer,
    }
    const transfer: Transfer = {
      id: BigInt(1_000 + index),
      debit_account_id: (resolves && target?.debit_account_id) || accounts[it.debit]!.id,
      credit_account_id: (resolves && target?.credit_account_id) || accounts[it.credit]!.id,
      amount: it.kind === 'void' && target ? target.amount : it.amount,
      pending_id: resolves ? (target?.id ?? 5n) : 0n,
      user_data_128: BigInt(2_000 + index),
      user_data_64: 0n,
      user_data_32: 1,
      timeout: isPending ? it.timeoutSeconds : 0,
      ledger: 978,
      code: 2,
      flags:
        kindFlags[it.kind as keyof typeof kindFlags] |
        (isPending ? it.closing : 0) |
        (wasLinked ? linked : 0),
      timestamp,
    }
    if (isPending) opened.push(transfer)
    return transfer
  })
}

/** A replay with its checks, and what these have told. */
function begin() {
  const findings: Finding[] = []
  const replay = createReplay((finding) => findings.push(finding))
  const operations = createOperationCheck((finding) => findings.push(finding))
  for (const account of accounts) replay.addAccount(account)
  return {
    replay,
    findings,
    read(transfers: readonly Transfer[], upTo: bigint): void {
      for (const transfer of transfers) operations.read(transfer, replay.apply(transfer))
      replay.runOut(upTo)
    },
  }
}

/** All that a replay knows. */
const stateOf = (replay: Replay) => [[...replay.accounts()], replay.late(), [...replay.pending()]]

test('whatever happens, and wherever it is cut: the same state, the same findings', async () => {
  let late = 0
  let open = 0
  let over = 0
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 1, maxLength: 40 }).map((steps) => [...funding, ...steps]),
    fc.array(fc.record({ place: fc.nat(), gap: fc.nat(100) }), { minLength: 1, maxLength: 3 }),
    fc.nat(100),
    async (steps, places, endGap) => {
      const transfers = toTransfers(steps)
      const end = transfers.at(-1)!.timestamp + BigInt(endGap) * nsPerSecond
      const ends = transfers.flatMap(({ flags }, index) => (flags & linked ? [] : [index + 1]))
      const cuts = [...new Set(places.map(({ place }) => ends[place % ends.length]!))]
      const whole = begin()
      whole.read(transfers, end)
      // Only a run without breaks leaves a checkpoint: that an account was beyond its limit is not in it.
      const broken = whole.findings.find(({ kind }) => kind === 'limit_broken')?.at ?? end + 1n

      let part = begin()
      let told: Finding[] = []
      let read = 0
      for (const cut of cuts.sort((a, b) => a - b)) {
        const last = transfers[cut - 1]!.timestamp
        if (last >= broken) break
        const next = transfers[cut]?.timestamp ?? end + 1n
        // Up to the next transfer any moment will do.
        const moment = last + ((next - 1n - last) * BigInt(places[0]!.gap)) / 100n
        part.read(transfers.slice(read, cut), moment)
        read = cut
        told = [...told, ...part.findings]
        const taken = await takeCheckpoint(part.replay, { moment, transfers: read })
        late += part.replay.late().length
        open += [...part.replay.pending()].length
        part = begin()
        await resumeFrom(part.replay, kept(taken))
        assert.equal(await takeCheckpoint(part.replay, { moment, transfers: read }), taken)
      }
      part.read(transfers.slice(read), end)
      if (broken <= end) over += 1
      assert.equal([...told, ...part.findings], whole.findings)
      assert.equal(stateOf(part.replay), stateOf(whole.replay))
      const last = { moment: end, transfers: transfers.length }
      const [one, other] = await Promise.all(
        [whole, part].map(({ replay }) => takeCheckpoint(replay, last)),
      )
      assert.equal(one, other)
    },
  )
  await fc.assert(property, { numRuns: 1_000 })
  assert.ok(late > 100 && open > 500 && over > 10, `${[late, open, over]}`)
})

test.run()
