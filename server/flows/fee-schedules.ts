import type { FeeBearer, FeeOperation } from '../../accounting/fees.ts'
import { hashInput } from '../../accounting/ids.ts'
import {
  countLaterFeeSchedules,
  type FeeSchedule,
  findFeeSchedule,
  insertFeeSchedule,
  listFeeSchedules,
} from '../../db/fee-schedules.ts'
import type { Operator } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal, refuseField } from '../refusals.ts'
import { readCanonicalAmount, readCurrency, readPrice } from './amount.ts'
import { nameOperation } from './pay.ts'

/** A schedule as an operator writes it down; amounts are decimal text in major units. */
export interface FeeScheduleInput {
  operation: FeeOperation
  currency: string
  fixed: string
  /** Hundredths of a percent of the amount, 0 to 10,000. */
  basisPoints: number
  min?: string | undefined
  max?: string | undefined
  bearer: FeeBearer
  /** What a refund gives back of a fee that was taken by it. */
  refund: FeeSchedule['refund']
  /** Milliseconds since 1970; at once when it is left out. */
  validFromMs?: number | undefined
}

/** Who can bear the fee of an operation. A hold costs nothing: its captures do. */
export const feeBearers = {
  deposit: ['recipient'],
  payment: ['sender', 'recipient'],
  withdrawal: ['sender'],
  capture: ['recipient'],
  exchange: ['sender'],
} as const satisfies Record<FeeOperation, readonly FeeBearer[]>

/** What a refund can give back: only it can, so that others are never promised to. */
export const refundableOperations: readonly FeeOperation[] = ['payment', 'capture']

/** How many schedules of one operation and currency may wait for their time; all are kept in memory. */
export const laterSchedulesMax = 100

/**
 * Adds a schedule; from its time on it is the one in force for its operation and currency, in this
 * process at once, in the others within a second. With an idempotency key it is added at most once.
 * Refusals: invalid_request, those of amounts, currency_not_supported, fee_schedule_limit_reached,
 * idempotency_key_reused.
 */
export async function addFeeSchedule(
  deps: Pick<Deps, 'db' | 'settings' | 'nowMs'>,
  caller: Operator,
  input: FeeScheduleInput,
  idempotencyKey: string | undefined,
): Promise<{ schedule: FeeSchedule; replayed: boolean }> {
  const id = nameOperation(caller, idempotencyKey)
  const inputHash = hashSchedule(input)
  const before = idempotencyKey === undefined ? undefined : await findFeeSchedule(deps.db, { id })
  if (!before)
    await insertFeeSchedule(deps.db, { id, inputHash, ...(await readInput(deps, input)) })
  const schedule = before ?? (await findFeeSchedule(deps.db, { id }))
  if (!schedule) throw new Error(`fee schedule ${id} was added and is not there`)
  if (schedule.inputHash !== inputHash) throw new Refusal('idempotency_key_reused')
  deps.settings.forget()
  return { schedule, replayed: before !== undefined }
}

/** The canonical input: what the caller wrote. */
function hashSchedule(input: FeeScheduleInput): number {
  const { operation, currency, basisPoints, bearer, refund, validFromMs = null } = input
  const { fixed, min, max } = input
  const prices = [
    readCanonicalAmount(fixed, '/fixed'),
    readOptional(min, '/min'),
    readOptional(max, '/max'),
  ]
  return hashInput(
    'fee schedule',
    operation,
    currency,
    ...prices,
    basisPoints,
    bearer,
    refund,
    validFromMs,
  )
}

const readOptional = (text: string | undefined, pointer: string) =>
  text === undefined ? null : readCanonicalAmount(text, pointer)

async function readInput(
  deps: Pick<Deps, 'db' | 'settings' | 'nowMs'>,
  input: FeeScheduleInput,
): Promise<Omit<FeeSchedule, 'id' | 'inputHash' | 'number' | 'createdAt'>> {
  const { operation, currency, basisPoints, bearer, refund } = input
  const asset = await readCurrency(deps, currency)
  const read = (text: string | undefined, pointer: string) =>
    text === undefined ? null : readPrice(text, asset, pointer)
  const [minMinor, maxMinor] = [read(input.min, '/min'), read(input.max, '/max')]
  if (minMinor !== null && maxMinor !== null && minMinor > maxMinor) {
    throw refuseField({ pointer: '/min', message: 'must be at most max' })
  }
  const nowMs = deps.nowMs()
  const validFrom = new Date(input.validFromMs ?? nowMs)
  if (validFrom.getTime() < nowMs) {
    throw refuseField({ pointer: '/valid_from', message: 'must not be in the past' })
  }
  const later = await countLaterFeeSchedules(deps.db, { operation, currency }, new Date(nowMs))
  if (later >= laterSchedulesMax) throw new Refusal('fee_schedule_limit_reached')
  const fixedMinor = readPrice(input.fixed, asset, '/fixed')
  return {
    operation,
    currency,
    fixedMinor,
    basisPoints,
    minMinor,
    maxMinor,
    bearer,
    refund,
    validFrom,
  }
}

export interface FeeScheduleQuery {
  operation?: FeeOperation | undefined
  currency?: string | undefined
  /** Only those in force now. */
  isInForce: boolean
  before: bigint | undefined
  limit: number
}

/** A page of schedules, newest first. */
export async function readFeeSchedules(
  { db, nowMs }: Pick<Deps, 'db' | 'nowMs'>,
  { isInForce, ...filter }: FeeScheduleQuery,
): Promise<FeeSchedule[]> {
  const inForceAt = isInForce ? new Date(nowMs()) : undefined
  return listFeeSchedules(db, { ...filter, inForceAt })
}
