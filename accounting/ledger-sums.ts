/** What the accounts of each ledger add up to. */
import { type Asset, findLedger } from './chart.ts'
import type { Finding } from './findings.ts'
import { type HouseLine, noTotals, toHouseLine } from './house.ts'
import type { ReplayedAccount, SeenAccount } from './replayed-account.ts'

/** What an asset's ledger adds up to, in minor units. */
export interface CheckedAsset {
  asset: Asset
  accounts: number
  totals: Readonly<Record<HouseLine, bigint>>
  /** What is held of customers' wallets. */
  heldMinor: bigint
}

/** Each asset's ledger, as its accounts are. */
export function addUp(accounts: readonly ReplayedAccount[]): CheckedAsset[] {
  const byLedger = new Map<number, CheckedAsset & { totals: Record<HouseLine, bigint> }>()
  for (const account of accounts) {
    const { ledger: number, code, debitsPosted, creditsPosted, debitsPending } = account
    const ledger = findLedger(number)
    const found = toHouseLine(code, debitsPosted - creditsPosted)
    if (!ledger || ledger.isControl || !found) continue
    let sum = byLedger.get(number)
    if (!sum) {
      sum = { asset: ledger.asset, accounts: 0, totals: noTotals(), heldMinor: 0n }
      byLedger.set(number, sum)
    }
    sum.accounts += 1
    sum.totals[found.line] += found.amountMinor
    if (found.line === 'wallet') sum.heldMinor += debitsPending
  }
  return [...byLedger.values()]
}

/** Debits less credits of a ledger, in minor units. */
interface Sum {
  posted: bigint
  pending: bigint
}

/** Each ledger, as its transfers come to. */
export function sumUp(accounts: Iterable<ReplayedAccount>): Map<number, Sum> {
  const sums = new Map<number, Sum>()
  for (const account of accounts) {
    const sum = sumOf(sums, account)
    sum.posted += account.debitsPosted - account.creditsPosted
    sum.pending += account.debitsPending - account.creditsPending
  }
  return sums
}

function sumOf(sums: Map<number, Sum>, { ledger }: ReplayedAccount): Sum {
  const known = sums.get(ledger)
  if (known) return known
  const sum = { posted: 0n, pending: 0n }
  sums.set(ledger, sum)
  return sum
}

/** What the ledger has more than it should, of an account that differs. */
export function addDifference(sums: Map<number, Sum>, account: ReplayedAccount): void {
  const { seen } = account
  if (!seen) return
  const sum = sumOf(sums, account)
  sum.posted += postedOf(seen) - (account.debitsPosted - account.creditsPosted)
  sum.pending += seen.debits_pending - seen.credits_pending
  sum.pending -= account.debitsPending - account.creditsPending
}

const postedOf = (seen: SeenAccount) => seen.debits_posted - seen.credits_posted

/** Ledgers whose debits are not their credits. */
export function* findUnbalanced(sums: ReadonlyMap<number, Sum>, at: bigint): Iterable<Finding> {
  for (const [ledger, { posted, pending }] of sums) {
    if (posted === 0n && pending === 0n) continue
    const found = posted === 0n ? pending : posted
    const what = posted === 0n ? 'pending' : 'posted'
    const detail = `The debits ${what} of ledger ${ledger} are not its credits.`
    yield { kind: 'ledger_unbalanced', ids: [], ledger, at, expected: 0n, found, detail }
  }
}
