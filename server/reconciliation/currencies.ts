import { addOwnAsset } from '../../accounting/chart.ts'
import { type CurrencyRow, listCurrencies } from '../../db/currencies.ts'
import type { Database } from '../../db/database.ts'

/**
 * All currencies that there are. Own assets come into the chart of this process: the row of one is there
 * before the first account of its ledger.
 */
export async function learnCurrencies(db: Database): Promise<CurrencyRow[]> {
  const rows = await listCurrencies(db)
  for (const { isOwn, currency, ledger, scale } of rows) {
    if (isOwn) addOwnAsset({ currency, ledger, scale })
  }
  return rows
}
