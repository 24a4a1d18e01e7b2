/**
 * What a bank says that its account had in the end, beside what the clearing account had. They are told and
 * not judged: what is on its way on the last day, or was different before the first, is in one and not
 * in the other.
 */
import type { AccountPlan } from '../../accounting/accounts.ts'
import type { Ledger } from '../../accounting/client.ts'
import { toLedgerId } from '../../accounting/ids.ts'
import { newestBalance } from '../../accounting/posted-at.ts'
import { toLedgerTime } from '../flows/ledger-time.ts'
import { type Day, type Statement, startOfDay } from './statement.ts'

/** Both in minor units: money that the house has there is positive. */
export interface EndBalances {
  currency: string
  bankMinor: bigint
  ledgerMinor: bigint
}

/**
 * Both balances by currency at the end of the last day that the statements tell of, or as of now where that
 * is not over. Left out is a currency whose accounts have no closing balance of one and the same day.
 */
export async function readEndBalances(
  ledger: Ledger,
  statements: readonly Statement[],
  accounts: readonly AccountPlan[],
  { asOf, dayOf }: { asOf: bigint; dayOf: (at: Date) => Day },
): Promise<EndBalances[]> {
  const found: EndBalances[] = []
  for (const { currency, day, minor } of closingsOf(statements)) {
    const account = accounts.find(({ asset }) => asset.currency === currency)
    const end = toLedgerTime(endOf(day, dayOf))
    const newest =
      account && (await newestBalance(ledger, toLedgerId(account.id), end < asOf ? end : asOf + 1n))
    const ledgerMinor = newest ? newest.debits_posted - newest.credits_posted : 0n
    found.push({ currency, bankMinor: minor, ledgerMinor })
  }
  return found
}

/** What the bank's accounts of a currency had together on their last day. */
function closingsOf(statements: readonly Statement[]) {
  const byCurrency = Map.groupBy(statements, ({ currency }) => currency)
  return [...byCurrency].flatMap(([currency, ofCurrency]) => {
    const day = Math.max(...ofCurrency.map(({ to }) => to))
    const accounts = [...Map.groupBy(ofCurrency, ({ account }) => account).values()]
    const last = accounts.map((all) => all.findLast(({ to }) => to === day)?.closingMinor)
    const known = last.filter((minor) => minor !== undefined)
    if (known.length < accounts.length) return []
    return [{ currency, day, minor: known.reduce((sum, minor) => sum + minor, 0n) }]
  })
}

/** No day begins further from its beginning in UTC. */
const hoursMax = 24
const msPerHour = 3_600_000

/** The first moment after a day, milliseconds since 1970. */
function endOf(day: Day, dayOf: (at: Date) => Day): number {
  const utc = startOfDay(day + 1).getTime()
  let [before, after] = [utc - hoursMax * msPerHour, utc + hoursMax * msPerHour]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (dayOf(new Date(middle)) > day) after = middle
    else before = middle
  }
  return after
}
