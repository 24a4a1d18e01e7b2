/** Pages of a list that is ordered by a number which grows with each row. */
import { z } from 'zod'
import { Refusal } from '../refusals.ts'
import { pageQuery } from './paging.ts'

/** The query parameters of such a list. */
export const idPageQuery = z.object({ limit: pageQuery.limit, cursor: pageQuery.cursor })

interface PageRequest {
  limit: number
  cursor?: string | undefined
}

/** The number of the last row on the page before, up to `max`. Refusal: invalid_cursor. */
export function readIdCursor({ cursor }: PageRequest, max = 2n ** 63n - 1n): bigint | undefined {
  if (cursor === undefined) return undefined
  const match = /^n(\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString())
  if (!match?.[1] || BigInt(match[1]) > max) throw new Refusal('invalid_cursor')
  return BigInt(match[1])
}

/** A list's body from rows of which one more was read than is shown. */
export function toIdPage<Row, Shown>(
  rows: readonly Row[],
  { limit }: PageRequest,
  numberOf: (row: Row) => number | bigint,
  show: (row: Row) => Shown,
): { data: Shown[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  const next = last && Buffer.from(`n${numberOf(last)}`).toString('base64url')
  return { data: shown.map(show), next_cursor: next ?? null }
}
