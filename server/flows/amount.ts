import { type Asset, assetOf, findAsset } from '../../accounting/chart.ts'
import { canonicalAmount, formatAmount, parseAmount } from '../../accounting/money.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'

/**
 * Reads an amount in major units into minor units.
 * Refusals: amount_malformed, amount_not_positive, amount_too_precise, amount_too_large.
 */
export function readAmount(text: string, asset: Asset, pointer = '/amount'): bigint {
  const minor = parseAmount(text, asset)
  if (typeof minor === 'bigint') return minor
  const message = {
    amount_malformed: malformedMessage,
    amount_not_positive: 'must be more than zero',
    amount_too_precise: `${asset.currency} has ${asset.scale} decimals`,
    amount_too_large: 'must be at most 2^127 minor units',
  }[minor]
  throw new Refusal(minor, { errors: [{ pointer, message }] })
}

/** The same of a part of a price or a limit, which may be nothing. Refusals: those of amounts. */
export function readPrice(text: string, asset: Asset, pointer: string): bigint {
  if (parseAmount(text, asset) !== 'amount_not_positive') return readAmount(text, asset, pointer)
  if (canonicalAmount(text) === '0') return 0n
  throw new Refusal('amount_not_positive', {
    errors: [{ pointer, message: 'must not be negative' }],
  })
}

const malformedMessage = 'must be a plain decimal number such as "115.60"'

/** The amount's canonical text, for the hash of an input. Refusal: amount_malformed. */
export function readCanonicalAmount(text: string, pointer = '/amount'): string {
  const canonical = canonicalAmount(text)
  if (canonical !== undefined) return canonical
  throw new Refusal('amount_malformed', {
    errors: [{ pointer, message: malformedMessage }],
  })
}

/**
 * The asset of a currency named by a caller, when an operator has enabled it. An own asset that was
 * registered a moment ago is answered when every process has it.
 * Refusal: currency_not_supported.
 */
export async function readCurrency(
  { settings }: Pick<Deps, 'settings'>,
  currency: string,
): Promise<Asset> {
  const { currencies } = await settings.read()
  const asset = currencies.has(currency) ? findAsset(currency) : undefined
  if (asset) {
    await settings.untilKnownEverywhere(currency)
    return asset
  }
  throw new Refusal('currency_not_supported', 'GET /v1/currencies tells which there are.')
}

/** Minor units as decimal text in major units. */
export function showAmount(minor: bigint, currency: string): string {
  return formatAmount(minor, assetOf(currency))
}
