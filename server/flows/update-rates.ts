import { once } from 'node:events'
import { pairOf } from '../../db/exchange-rates.ts'
import { mintId } from '../../db/ids.ts'
import type { Deps } from '../deps.ts'
import type { ProvidedRate, RateProvider } from '../rates/provider.ts'
import { Refusal } from '../refusals.ts'
import { findFarFrom, isSameRate, readMid, setExchangeRate } from './exchange-rates.ts'

type UpdateDeps = Pick<Deps, 'config' | 'db' | 'log' | 'nowMs' | 'settings'>

/** How long a provider may take. */
const deadlineMs = 5_000

/**
 * Takes over the rates of providers that differ from the last ones; when several tell one pair, the first
 * of them counts. A provider that cannot be read is logged and changes nothing, so that its rates run out;
 * a rate that is far from the last one of its pair is left to operators. Answers how many were set.
 */
export async function updateRates(
  deps: UpdateDeps,
  providers: readonly RateProvider[],
): Promise<number> {
  const rates = new Map<string, ProvidedRate>()
  for (const provider of providers) {
    for (const rate of await readProvider(deps, provider)) {
      const pair = pairOf(rate.base, rate.quote)
      if (!rates.has(pair)) rates.set(pair, rate)
    }
  }
  let count = 0
  for (const rate of rates.values()) if (await takeOver(deps, rate)) count += 1
  return count
}

async function readProvider(
  { log }: Pick<Deps, 'log'>,
  { name, read }: RateProvider,
): Promise<ProvidedRate[]> {
  try {
    const signal = AbortSignal.timeout(deadlineMs)
    // Whatever a provider does when its time is over, others have their turn.
    return await Promise.race([read(signal), once(signal, 'abort').then(() => refuseLate())])
  } catch (error) {
    log.warn({ err: error, provider: name }, 'exchange rates could not be read')
    return []
  }
}

function refuseLate(): never {
  throw new Error(`nothing was told within ${deadlineMs} ms`)
}

/** Sets a provider's rate, if there is a reason to; answers whether it did. */
async function takeOver(deps: UpdateDeps, told: ProvidedRate): Promise<boolean> {
  try {
    const rate = { ...told, id: mintId(), mid: readMid(told.mid) }
    const { exchangeRates } = await deps.settings.read()
    const last = exchangeRates.get(pairOf(rate.base, rate.quote))
    if (last && isSameRate(last, rate)) return false
    if (await findFarFrom(deps, rate)) {
      deps.log.warn({ rate, last }, 'an exchange rate waits for an operator: it is far off')
      return false
    }
    await setExchangeRate(deps, rate)
    return true
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    deps.log.warn({ rate: told, code: error.code }, 'an exchange rate was left out')
    return false
  }
}
