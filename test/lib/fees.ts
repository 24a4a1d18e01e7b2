/** What tests about fees need: schedules of an operator, and what the house has taken. */
import { feeIncomeAccount } from '../../accounting/accounts.ts'
import { assetOf, findIsoCurrency } from '../../accounting/chart.ts'
import { toLedgerId } from '../../accounting/ids.ts'
import { formatAmount } from '../../accounting/money.ts'
import { insertCurrency } from '../../db/currencies.ts'
import type { Client, Json } from './http.ts'

import { must, type World } from './world.ts'

/** Enables a currency that other tests do not use, so that its fee income is the test's own. */
export async function enableCurrency(world: World, currency: string): Promise<void> {
  await insertCurrency(world.deps.db, findIsoCurrency(currency)!)
  world.deps.settings.forget()
}

/** Adds a schedule of no fee but what is given, borne by the sender and in dollars unless told. */
export function setFee(operator: Client, operation: string, schedule: Json = {}): Promise<Json> {
  const nothing = { fixed: '0', basis_points: 0, currency: 'USD', borne_by: 'sender' }
  return must(operator.post('/v1/fee-schedules', { ...nothing, operation, ...schedule }), 201)
}

/** What fees have brought in of a currency, less what went back. */
export async function readFeeIncome({ deps }: World, currency: string): Promise<string> {
  const asset = assetOf(currency)
  const [account] = await deps.ledger.lookupAccounts([toLedgerId(feeIncomeAccount(asset).id)])
  return formatAmount((account?.credits_posted ?? 0n) - (account?.debits_posted ?? 0n), asset)
}
