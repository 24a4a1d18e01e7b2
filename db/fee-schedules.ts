/** What operations cost, as operators have set it. Append-only: of those that are valid the last counts. */
import { type Selectable, sql } from 'kysely'
import type { Database } from './database.ts'
import { fromDigits, toDigits } from './digits.ts'
import type { FeeSchedulesTable } from './schema.ts'

type Row = Selectable<FeeSchedulesTable>

export interface FeeSchedule {
  id: string
  /** Of what the operator has written. */
  inputHash: number
  /** Grows with each schedule; the transfers of fees that are taken by it carry it. */
  number: bigint
  operation: Row['operation']
  currency: string
  /** Minor units, as `minMinor` and `maxMinor`. */
  fixedMinor: bigint
  /** Hundredths of a percent of the amount. */
  basisPoints: number
  minMinor: bigint | null
  maxMinor: bigint | null
  bearer: Row['borne_by']
  /** What a refund gives back of a fee: nothing, or the same part as of the amount. */
  refund: Row['refund']
  validFrom: Date
  createdAt: Date
}

/** Adds a schedule, unless there is one of its id. */
export async function insertFeeSchedule(
  db: Database,
  schedule: Omit<FeeSchedule, 'number' | 'createdAt'>,
): Promise<void> {
  await db
    .insertInto('fee_schedules')
    .values({
      id: schedule.id,
      input_hash: BigInt(schedule.inputHash),
      operation: schedule.operation,
      currency: schedule.currency,
      fixed_minor: String(schedule.fixedMinor),
      basis_points: schedule.basisPoints,
      min_minor: toDigits(schedule.minMinor),
      max_minor: toDigits(schedule.maxMinor),
      borne_by: schedule.bearer,
      refund: schedule.refund,
      valid_from: schedule.validFrom,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** A schedule by its id, or by its number. */
export async function findFeeSchedule(
  db: Database,
  name: { id: string } | { number: bigint },
): Promise<FeeSchedule | undefined> {
  const query = db.selectFrom('fee_schedules').selectAll()
  const found =
    'id' in name ? query.where('id', '=', name.id) : query.where('number', '=', name.number)
  const row = await found.executeTakeFirst()
  return row && toFeeSchedule(row)
}

/** Schedules by their numbers. */
export async function findFeeSchedules(
  db: Database,
  numbers: readonly bigint[],
): Promise<Map<bigint, FeeSchedule>> {
  if (numbers.length === 0) return new Map()
  const rows = await db
    .selectFrom('fee_schedules')
    .selectAll()
    .where('number', '=', sql<bigint>`ANY(${numbers.map(String)}::numeric[])`)
    .execute()
  return new Map(rows.map((row) => [row.number, toFeeSchedule(row)]))
}

export interface FeeScheduleFilter {
  operation?: Row['operation'] | undefined
  currency?: string | undefined
  /** Only those in force at this moment. */
  inForceAt?: Date | undefined
  /** Only numbers below. */
  before: bigint | undefined
  limit: number
}

/** Schedules, newest first. */
export async function listFeeSchedules(
  db: Database,
  { operation, currency, inForceAt, before, limit }: FeeScheduleFilter,
): Promise<FeeSchedule[]> {
  let query = db.selectFrom('fee_schedules').selectAll()
  if (operation !== undefined) query = query.where('operation', '=', operation)
  if (currency !== undefined) query = query.where('currency', '=', currency)
  if (inForceAt) query = query.where('number', 'in', inForce(db, inForceAt))
  if (before !== undefined) query = query.where('number', '<', before)
  const rows = await query.orderBy('number', 'desc').limit(limit).execute()
  return rows.map(toFeeSchedule)
}

/** Those in force at a moment and all that become valid later, the last first. */
export async function listCurrentFeeSchedules(db: Database, at: Date): Promise<FeeSchedule[]> {
  const rows = await db
    .selectFrom('fee_schedules')
    .selectAll()
    .where((where) =>
      where.or([where('number', 'in', inForce(db, at)), where('valid_from', '>', at)]),
    )
    .orderBy('valid_from', 'desc')
    .orderBy('number', 'desc')
    .execute()
  return rows.map(toFeeSchedule)
}

/** How many schedules of an operation and currency become valid after a moment. */
export async function countLaterFeeSchedules(
  db: Database,
  { operation, currency }: Pick<FeeSchedule, 'operation' | 'currency'>,
  at: Date,
): Promise<number> {
  const { count } = await db
    .selectFrom('fee_schedules')
    .select((select) => select.fn.countAll<bigint>().as('count'))
    .where('operation', '=', operation)
    .where('currency', '=', currency)
    .where('valid_from', '>', at)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** The numbers of those in force at a moment: of each operation and currency the one that is valid last. */
function inForce(db: Database, at: Date) {
  return db
    .selectFrom('fee_schedules as valid')
    .distinctOn(['valid.operation', 'valid.currency'])
    .select('valid.number')
    .where('valid.valid_from', '<=', at)
    .orderBy('valid.operation')
    .orderBy('valid.currency')
    .orderBy('valid.valid_from', 'desc')
    .orderBy('valid.number', 'desc')
}

function toFeeSchedule(row: Row): FeeSchedule {
  return {
    id: row.id,
    inputHash: Number(row.input_hash),
    number: row.number,
    operation: row.operation,
    currency: row.currency,
    fixedMinor: BigInt(row.fixed_minor),
    basisPoints: row.basis_points,
    minMinor: fromDigits(row.min_minor),
    maxMinor: fromDigits(row.max_minor),
    bearer: row.borne_by,
    refund: row.refund,
    validFrom: row.valid_from,
    createdAt: row.created_at,
  }
}
