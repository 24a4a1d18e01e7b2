/** What can be told of a payroll: counts and sums over its rows, and the rows. */
import type { Database } from './database.ts'

export interface PayrollProgress {
  /** Rows that are stored. */
  rows: number
  done: number
  refused: number
  /** Sums of what was asked for, minor units; an amount that cannot be read counts as nothing. */
  doneMinor: bigint
  refusedMinor: bigint
  waitingMinor: bigint
}

/** How far a payroll is, counted over its rows. */
export async function countRows(db: Database, id: string): Promise<PayrollProgress> {
  const groups = await db
    .selectFrom('payroll_items')
    .select(({ fn }) => [
      'status',
      fn.countAll<bigint>().as('count'),
      fn.sum<string | null>('amount_minor').as('sum'),
    ])
    .where('payroll_id', '=', id)
    .groupBy('status')
    .execute()
  const of = (status: string | null) => {
    const group = groups.find((each) => each.status === status)
    return { count: Number(group?.count ?? 0), minor: BigInt(group?.sum ?? 0) }
  }
  const [done, refused, waiting] = [of('done'), of('refused'), of(null)]
  return {
    rows: done.count + refused.count + waiting.count,
    done: done.count,
    refused: refused.count,
    doneMinor: done.minor,
    refusedMinor: refused.minor,
    waitingMinor: waiting.minor,
  }
}

export interface ReportedRow {
  place: number
  line: number
  recipient: string
  amount: string
  status: 'done' | 'refused' | null
  code: string | null
}

/** The rows of a payroll from a place on. */
export async function listRows(
  db: Database,
  { id, from, limit }: { id: string; from: number; limit: number },
): Promise<ReportedRow[]> {
  return db
    .selectFrom('payroll_items')
    .select(['place', 'line', 'recipient', 'amount', 'status', 'code'])
    .where('payroll_id', '=', id)
    .where('place', '>=', from)
    .orderBy('place')
    .limit(limit)
    .execute()
}
