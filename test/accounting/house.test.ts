import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import { type AccountPlan, createAccounts } from '../../accounting/accounts.ts'
import { AccountCode, type Asset, addOwnAsset, TransferCode } from '../../accounting/chart.ts'
import { createLedger, type Ledger } from '../../accounting/client.ts'
import {
  differenceOf,
  type HouseLine,
  type HouseStatement,
  readHouse,
} from '../../accounting/house.ts'
import { toLedgerId } from '../../accounting/ids.ts'
import { LedgerTooBusy } from '../../accounting/posted-at.ts'
import { phaseOf } from '../../accounting/transfers.ts'
import { mintId } from '../../db/ids.ts'
import { ledgerOptions } from '../lib/ledger.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('house')

let ledger: Ledger
test.before(async () => {
  ledger = await createLedger(ledgerOptions())
})
test.after(() => ledger.close())

const lines: readonly HouseLine[] = [
  'clearing',
  'bank',
  'receivable',
  'wallet',
  'feeIncome',
  'spreadIncome',
  'paymentSystemIncome',
  'liquidity',
  'rewards',
  'paymentSystemFees',
  'writeOffs',
  'suspense',
  'equity',
]
/** Assets and expenses. */
const debitLines = 'clearing bank receivable rewards paymentSystemFees writeOffs'.split(' ')

let assets = 0
/** An asset that no other test has, on whatever ledger. */
function newAsset(): Asset {
  assets += 1
  const asset = { currency: `HOUSE${assets}`, ledger: randomInt(1_000_000, 900_000_000), scale: 2 }
  addOwnAsset(asset)
  return asset
}

/** Accounts of each kind, wallets and clearing accounts several. */
async function openAccounts(asset: Asset, wallets: number): Promise<AccountPlan[]> {
  const open = (line: HouseLine) => ({ id: mintId(), asset, code: AccountCode[line] })
  const plans = [
    ...lines.map(open),
    open('clearing'),
    ...Array.from({ length: wallets }, () => open('wallet')),
  ]
  await createAccounts(ledger, plans)
  return plans
}

/** One of a burst: refused by the ledger when there is not enough, which does no harm. */
interface Step {
  debit: number
  credit: number
  amountMinor: number
  /** `resolve` posts or voids the pending transfer before it in the burst. */
  kind: 'single' | 'pending' | 'post' | 'void'
}

const steps = (accounts: number): fc.Arbitrary<Step> =>
  fc.record({
    debit: fc.nat(accounts - 1),
    credit: fc.nat(accounts - 1),
    amountMinor: fc.nat(1_000),
    kind: fc.constantFrom('single', 'single', 'pending', 'post', 'void'),
  })

async function carryOut(plans: readonly AccountPlan[], burst: readonly Step[]): Promise<void> {
  let pending = 0n
  const transfers = burst.map(({ debit, credit, amountMinor, kind }): Transfer => {
    const resolves = kind === 'post' || kind === 'void'
    const id = toLedgerId(mintId())
    const transfer = {
      id,
      debit_account_id: resolves ? 0n : toLedgerId(plans[debit]!.id),
      credit_account_id: resolves ? 0n : toLedgerId(plans[credit]!.id),
      amount: kind === 'void' ? 0n : BigInt(amountMinor),
      pending_id: resolves ? pending : 0n,
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      timeout: 0,
      ledger: resolves ? 0 : plans[0]!.asset.ledger,
      code: resolves ? 0 : TransferCode.payment,
      flags: {
        single: TransferFlags.none,
        pending: TransferFlags.pending,
        post: TransferFlags.post_pending_transfer,
        void: TransferFlags.void_pending_transfer,
      }[kind],
      timestamp: 0n,
    }
    if (kind === 'pending') pending = id
    return transfer
  })
  if (transfers.length > 0) await ledger.createTransfers(transfers)
}

/** All transfers of an asset, oldest first. */
async function readTransfers({ ledger: number }: Asset): Promise<Transfer[]> {
  const all: Transfer[] = []
  for (;;) {
    const page = await ledger.queryTransfers({
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      ledger: number,
      code: 0,
      timestamp_min: (all.at(-1)?.timestamp ?? 0n) + 1n,
      timestamp_max: 0n,
      limit: 250,
      flags: 0,
    })
    if (page.length === 0) return all
    all.push(...page)
  }
}

/** What the accounts add up to after the transfers until a moment, one after the other. */
function addUp(plans: readonly AccountPlan[], transfers: readonly Transfer[], asOf: bigint) {
  const debits = new Map(plans.map(({ id }) => [toLedgerId(id), 0n]))
  for (const { timestamp, flags, amount, debit_account_id, credit_account_id } of transfers) {
    const phase = phaseOf(flags)
    if (timestamp > asOf || phase === 'pending' || phase === 'void') continue
    debits.set(debit_account_id, debits.get(debit_account_id)! + amount)
    debits.set(credit_account_id, debits.get(credit_account_id)! - amount)
  }
  const total = (line: HouseLine) =>
    plans
      .filter(({ code }) => code === AccountCode[line])
      .reduce((sum, { id }) => sum + debits.get(toLedgerId(id))!, 0n)
  return Object.fromEntries(
    lines.map((line) => [line, debitLines.includes(line) ? total(line) : -total(line)]),
  )
}

/** Reads one asset, and says what was asked of the ledger meanwhile. */
async function readOne(asset: Asset, through: Ledger = ledger) {
  const { statements, asOf } = await readHouse(through, [asset])
  return { statement: statements[0] as HouseStatement, asOf }
}

function assertSame(
  { statement, asOf }: { statement: HouseStatement; asOf: bigint },
  plans: readonly AccountPlan[],
  transfers: readonly Transfer[],
): void {
  assert.equal({ ...statement.totals }, addUp(plans, transfers, asOf))
  assert.is(differenceOf(statement), 0n)
  const sum = statement.clearing.reduce((total, { amountMinor }) => total + amountMinor, 0n)
  assert.is(sum, statement.totals.clearing)
}

/** Puts something before each call by which a house is read. */
function disturbed(meanwhile: () => Promise<void>, accountsAtOnce: number): Ledger {
  const first =
    <Filter, Result>(call: (filter: Filter) => Promise<Result>) =>
    async (filter: Filter) => {
      await meanwhile()
      return call(filter)
    }
  const changes: Partial<Ledger> = {
    createTransfers: first(ledger.createTransfers),
    largestRequest: () => accountsAtOnce,
    queryAccounts: first(ledger.queryAccounts),
    queryTransfers: first(ledger.queryTransfers),
    getAccountBalances: first(ledger.getAccountBalances),
  }
  return Object.assign(Object.create(ledger), changes)
}

test('whatever is moved between the pages, it is all of one moment', async () => {
  const accounts = lines.length + 5
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(steps(accounts), { maxLength: 12 }), { maxLength: 16 }),
      fc.integer({ min: 1, max: 6 }),
      async (bursts, accountsAtOnce) => {
        const asset = newAsset()
        const plans = await openAccounts(asset, 4)
        const [first = [], ...others] = bursts
        await carryOut(plans, first)
        const read = await readOne(
          asset,
          disturbed(() => carryOut(plans, others.shift() ?? []), accountsAtOnce),
        )
        assertSame(read, plans, await readTransfers(asset))
      },
    ),
    { numRuns: 30 },
  )
})

test('read fifty times while payments go in all directions, it balances each time', async () => {
  const asset = newAsset()
  const wallets = 2_500
  const plans = await openAccounts(asset, wallets)
  const random = () => randomInt(plans.length)
  const anything = (): Step => {
    const kind = (['single', 'single', 'pending', 'post'] as const)[randomInt(4)]!
    return { debit: random(), credit: random(), amountMinor: randomInt(50), kind }
  }
  const funding = plans.map((_, credit) => {
    return { debit: lines.indexOf('equity'), credit, amountMinor: 1_000, kind: 'single' } as const
  })
  for (let start = 0; start < funding.length; start += 250) {
    await carryOut(plans, funding.slice(start, start + 250))
  }
  let isOver = false
  const hammer = async () => {
    while (!isOver) await carryOut(plans, Array.from({ length: 8 }, anything))
  }
  const hammering = Array.from({ length: 4 }, hammer)
  const reads = []
  for (let count = 0; count < 50; count += 1) reads.push(await readOne(asset))
  isOver = true
  await Promise.all(hammering)
  const transfers = await readTransfers(asset)
  assert.ok(transfers.length > funding.length + 500, `${transfers.length} transfers`)
  for (const read of reads) assertSame(read, plans, transfers)
})

test('an asset without accounts is left out', async () => {
  const [used, unused] = [newAsset(), newAsset()]
  await openAccounts(used, 1)
  const { statements } = await readHouse(ledger, [unused, used])
  assert.equal(
    statements.map(({ asset }) => asset),
    [used],
  )
  assert.is(statements[0]?.clearing.length, 2)
})

test('an account of a kind that is no money is told loudly', async () => {
  const asset = newAsset()
  await createAccounts(ledger, [{ id: mintId(), asset, code: AccountCode.budget }])
  await assert.rejects(readOne(asset), /of HOUSE\d+ has the code 80/)
})

test('when more has changed than can be looked up it is given up', async () => {
  const asset = newAsset()
  await openAccounts(asset, 1)
  let id = 0n
  const changes: Partial<Ledger> = {
    queryTransfers: async () =>
      Array.from({ length: 2_000 }, () => {
        id += 2n
        const sides = { debit_account_id: id, credit_account_id: id + 1n }
        return { ...sides, flags: 0, timestamp: id } as Transfer
      }),
  }
  const busy: Ledger = Object.assign(Object.create(ledger), changes)
  await assert.rejects(readOne(asset, busy), (error) => error instanceof LedgerTooBusy)
})

test.run()
