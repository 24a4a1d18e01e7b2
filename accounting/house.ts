/**
 * The house's own view: every account of an asset's ledger, added up into a balance sheet and an income
 * statement as of one moment, to the last unit also while money moves.
 */
import { AccountCode, type Asset } from './chart.ts'
import type { Ledger } from './client.ts'
import { readLedgerTime } from './clock.ts'
import type { Uuid } from './ids.ts'
import { inChunks, readPostedAt } from './posted-at.ts'

/** The side on which each kind of account of money has its balance: assets and expenses are debits. */
const sides = {
  clearing: 'debit',
  bank: 'debit',
  receivable: 'debit',
  wallet: 'credit',
  feeIncome: 'credit',
  spreadIncome: 'credit',
  paymentSystemIncome: 'credit',
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

/** How many ledgers are read at once. */
const assetsAtOnce = 8

/**
 * Adds up the ledgers of these assets as of now. Assets that have no account are left out.
 * Throws for an account that is no account of money; rejects with LedgerTooBusy, LedgerUnavailable or
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

/** Totals to begin with. */
export function noTotals(): Record<HouseLine, bigint> {
  return Object.fromEntries(houseLines.map((line) => [line, 0n])) as Record<HouseLine, bigint>
}

/**
 * The line that an account of this code adds to, and by how much, in minor units: `debitMinor` is what its
 * posted debits exceed its posted credits by. Undefined when it is no account of money.
 */
export function toHouseLine(
  code: number,
  debitMinor: bigint,
): { line: HouseLine; amountMinor: bigint } | undefined {
  const line = lineByCode.get(code)
  return line && { line, amountMinor: sides[line] === 'debit' ? debitMinor : -debitMinor }
}

async function readStatement(
  ledger: Ledger,
  asset: Asset,
  asOf: bigint,
): Promise<HouseStatement | undefined> {
  const totals = noTotals()
  const clearing: { accountId: Uuid; amountMinor: bigint }[] = []
  let hasAccounts = false
  for await (const page of readPostedAt(ledger, asset, asOf)) {
    hasAccounts = true
    for (const { id, code, debitMinor } of page) {
      const found = toHouseLine(code, debitMinor)
      if (!found) throw new Error(`account ${id} of ${asset.currency} has the code ${code}`)
      const { line, amountMinor } = found
      totals[line] += amountMinor
      if (line === 'clearing') clearing.push({ accountId: id, amountMinor })
    }
  }
  return hasAccounts ? { asset, totals, clearing } : undefined
}
