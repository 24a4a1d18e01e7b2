import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import { addOwnAsset } from '../accounting/chart.ts'
import { type CurrencyRow, listCurrencies } from '../db/currencies.ts'
import type { Database } from '../db/database.ts'
import { type ExchangeRateRow, listNewestRates, pairOf } from '../db/exchange-rates.ts'
import { type FeeSchedule, listCurrentFeeSchedules } from '../db/fee-schedules.ts'
import { type DefaultLimit, listDefaultLimits } from '../db/limits.ts'
import { listen } from '../db/listen.ts'

/** What operators have set, as one state that does not change any more. */
export interface Settings {
  /** By code, in the order in which they were added; also those closed for new wallets. */
  currencies: ReadonlyMap<string, CurrencyRow>
  /** By operation and currency ("payment USD"), those in force and later ones, the last first. */
  feeSchedules: ReadonlyMap<string, readonly FeeSchedule[]>
  /** Limits of everyone of a kind, by currency. */
  limitDefaults: ReadonlyMap<string, readonly DefaultLimit[]>
  /** The newest rate of each pair (`pairOf`), oldest first; also those whose time is over. */
  exchangeRates: ReadonlyMap<string, ExchangeRateRow>
}

/**
 * Settings are rows in PostgreSQL, which this process keeps in memory: reading them costs no query. They
 * are corrected by notifications, and read again within a second while one of them may be missing, so that
 * a change holds in every process within a second.
 */
export interface SettingsCache {
  /** What is in force. Rejects when it is not known and PostgreSQL is away. */
  read(): Promise<Settings>
  /** Reads them again next time, so that this process need not wait for the notification. */
  forget(): void
  /**
   * Waits until every process has an own asset that was registered a moment ago: none meets wallets or
   * transfers in it before. A process that has just started cannot tell, and waits for each of them.
   */
  untilKnownEverywhere(currency: string): Promise<void>
  close(): Promise<void>
}

/** How old what was read may be, or else the proof that no notification since is missing. */
const provenWithinMs = 900
/** So a change that this process has seen is in the settings of every other one after this time. */
const knownEverywhereMs = 1_000

/** Connects the cache to PostgreSQL's notifications. */
export async function createSettings(options: {
  db: Database
  databaseUrl: string
  log: Logger
  nowMs: () => number
}): Promise<SettingsCache> {
  const { db, databaseUrl, log, nowMs } = options
  let loading: Promise<Settings> | undefined
  /** When the newest reading began: it is at least as fresh. */
  let loadedAtMs = Number.NEGATIVE_INFINITY
  /** Own assets and when this process first saw them, by `performance.now()`. */
  const firstSeenAtMs = new Map<string, number>()

  const listener = await listen(['kassa_settings'], {
    url: databaseUrl,
    onNotification: forget,
    onConnect: forget,
    onError: (error) =>
      log.warn({ err: error }, 'settings are read every second: notifications lost'),
  })

  function forget(): void {
    loading = undefined
  }

  /** Puts own assets into the chart, where what is stored of money in them is looked up. */
  function learn({ currencies }: Settings): void {
    for (const { isOwn, currency, ledger, scale } of currencies.values()) {
      if (!isOwn || firstSeenAtMs.has(currency)) continue
      addOwnAsset({ currency, ledger, scale })
      firstSeenAtMs.set(currency, performance.now())
    }
  }

  async function loadAndLearn(): Promise<Settings> {
    const settings = await loadSettings(db, new Date(nowMs()))
    learn(settings)
    return settings
  }

  async function untilKnownEverywhere(currency: string): Promise<void> {
    const seenAtMs = firstSeenAtMs.get(currency) ?? Number.NEGATIVE_INFINITY
    const leftMs = seenAtMs + knownEverywhereMs - performance.now()
    if (leftMs > 0) await wait(leftMs)
  }

  const isCurrent = () =>
    listener.isCurrent(provenWithinMs) || performance.now() - loadedAtMs < provenWithinMs

  function load(): Promise<Settings> {
    loadedAtMs = performance.now()
    const fresh = loadAndLearn()
    loading = fresh
    fresh.catch(() => {
      if (loading === fresh) loading = undefined
    })
    return fresh
  }

  return {
    read: () => (loading && isCurrent() ? loading : load()),
    forget,
    untilKnownEverywhere,
    close: () => listener.close(),
  }
}

async function loadSettings(db: Database, now: Date): Promise<Settings> {
  const [currencies, feeSchedules, limitDefaults, rates] = await Promise.all([
    listCurrencies(db),
    listCurrentFeeSchedules(db, now),
    listDefaultLimits(db),
    listNewestRates(db),
  ])
  return {
    currencies: new Map(currencies.map((row) => [row.currency, row])),
    feeSchedules: Map.groupBy(
      feeSchedules,
      ({ operation, currency }) => `${operation} ${currency}`,
    ),
    limitDefaults: Map.groupBy(limitDefaults, ({ currency }) => currency),
    exchangeRates: new Map(rates.map((rate) => [pairOf(rate.base, rate.quote), rate])),
  }
}
