/** Whether accounts are those that the chart of accounts has, and that Kassa creates. */
import { type Account, AccountFlags } from 'tigerbeetle-node'
import {
  type AccountPlan,
  bankAccount,
  controlAccount,
  equityAccount,
  feeIncomeAccount,
  liquidityAccount,
  paymentSystemFeesAccount,
  paymentSystemIncomeAccount,
  rewardsAccount,
  rightsAccount,
  spreadIncomeAccount,
  writeOffsAccount,
} from './accounts.ts'
import { AccountCode, type Asset, accountFlags, findLedger } from './chart.ts'
import type { Finding } from './findings.ts'
import { isUuid, toUuid } from './ids.ts'

/** Kinds of account of which an asset has one, at an id that is known. */
const onlyOne = new Map<number, (asset: Asset) => AccountPlan>([
  [AccountCode.bank, bankAccount],
  [AccountCode.feeIncome, feeIncomeAccount],
  [AccountCode.spreadIncome, spreadIncomeAccount],
  [AccountCode.paymentSystemIncome, paymentSystemIncomeAccount],
  [AccountCode.liquidity, liquidityAccount],
  [AccountCode.rewards, rewardsAccount],
  [AccountCode.paymentSystemFees, paymentSystemFeesAccount],
  [AccountCode.writeOffs, writeOffsAccount],
  [AccountCode.equity, equityAccount],
  [AccountCode.rights, rightsAccount],
  [AccountCode.control, controlAccount],
])

const controlCodes: ReadonlySet<number> = new Set([
  AccountCode.returnable,
  AccountCode.rights,
  AccountCode.budget,
  AccountCode.requestAllowance,
  AccountCode.control,
])

/** What is not as the chart has it, of an account; undefined when all is. */
export function checkAccount(account: Account): Finding | undefined {
  const fault = findFault(account)
  if (fault === undefined) return undefined
  const { id, ledger, code, timestamp: at } = account
  const detail = `Account ${toUuid(id)} of code ${code} in ledger ${ledger} ${fault}.`
  return { kind: 'account_unexpected', ids: [id], ledger, at, detail }
}

/** The end of a sentence. */
function findFault(account: Account): string | undefined {
  const { ledger: number, code } = account
  const ledger = findLedger(number)
  if (!ledger) return 'is in a ledger that is not in the chart'
  const flags: number | undefined = (accountFlags as Readonly<Record<number, number>>)[code]
  if (flags === undefined || controlCodes.has(code) !== ledger.isControl) {
    return 'has a code that is not in the chart'
  }
  // What closes it is a matter of its transfers.
  const own = code === AccountCode.wallet ? account.flags & ~AccountFlags.closed : account.flags
  if (own !== flags) return `has the flags ${account.flags}`
  const { user_data_128, user_data_64, user_data_32 } = account
  if (user_data_128 !== 0n || user_data_64 !== 0n || user_data_32 !== 0) return 'has user data'
  const id = toUuid(account.id)
  const expected = onlyOne.get(code)?.(ledger.asset).id
  if (expected !== undefined && expected !== id) return `is not the only one, which is ${expected}`
  if (isUuid(id, code === AccountCode.wallet ? 7 : 8)) return undefined
  return 'has an id that nobody makes for such an account'
}
