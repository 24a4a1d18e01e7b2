import type { Config } from '../config.ts'
import { createFileRates } from './file.ts'
import { createHttpRates } from './http.ts'
import type { RateProvider } from './provider.ts'

/** The providers of exchange rates that the settings name. */
export function createRateProviders({
  exchangeRatesFile: file,
  exchangeRatesUrl: url,
}: Pick<Config, 'exchangeRatesFile' | 'exchangeRatesUrl'>): RateProvider[] {
  return [
    ...(file === undefined ? [] : [createFileRates(file)]),
    ...(url === undefined ? [] : [createHttpRates(url)]),
  ]
}
