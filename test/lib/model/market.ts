/** Two currencies that nobody uses but the people of one run after the other. */
import { randomUUID } from 'node:crypto'
import type { Currency } from './amounts.ts'
import { type Account, type Place, reach } from './cast.ts'
import { noSettings, type Settings } from './settings.ts'

/** What a run has for itself, as far as it lasts longer than the run. */
export interface Market {
  readonly currencies: readonly [Currency, Currency]
  settings: Settings
}

/** Registers a market's currencies: one with cents, and one without. */
export async function openMarket(place: Place, operator: Account): Promise<Market> {
  const [cents, pieces] = await Promise.all([2, 0].map((scale) => register(place, operator, scale)))
  return { currencies: [cents!, pieces!], settings: noSettings }
}

async function register(place: Place, operator: Account, scale: number): Promise<Currency> {
  const currency = `T${randomUUID().slice(0, 8).toUpperCase()}S${scale}`
  const asset = { currency, scale, name: `An asset of tests, ${currency}` }
  const reply = await reach(place, (url) => operator.at(url).post('/v1/currencies', asset))
  if (reply.status >= 300) throw new Error(`${currency} was not registered: ${reply.text}`)
  return currency
}
