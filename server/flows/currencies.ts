import { findIsoCurrency } from '../../accounting/chart.ts'
import {
  type CurrencyRow,
  insertCurrency,
  insertOwnAsset,
  updateCurrency,
} from '../../db/currencies.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'

/** How many assets of its own the house can have. */
const ownMax = 1_000

/** All currencies and own assets that there are wallets in, or were, in the order in which they came. */
export async function readCurrencies({
  settings,
}: Pick<Deps, 'settings'>): Promise<readonly CurrencyRow[]> {
  const { currencies } = await settings.read()
  return [...currencies.values()]
}

/** The codes of the currencies in which wallets can be opened. */
export async function readOpenCurrencies(deps: Pick<Deps, 'settings'>): Promise<string[]> {
  const currencies = await readCurrencies(deps)
  return currencies.filter(({ closedAt }) => !closedAt).map(({ currency }) => currency)
}

/**
 * Opens a currency for new wallets or closes it; wallets that exist go on working. A currency of ISO 4217
 * is added by opening it; an own asset has been registered before.
 * Refusals: currency_not_found, default_currency.
 */
export async function setCurrency(
  { db, config, settings }: Pick<Deps, 'db' | 'config' | 'settings'>,
  currency: string,
  change: { isClosed: boolean; name?: string | undefined },
): Promise<CurrencyRow> {
  if (change.isClosed && currency === config.defaultCurrency) {
    throw new Refusal('default_currency', `Signing up opens a wallet in ${currency}.`)
  }
  const described = findIsoCurrency(currency)
  if (described && !change.isClosed) await insertCurrency(db, described)
  const row = await updateCurrency(db, currency, change)
  if (!row) throw new Refusal('currency_not_found')
  settings.forget()
  return row
}

/**
 * Registers an asset of the house's own, with a ledger that it keeps for ever; `scale` is its number of
 * decimals. The same again is the same asset (`replayed`), whatever its name is by now.
 * Refusals: currency_exists, currency_limit_reached.
 */
export async function registerAsset(
  { db, settings }: Pick<Deps, 'db' | 'settings'>,
  asset: { currency: string; name: string; scale: number },
): Promise<{ currency: CurrencyRow; replayed: boolean }> {
  const registered = await insertOwnAsset(db, { ...asset, ownMax })
  if (!registered) {
    throw new Refusal('currency_limit_reached', `There can be ${ownMax} own assets.`)
  }
  const { row, isNew } = registered
  if (!row.isOwn || row.scale !== asset.scale) throw new Refusal('currency_exists')
  settings.forget()
  return { currency: row, replayed: !isNew }
}
