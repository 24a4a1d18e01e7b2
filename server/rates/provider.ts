import { z } from 'zod'
import { parseJson } from '../http/json.ts'
import { rateFields } from '../http/rate-input.ts'
import { currencyInput } from '../http/schemas.ts'

/** A rate as somebody else tells it; docs/operations.md has the form. */
export interface ProvidedRate {
  base: string
  quote: string
  /** Decimal text, to the last digit that was told. */
  mid: string
  spreadBasisPoints: number
  source: string
  validUntil: Date
}

/** Where exchange rates come from. */
export interface RateProvider {
  /** For the log. */
  readonly name: string
  /** All of its rates as they are now. Rejects when it cannot be read, or has anything wrong in it. */
  read(signal: AbortSignal): Promise<ProvidedRate[]>
}

const ratesMax = 10_000
export const ratesBytesMax = 4 * 1024 * 1024

const { source, ...rateValues } = rateFields
const document = z.strictObject({
  source,
  rates: z
    .array(z.strictObject({ base: currencyInput, quote: currencyInput, ...rateValues }))
    .max(ratesMax),
})

/** Reads rates as they are written down in JSON, numbers digit by digit. @throws */
export function readRates(text: string): ProvidedRate[] {
  const told = document.parse(parseJson(text))
  return told.rates.map(({ base, quote, mid, spread_basis_points, valid_until }) => ({
    base,
    quote,
    mid,
    spreadBasisPoints: spread_basis_points,
    source: told.source,
    validUntil: new Date(valid_until),
  }))
}
