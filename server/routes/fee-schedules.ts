import { z } from 'zod'
import type { FeeSchedule } from '../../db/fee-schedules.ts'
import { showAmount } from '../flows/amount.ts'
import {
  addFeeSchedule,
  feeBearers,
  laterSchedulesMax,
  readFeeSchedules,
  refundableOperations,
} from '../flows/fee-schedules.ts'
import { idPageQuery, readIdCursor, toIdPage } from '../http/id-paging.ts'
import { pageOf } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import {
  amountInput,
  amountOutput,
  currencyInput,
  replayHeader,
  replayHeaders,
  time,
  timeInput,
  uuid,
} from '../http/schemas.ts'

const tags = ['Operators'] as const

const operation = z.enum(['deposit', 'payment', 'withdrawal', 'capture', 'exchange'])
const bearer = z.enum(['sender', 'recipient'])
const refund = z.enum(['none', 'proportional'])

const scheduleBody = z
  .object({
    id: uuid,
    number: z.int().meta({ description: 'Kept in the ledger with each fee that was taken by it' }),
    operation,
    currency: z.string(),
    fixed: amountOutput,
    basis_points: z.int(),
    min: amountOutput.nullable(),
    max: amountOutput.nullable(),
    borne_by: bearer,
    refund,
    valid_from: time,
    created_at: time,
  })
  .meta({ id: 'FeeSchedule' })

function showSchedule(schedule: FeeSchedule): z.output<typeof scheduleBody> {
  const { currency } = schedule
  const show = (minor: bigint | null) => (minor === null ? null : showAmount(minor, currency))
  return {
    id: schedule.id,
    number: Number(schedule.number),
    operation: schedule.operation,
    currency,
    fixed: showAmount(schedule.fixedMinor, currency),
    basis_points: schedule.basisPoints,
    min: show(schedule.minMinor),
    max: show(schedule.maxMinor),
    borne_by: schedule.bearer,
    refund: schedule.refund,
    valid_from: schedule.validFrom.toISOString(),
    created_at: schedule.createdAt.toISOString(),
  }
}

const validFrom = timeInput
  .refine((value) => !(Date.parse(value) >= Date.UTC(2200, 0)), 'must be before 2200')
  .meta({ description: 'From when on it holds (RFC 3339); at once when it is left out' })

const scheduleInput = z
  .strictObject({
    operation,
    currency: currencyInput,
    fixed: amountInput.meta({ description: 'May be nothing' }),
    basis_points: z
      .int()
      .min(0)
      .max(10_000)
      .meta({ description: 'Hundredths of a percent of the amount' }),
    min: amountInput.optional().meta({ description: 'The fee is at least this' }),
    max: amountInput.optional().meta({ description: 'The fee is at most this' }),
    borne_by: bearer,
    refund: refund.default('none').meta({
      description: 'What a refund gives back of a fee: nothing, or the same part as of the amount',
    }),
    valid_from: validFrom.optional(),
  })
  .superRefine((input, context) => {
    const bearers: readonly string[] = feeBearers[input.operation]
    if (!bearers.includes(input.borne_by)) {
      const message = `of this operation the fee is borne by the ${bearers.join(' or the ')}`
      context.addIssue({ code: 'custom', path: ['borne_by'], message })
    }
    if (input.refund !== 'none' && !refundableOperations.includes(input.operation)) {
      const message = `a ${input.operation} has no refunds: only "none"`
      context.addIssue({ code: 'custom', path: ['refund'], message })
    }
  })

const postSchedule = defineRoute(
  {
    method: 'POST',
    path: '/v1/fee-schedules',
    summary: 'Say what an operation costs',
    description:
      'From its time on, in the place of the one before. A schedule is never changed; one with nothing ' +
      `in it ends the fee. Up to ${laterSchedulesMax} of one operation and currency may wait for their ` +
      'time. The fee is `fixed` and the basis points of the amount, these rounded up to the next minor ' +
      'unit, then at least `min` and at most `max`; for a recipient never more than the amount.',
    tags,
    caller: 'operator',
    body: scheduleInput,
    idempotent: true,
    responses: { 201: { description: 'Added', body: scheduleBody, headers: replayHeader } },
    refusals: [
      'amount_malformed',
      'amount_not_positive',
      'amount_too_precise',
      'amount_too_large',
      'currency_not_supported',
      'fee_schedule_limit_reached',
      'idempotency_key_reused',
    ],
  },
  async (deps, { caller, body, idempotencyKey }) => {
    const { valid_from: from, basis_points: basisPoints, borne_by, ...what } = body
    const validFromMs = from === undefined ? undefined : Date.parse(from)
    const input = { ...what, basisPoints, bearer: borne_by, validFromMs }
    const { schedule, replayed } = await addFeeSchedule(deps, caller, input, idempotencyKey)
    return { status: 201, body: showSchedule(schedule), headers: replayHeaders(replayed) }
  },
)

const getSchedules = defineRoute(
  {
    method: 'GET',
    path: '/v1/fee-schedules',
    summary: 'What operations cost, cost before and are going to cost, newest first',
    tags,
    caller: 'operator',
    query: idPageQuery.extend({
      operation: operation.optional(),
      currency: currencyInput.optional(),
      in_force: z
        .enum(['true', 'false'])
        .default('false')
        .meta({ description: 'Only those by which fees are taken now' }),
    }),
    responses: { 200: { description: 'A page', body: pageOf(scheduleBody) } },
    refusals: ['invalid_cursor'],
  },
  async (deps, { query }) => {
    const schedules = await readFeeSchedules(deps, {
      operation: query.operation,
      currency: query.currency,
      isInForce: query.in_force === 'true',
      before: readIdCursor(query),
      limit: query.limit + 1,
    })
    return { status: 200, body: toIdPage(schedules, query, ({ number }) => number, showSchedule) }
  },
)

export const feeScheduleRoutes = [postSchedule, getSchedules]
