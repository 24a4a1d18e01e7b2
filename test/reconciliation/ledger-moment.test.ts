/** What happens in the ledger while it is checked is no break; what is wrong is one all the same. */
import fc from 'fast-check'
import {
  type Account,
  AccountFlags,
  CreateTransferStatus,
  type Transfer,
  TransferFlags,
} from 'tigerbeetle-node'
import { createAccounts, walletAccount } from '../../accounting/accounts.ts'
import { AccountCode } from '../../accounting/chart.ts'
import { createLedger, type Ledger } from '../../accounting/client.ts'
import { nsPerSecond, readLedgerTime } from '../../accounting/clock.ts'
import type { Finding, FindingKind } from '../../accounting/findings.ts'
import { toLedgerId, type Uuid } from '../../accounting/ids.ts'
import { checkLedger } from '../../accounting/ledger-check.ts'
import { mintId } from '../../db/ids.ts'
import { zeroAccount } from '../embedded/lib/zero.ts'
import { ledgerOptions } from '../lib/ledger.ts'
import { createStory, findIn, newAsset, type Story, text, toTexts } from '../lib/ledger-story.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'

const test = suite('the ledger checked while money moves')

let ledger: Ledger
test.before(async () => {
  ledger = await createLedger(ledgerOptions())
})
test.after(() => ledger.close())

const changed = (changes: Partial<Ledger>): Ledger => Object.assign(Object.create(ledger), changes)

async function begin(): Promise<Story & { ada: Uuid; ben: Uuid }> {
  const story = await createStory(ledger)
  const [ada, ben] = story.wallets
  await story.deposit(ada, 10_000n)
  return { ...story, ada, ben }
}

test('before and after each page of accounts money moves, also of accounts that are new', async () => {
  const story = await begin()
  const { ada, ben } = story
  const [held] = await story.chain(story.hold(ada, ben, 100n))
  let turn = 0
  const move = async () => {
    turn += 1
    const newcomer = mintId()
    await createAccounts(ledger, [walletAccount(newcomer, story.asset)])
    await story.chain(story.payment(ada, ben, 10n), story.payment(ada, newcomer, 1n))
    await story.chain(story.hold(ben, ada, 5n))
    if (turn === 1) await story.chain(story.post(held!, 60n))
  }
  const busy = changed({
    async queryAccounts(filter) {
      await move()
      const page = await ledger.queryAccounts(filter)
      await move()
      return page
    },
  })
  assert.equal(await findIn(story, busy), [])
  assert.ok(turn > 1)
})

test('what is read too early is looked at again, and is a break only when it stays', async () => {
  const story = await begin()
  const { ada, ben } = story
  const early = await ledger.lookupAccounts([ada, ben].map(toLedgerId))
  await story.chain(story.payment(ada, ben, 10n))
  const stale = (accounts: Account[]) =>
    accounts.map((account) => early.find(({ id }) => id === account.id) ?? account)
  const queryAccounts: Ledger['queryAccounts'] = async (filter) =>
    stale(await ledger.queryAccounts(filter))
  assert.equal(await findIn(story, changed({ queryAccounts })), [])

  const lookupAccounts: Ledger['lookupAccounts'] = async (ids) =>
    stale(await ledger.lookupAccounts(ids))
  const findings = await findIn(story, changed({ queryAccounts, lookupAccounts }))
  assert.equal(
    toTexts(findings),
    [text('balance_differs', ada), text('balance_differs', ben)].sort(),
  )
})

test('what has run out may still count as pending for a while, but nothing besides', async () => {
  const story = await begin()
  const { ada, ben } = story
  await story.chain(story.hold(ada, ben, 100n, 1))
  const pendingOf = async () => {
    const [account] = await ledger.lookupAccounts([toLedgerId(ada)])
    return account!.debits_pending
  }
  assert.is(await pendingOf(), 100n)
  assert.equal(await findIn(story, ledger), [])
  await until(async () => (await pendingOf()) === 0n)
  assert.equal(await findIn(story, ledger), [])

  const late = (amountMinor: bigint) => (accounts: Account[]) =>
    accounts.map((account) => {
      if (account.id === toLedgerId(ada)) return { ...account, debits_pending: amountMinor }
      return account.id === toLedgerId(ben) ? { ...account, credits_pending: amountMinor } : account
    })
  const reading = (amountMinor: bigint) =>
    changed({
      queryAccounts: async (filter) => late(amountMinor)(await ledger.queryAccounts(filter)),
      lookupAccounts: async (ids) => late(amountMinor)(await ledger.lookupAccounts(ids)),
    })
  assert.equal(await findIn(story, reading(100n)), [])
  assert.equal(
    toTexts(await findIn(story, reading(101n))),
    [text('balance_differs', ada), text('balance_differs', ben)].sort(),
  )
})

/** What follows from TigerBeetle's own rules, whatever transfers there are. */
const arithmetic: ReadonlySet<FindingKind> = new Set([
  'balance_differs',
  'ledger_unbalanced',
  'limit_broken',
  'chain_incomplete',
  'resolution_impossible',
  'account_missing',
  'time_reversed',
])
const isArithmetic = ({ kind }: Finding) => arithmetic.has(kind)

/** One event of a request. Many are refused: what is not allowed does no harm. */
interface Event {
  kind: 'single' | 'pending' | 'post' | 'void'
  debit: number
  credit: number
  amount: bigint
  /** Of which transfer that was pending before, counted from the last one. */
  target: number
  timeout: number
  closing: 'none' | 'debit' | 'credit'
  balancing: 'none' | 'debit' | 'credit' | 'both'
  isLinked: boolean
}

const accountCount = 6
/** Seconds, of those that are waited for. */
const timeoutMax = 2n
const amountMax = 2n ** 128n - 1n
/** Most often the first of some values. */
const rarely = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  )
const event: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom('single', 'single', 'pending', 'pending', 'post', 'void'),
  debit: fc.nat(accountCount - 1),
  credit: fc.nat(accountCount - 1),
  amount: fc.oneof(fc.bigInt(0n, 50n), fc.constant(amountMax)),
  target: fc.nat(5),
  timeout: fc.constantFrom(0, 0, 1, Number(timeoutMax), 100),
  closing: rarely('none', 'debit', 'credit'),
  balancing: fc.constantFrom('none', 'none', 'none', 'debit', 'credit', 'both'),
  isLinked: rarely(false, true),
})
const requests = fc.array(fc.array(event, { minLength: 1, maxLength: 12 }), {
  minLength: 10,
  maxLength: 40,
})

const { debits_must_not_exceed_credits, credits_must_not_exceed_debits, history } = AccountFlags

async function openRawAccounts(ledgerNumber: number): Promise<bigint[]> {
  const limits = [0, 0, debits_must_not_exceed_credits, credits_must_not_exceed_debits]
  const ids = Array.from({ length: accountCount }, () => toLedgerId(mintId()))
  const accounts = ids.map((id, index) => ({
    ...zeroAccount,
    id,
    ledger: ledgerNumber,
    // Of a code that may owe: others look at what wallets have.
    code: AccountCode.equity,
    flags: limits[index % limits.length]! | history,
  }))
  await ledger.createAccounts(accounts)
  return ids
}

function toFlags({ kind, closing, balancing, isLinked }: Event): number {
  const own = {
    single: TransferFlags.none,
    pending: TransferFlags.pending,
    post: TransferFlags.post_pending_transfer,
    void: TransferFlags.void_pending_transfer,
  }[kind]
  const resolves = kind === 'post' || kind === 'void'
  const closes = {
    none: 0,
    debit: TransferFlags.closing_debit,
    credit: TransferFlags.closing_credit,
  }[closing]
  const balances = {
    none: 0,
    debit: TransferFlags.balancing_debit,
    credit: TransferFlags.balancing_credit,
    both: TransferFlags.balancing_debit | TransferFlags.balancing_credit,
  }[balancing]
  return (
    own |
    (kind === 'pending' ? closes : 0) |
    (resolves ? 0 : balances) |
    (isLinked ? TransferFlags.linked : 0)
  )
}

test('whatever transfers there are, accounts are what these add up to, at any moment', async () => {
  await begin()
  let resolved = 0
  let timed = 0
  const ledgers = new Set<number>()
  await fc.assert(
    fc.asyncProperty(requests, async (all) => {
      const asset = newAsset()
      ledgers.add(asset.ledger)
      const ids = await openRawAccounts(asset.ledger)
      const pending: bigint[] = []
      const toEvent = (it: Event): Transfer => {
        const id = toLedgerId(mintId())
        const resolves = it.kind === 'post' || it.kind === 'void'
        const target = pending.at(-1 - it.target) ?? 1n
        if (it.kind === 'pending') pending.push(id)
        const amount =
          it.kind === 'single' && it.balancing === 'none' ? it.amount % 1_000n : it.amount
        return {
          id,
          debit_account_id: resolves ? 0n : ids[it.debit]!,
          credit_account_id: resolves ? 0n : ids[it.credit]!,
          amount: it.kind === 'void' ? 0n : it.kind === 'pending' ? amount % 1_000n : amount,
          pending_id: resolves ? target : 0n,
          user_data_128: 1n,
          user_data_64: 0n,
          user_data_32: 1,
          timeout: it.kind === 'pending' ? it.timeout : 0,
          ledger: resolves ? 0 : asset.ledger,
          code: resolves ? 0 : 2,
          flags: toFlags(it),
          timestamp: 0n,
        }
      }
      let isMoving = true
      const checking = (async () => {
        const found: Finding[] = []
        do found.push(...(await findIn({ asset }, ledger)).filter(isArithmetic))
        while (isMoving)
        return found
      })()
      for (const request of all) {
        const transfers = request.map(toEvent)
        transfers.at(-1)!.flags &= ~TransferFlags.linked
        const results = await ledger.createTransfers(transfers)
        for (const [index, { status }] of results.entries()) {
          if (status !== CreateTransferStatus.created) continue
          if (transfers[index]!.pending_id > 0n) resolved += 1
          if (transfers[index]!.timeout > 0) timed += 1
        }
      }
      isMoving = false
      assert.equal(toTexts(await checking), [])
      assert.equal(toTexts((await findIn({ asset }, ledger)).filter(isArithmetic)), [])
    }),
    { numRuns: 12 },
  )
  assert.ok(resolved > 50 && timed > 50, `${resolved} were resolved, ${timed} can run out`)

  // By then the short ones have run out, in the ledger or at least by the clock.
  const end = (await readLedgerTime(ledger)) + timeoutMax * nsPerSecond
  await until(async () => (await readLedgerTime(ledger)) > end)
  const { findings } = await checkLedger(ledger, { pauseMs: 10 })
  const found = findings.kept.filter((it) => ledgers.has(it.ledger) && isArithmetic(it))
  assert.equal(toTexts(found), [])
})

test.run()
