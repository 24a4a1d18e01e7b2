import type { Deps } from '../deps.ts'

/** The codes of the currencies in which wallets can be opened. */
export async function readOpenCurrencies({ settings }: Pick<Deps, 'settings'>): Promise<string[]> {
  const { currencies } = await settings.read()
  return [...currencies.values()]
    .filter(({ closedAt }) => !closedAt)
    .map(({ currency }) => currency)
}
