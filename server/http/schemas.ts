/** Schemas that several routes share, and how the values of use cases are shown in JSON. */
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { isStorable, type RawJson, textOrNumber, unlessMissing } from './json.ts'

export const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'must be a UUID')
  .transform((text) => text.toLowerCase())

/** Decimal text in major units; a JSON number is read from its source text, digit by digit. */
export const amountInput = textOrNumber.meta({
  description: 'Decimal text in major units, such as "115.60"; never rounded',
  examples: ['115.60'],
})

export const amountOutput = z.string().meta({
  description: 'Decimal text in major units with all decimals of the currency',
  examples: ['115.60'],
})

/** A JSON number that was written from decimal text (`writeNumber`). */
export const exactNumber = z.unknown().meta({ type: 'number' }) as z.ZodType<RawJson>

export const currencyInput = z
  .string()
  .regex(/^[A-Z][A-Z0-9]{2,11}$/, 'must be the code of a currency such as "USD"')
  .meta({
    description: "ISO 4217 alphabetic code, or the code of an asset of the house's own",
    examples: ['USD'],
  })

/** A body that is read as it arrives. */
export const uploadBody = z.unknown().meta({ type: 'string' }) as z.ZodType<
  AsyncIterable<Uint8Array>
>

/** An answer that is sent as it is made. */
export const downloadBody = z.unknown().meta({ type: 'string' }) as z.ZodType<Readable>

/** A wallet's id, or its number for people as text or as a JSON integer. */
export const walletName = z
  .union([
    uuid,
    z.string().regex(/^\d{1,18}$/, 'must be a wallet id or a wallet number'),
    z.int().min(1).transform(String),
  ])
  .meta({ description: "A wallet's id, or its number" })

/** Text that a person wrote: stored as it is, shown to the people concerned. */
export const text = (lengthMax: number) =>
  z.string().min(1).max(lengthMax).refine(isStorable, 'has characters that are not text')

const secondsPerDay = 86_400
const expiresInDefault = 7 * secondsPerDay
const expiresInMax = 90 * secondsPerDay

/** After which time something that waits ends by itself, in seconds. */
export const expiresInInput = z
  .int()
  .min(1)
  .max(expiresInMax)
  .default(expiresInDefault)
  .meta({
    description: `Seconds until it ends by itself: at most ${expiresInMax}, by default a week`,
  })

/** Somebody as others may know them. */
export const partyFields = {
  id: uuid,
  username: z.string().nullable(),
  name: z.string().nullable(),
}

/** A fee that was taken; left out when there was none. */
export const feeOutput = z
  .object({
    amount: amountOutput,
    borne_by: z.enum(['sender', 'recipient']).meta({
      description: 'The sender pays it on top of the amount, the recipient out of it',
    }),
  })
  .meta({ id: 'Fee' })

/** Why an operator does something. */
export const reasonFields = { reason: text(500).meta({ description: 'Kept in the audit' }) }

/** A moment in a body. Nothing else is told of one that cannot be read. */
export const timeInput = z.iso.datetime({
  offset: true,
  abort: true,
  ...unlessMissing('must be an RFC 3339 time'),
})

export const time = z.string().meta({ description: 'RFC 3339 in UTC', format: 'date-time' })

export const replayHeader = {
  'Idempotency-Replayed': '`true` when this answers an earlier request with the same key',
}

/** The header that marks a replay; nothing for a first answer. */
export function replayHeaders(replayed: boolean): Record<string, string> {
  return replayed ? { 'Idempotency-Replayed': 'true' } : {}
}
