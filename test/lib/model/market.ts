/** Two currencies that nobody uses but the people of one run after the other. */
import { randomUUID } from 'node:crypto'
import { type Currency, scaleOf } from './amounts.ts'
import { type LimitedKind, limitedKinds, resolve, windows } from './budgets.ts'
import { type Account, type Place, reach } from './cast.ts'
import type { ModelRequest } from './exchange.ts'
import type { Operation } from './fees.ts'
import { houseOf } from './money.ts'
import { noSettings, type Settings } from './settings.ts'
import type { Model } from './state.ts'

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

/** Less than this is set aside for exchange, in major units, and a run begins with so much more. */
const liquidityMin = 300n
const hourMs = 3_600_000

/** What the operator does before a run: nothing of an earlier one holds any more, and there is a rate. */
export function toPreparations(market: Market, model: Model): ModelRequest[] {
  const [base, quote] = market.currencies
  const validUntil = Date.now() + hourMs
  const rate = { base, quote, mid: '1.25', spreadBasisPoints: 100, validUntil }
  return [
    ...toFree(market.settings),
    ...toUnlimited(market),
    { kind: 'rate', rate, key: randomUUID() },
    toDefault(base, 'person', '500'),
    toDefault(quote, 'payment_system', '900'),
    ...market.currencies
      .filter((it) => houseOf(model, 'liquidity', it) < liquidityMin * 10n ** BigInt(scaleOf(it)))
      .map((currency) => fund(currency)),
  ]
}

const fund = (currency: Currency): ModelRequest => ({
  kind: 'adjustment',
  adjustment: 'liquidity_funding',
  currency,
  amount: String(liquidityMin),
  key: randomUUID(),
})

/** Whatever costs something costs nothing. */
function toFree({ schedules }: Settings): ModelRequest[] {
  return [...schedules].flatMap(([name, timeline]) => {
    const last = timeline.at(-1)?.value
    if (!last || last.fixed + (last.min ?? 0n) + BigInt(last.basisPoints) === 0n) return []
    const [operation, currency = ''] = name.split(' ') as [Operation, Currency]
    const { bearer } = last
    const schedule = { fixed: 0n, basisPoints: 0, bearer, refund: 'none' } as const
    return [{ kind: 'schedule', operation, currency, schedule, key: randomUUID() }]
  })
}

/** Everyone of a kind begins with a limit. */
const toDefault = (currency: Currency, limited: LimitedKind, amount: string | null) => ({
  kind: 'default limit' as const,
  limited,
  currency,
  window: 'day' as const,
  amount,
  key: randomUUID(),
})

/** No default limit holds any more; of people and payment systems there are others. */
function toUnlimited({ currencies, settings }: Market): ModelRequest[] {
  const limits = settings.limits.at(-1)?.value
  return currencies.flatMap((currency) =>
    limitedKinds.flatMap((limited) =>
      windows
        .filter((window) => resolve(limits, { userId: '', kind: limited }, currency, window))
        .map((window) => ({ ...toDefault(currency, limited, null), window })),
    ),
  )
}
