/**
 * The house's own view: every account of an asset's ledger, added up into a balance sheet and an income
 * statement as of one moment, to the last unit also while money moves.
 *
 * TigerBeetle answers a page of accounts as they are at that instant, and the pages are read one after
 * the other. So an account that was debited or credited since the moment is read from its history
 * instead: which ones these are is told by the transfers since then. Only posted balances count, and
 * those change by transfers alone: the running out of a pending one changes none.
 */
import { type Account, AccountFilterFlags, type Transfer } from 'tigerbeetle-node'
import { AccountCode, type Asset } from './chart.ts'
import { type Ledger, requestEventsMax } from './client.ts'
import { readLedgerTime } from './clock.ts'
import { toUuid, type Uuid } from './ids.ts'
import { phaseOf } from './transfers.ts'

/** The side on which each kind of account of money has its balance: assets and expenses are debits. */
const sides = {
  clearing: 'debit',
  bank: 'debit',
  receivable: 'debit',
  wallet: 'credit',
  feeIncome: 'credit',
  spreadIncome: 'credit',
  liquidity: 'credit',
  rewards: 'debit',
  paymentSystemFees: 'debit',
  writeOffs: 'debit',
  suspense: 'credit',
  equity: 'credit',
} as const satisfies Partial<Record<keyof typeof AccountCode, 'debit' | 'credit'>>

export type HouseLine = keyof typeof sides

const houseLines = Object.keys(sides) as HouseLine[]
const lineByCode = new Map<number, HouseLine>(houseLines.map((line) => [AccountCode[line], line]))

/** What one asset's ledger adds up to. */
export interface HouseStatement {
  asset: Asset
  /** The sum of all accounts of a kind, each on its own side, in minor units. */
  totals: Readonly<Record<HouseLine, bigint>>
  /** Each clearing account with its debit balance in minor units. */
  clearing: readonly { accountId: Uuid; amountMinor: bigint }[]
}

/** More accounts were used while they were read than can be looked up again. */
export class HouseTooBusy extends Error {}

/** What is asked for at once; a server that gives less is asked more often. */
const pageLimit = 1_000
/** How many accounts may have been used since the moment. */
const changedMax = 100_000
/** How many balances are looked up at once. */
const lookupsAtOnce = 100
/** How many ledgers are read at once. */
const assetsAtOnce = 8

/**
 * Adds up the ledgers of these assets as of now. Assets that have no account are left out.
 * Throws for an account that is no account of money; rejects with HouseTooBusy, LedgerUnavailable or
 * LedgerOutcomeUnknown.
 */
export async function readHouse(
  ledger: Ledger,
  assets: readonly Asset[],
): Promise<{ statements: HouseStatement[]; asOf: bigint }> {
  const asOf = await readLedgerTime(ledger)
  const found = await inChunks(assets, assetsAtOnce, (asset) => readStatement(ledger, asset, asOf))
  return { statements: found.filter((statement) => statement !== undefined), asOf }
}

/** Assets less liabilities, equity and what was earned: nothing, when the books are right. */
export function differenceOf({ totals }: Pick<HouseStatement, 'totals'>): bigint {
  return houseLines.reduce(
    (sum, line) => (sides[line] === 'debit' ? sum + totals[line] : sum - totals[line]),
    0n,
  )
}

/** What an account has posted, in minor units. */
export type PostedBalance = Pick<Account, 'debits_posted' | 'credits_posted'>

/** Totals to begin with. */
export function noTotals(): Record<HouseLine, bigint> {
  return Object.fromEntries(houseLines.map((line) => [line, 0n])) as Record<HouseLine, bigint>
}

/** The line that an account of this code adds to, and by how much; undefined when it is no account of money. */
export function toHouseLine(
  code: number,
  balance: PostedBalance,
): { line: HouseLine; amountMinor: bigint } | undefined {
  const line = lineByCode.get(code)
  return line && { line, amountMinor: balanceOn(sides[line], balance) }
}

async function readStatement(
  ledger: Ledger,
  asset: Asset,
  asOf: bigint,
): Promise<HouseStatement | undefined> {
  const totals = noTotals()
  const clearing: { accountId: Uuid; amountMinor: bigint }[] = []
  const changed = createChanges(ledger, asset, asOf)
  let after = 0n
  for (;;) {
    const page = await queryAccounts(ledger, asset, after)
    const last = page.at(-1)
    if (!last) return after === 0n ? undefined : { asset, totals, clearing }
    after = last.timestamp
    await changed.readOn()
    const accounts = await inChunks(page, lookupsAtOnce, (account) =>
      changed.has(account.id) ? balanceAt(ledger, account, asOf) : account,
    )
    for (const [index, { id, code }] of page.entries()) {
      const found = toHouseLine(code, accounts[index]!)
      if (!found) throw new Error(`account ${toUuid(id)} of ${asset.currency} has the code ${code}`)
      const { line, amountMinor } = found
      totals[line] += amountMinor
      if (line === 'clearing') clearing.push({ accountId: toUuid(id), amountMinor })
    }
  }
}

function balanceOn(side: 'debit' | 'credit', account: PostedBalance): bigint {
  const debitMinor = account.debits_posted - account.credits_posted
  return side === 'debit' ? debitMinor : -debitMinor
}

/** A page of an asset's accounts in the order of their creation, as they are now; empty after the last. */
function queryAccounts(ledger: Ledger, asset: Asset, after: bigint): Promise<Account[]> {
  return ledger.queryAccounts({ ...anyOf(asset), timestamp_min: after + 1n })
}

/** What an account had posted at a moment (ledger time, ns). */
async function balanceAt(ledger: Ledger, account: Account, at: bigint): Promise<PostedBalance> {
  const [newest] = await ledger.getAccountBalances({
    account_id: account.id,
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    code: 0,
    timestamp_min: 0n,
    timestamp_max: at,
    limit: 1,
    flags: AccountFilterFlags.debits | AccountFilterFlags.credits | AccountFilterFlags.reversed,
  })
  return newest ?? { debits_posted: 0n, credits_posted: 0n }
}

/** The accounts whose posted balance has changed since a moment, as far as this was read on. */
function createChanges(ledger: Ledger, asset: Asset, since: bigint) {
  const changed = new Set<bigint>()
  let after = since

  /** Reads all that was committed until now, and so before anything that was answered before. */
  async function readOn(): Promise<void> {
    for (;;) {
      const page = await ledger.queryTransfers({ ...anyOf(asset), timestamp_min: after + 1n })
      for (const transfer of page.filter(movesPosted)) {
        changed.add(transfer.debit_account_id).add(transfer.credit_account_id)
      }
      if (changed.size > changedMax) throw new HouseTooBusy(`${asset.currency} is too busy`)
      after = page.at(-1)?.timestamp ?? after
      // Every server gives at least this many, if there are.
      if (page.length < requestEventsMax) return
    }
  }

  return { readOn, has: (accountId: bigint) => changed.has(accountId) }
}

function movesPosted({ flags }: Transfer): boolean {
  const phase = phaseOf(flags)
  return phase === 'single' || phase === 'post'
}

const anyOf = ({ ledger }: Asset) => ({
  user_data_128: 0n,
  user_data_64: 0n,
  user_data_32: 0,
  ledger,
  code: 0,
  timestamp_max: 0n,
  limit: pageLimit,
  flags: 0,
})

/** Maps a list, so many at a time. */
async function inChunks<Item, Result>(
  items: readonly Item[],
  size: number,
  map: (item: Item) => Result | Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (let start = 0; start < items.length; start += size) {
    results.push(...(await Promise.all(items.slice(start, start + size).map(map))))
  }
  return results
}
