import type { Logger } from 'pino'
import { addOwnAsset } from '../accounting/chart.ts'
import { type CurrencyRow, listCurrencies } from '../db/currencies.ts'
import type { Database } from '../db/database.ts'
import { type ExchangeRateRow, listNewestRates, pairOf } from '../db/exchange-rates.ts'
import { listen } from '../db/listen.ts'

/** What operators have set, as one state that does not change any more. */
export interface Settings {
  /** By code, in the order in which they were added; also those closed for new wallets. */
  currencies: ReadonlyMap<string, CurrencyRow>
  /** The newest rate of each pair (`pairOf`), oldest first; also those whose time is over. */
  exchangeRates: ReadonlyMap<string, ExchangeRateRow>
}

/**
 * Settings are rows in PostgreSQL, which this process keeps in memory: reading them costs no query. They
 * are corrected by notifications, and read again while one of them may be missing, so that a change
 * holds in every process within a second.
 */
export interface SettingsCache {
  /** What is in force. Rejects when it is not known and PostgreSQL is away. */
  read(): Promise<Settings>
  /** Reads them again next time, so that this process need not wait for the notification. */
  forget(): void
  close(): Promise<void>
}

/** How old the proof may be that no notification is missing. */
const provenWithinMs = 900

/** Connects the cache to PostgreSQL's notifications. */
export async function createSettings(options: {
  db: Database
  databaseUrl: string
  log: Logger
}): Promise<SettingsCache> {
  const { db, databaseUrl, log } = options
  let loading: Promise<Settings> | undefined

  const listener = await listen(['kassa_settings'], {
    url: databaseUrl,
    onNotification: forget,
    onConnect: forget,
    onError: (error) => log.warn({ err: error }, 'settings are read uncached: notifications lost'),
  })

  function forget(): void {
    loading = undefined
  }

  function load(): Promise<Settings> {
    const fresh = loadSettings(db)
    loading = fresh
    fresh.catch(() => {
      if (loading === fresh) loading = undefined
    })
    return fresh
  }

  return {
    read: () => (loading && listener.isCurrent(provenWithinMs) ? loading : load()),
    forget,
    close: () => listener.close(),
  }
}

async function loadSettings(db: Database): Promise<Settings> {
  const [currencies, rates] = await Promise.all([listCurrencies(db), listNewestRates(db)])
  for (const { isOwn, currency, ledger, scale } of currencies) {
    if (isOwn) addOwnAsset({ currency, ledger, scale })
  }
  return {
    currencies: new Map(currencies.map((row) => [row.currency, row])),
    exchangeRates: new Map(rates.map((rate) => [pairOf(rate.base, rate.quote), rate])),
  }
}
