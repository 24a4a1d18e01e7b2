/**
 * Pages of a list that is ordered by ledger time, newest first. A cursor names a moment, so a page
 * stays the same while new entries arrive.
 */
import { z } from 'zod'
import { toLedgerTime } from '../flows/ledger-time.ts'
import { Refusal } from '../refusals.ts'
import { unlessMissing } from './json.ts'
import { timeInput } from './schemas.ts'

const limitDefault = 50
const limitMax = 200

/** A moment in a query: an RFC 3339 time, or a day, which means its beginning in UTC. */
export const momentInput = z.union(
  [timeInput, z.iso.date()],
  unlessMissing('must be an RFC 3339 time or a day such as 2026-11-28'),
)

/** The query parameters of such a list. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, `must be a whole number from 1 to ${limitMax}`)
    .transform(Number)
    .refine((value) => value >= 1 && value <= limitMax, `must be from 1 to ${limitMax}`)
    .default(limitDefault)
    .meta({
      description: `How many entries at most: 1 to ${limitMax}, ${limitDefault} by default`,
    }),
  cursor: z
    .string()
    .max(100)
    .optional()
    .meta({ description: 'The `next_cursor` of the page before' }),
  from: timeInput.optional().meta({ description: 'Not before this moment (RFC 3339)' }),
  to: timeInput.optional().meta({ description: 'Before this moment (RFC 3339)' }),
}

interface PageRequest {
  limit: number
  cursor?: string | undefined
  from?: string | undefined
  to?: string | undefined
}

/** Bounds in nanoseconds since 1970, both inclusive, 0 for none; one entry more than is shown. */
export interface PageBounds {
  timestampMin: bigint
  timestampMax: bigint
  limit: number
}

/** The bounds of a page. Refusal: invalid_cursor. */
export function toBounds({ limit, cursor, from, to }: PageRequest): PageBounds {
  const timestampMin = from === undefined ? 0n : readMoment(from)
  const before = to === undefined ? 0n : clamp(toLedgerTime(Date.parse(to)) - 1n)
  const older = cursor === undefined ? 0n : clamp(readCursor(cursor) - 1n)
  const timestampMax = before === 0n || older === 0n ? before + older : atMost(before, older)
  return { timestampMin, timestampMax, limit: limit + 1 }
}

/** A list's body from the entries that were read by these bounds. */
export function toPage<Entry extends { timestamp: bigint }, Shown>(
  entries: readonly Entry[],
  { limit }: PageRequest,
  show: (entry: Entry) => Shown,
): { data: Shown[]; next_cursor: string | null } {
  const shown = entries.slice(0, limit)
  const last = entries.length > limit ? shown.at(-1) : undefined
  return { data: shown.map(show), next_cursor: last ? writeCursor(last.timestamp) : null }
}

/** The schema of a list's body. */
export const pageOf = <S extends z.ZodType>(entry: S) =>
  z.object({
    data: z.array(entry),
    next_cursor: z.string().nullable().meta({ description: 'null on the last page' }),
  })

/** The ledger time (ns since 1970) of an RFC 3339 time. */
export const readMoment = (text: string): bigint => clamp(toLedgerTime(Date.parse(text)))

function writeCursor(timestamp: bigint): string {
  return Buffer.from(`t${timestamp}`).toString('base64url')
}

function readCursor(cursor: string): bigint {
  const match = /^t(\d{2,19})$/.exec(Buffer.from(cursor, 'base64url').toString())
  if (!match || writeCursor(BigInt(match[1]!)) !== cursor) throw new Refusal('invalid_cursor')
  return BigInt(match[1]!)
}

const atMost = (a: bigint, b: bigint) => (a < b ? a : b)

/** The moments that TigerBeetle's filters take: more than 0, less than 2^63. */
const clamp = (timestamp: bigint) => (timestamp < 1n ? 1n : atMost(timestamp, 2n ** 63n - 1n))
