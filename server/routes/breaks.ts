import { z } from 'zod'
import type { BreakEvent, StoredBreak } from '../../db/breaks.ts'
import { showAmount } from '../flows/amount.ts'
import {
  assignBreak,
  closeBreak,
  correctBreak,
  explainBreak,
  readBreak,
  readBreaks,
} from '../flows/breaks.ts'
import { idPageQuery, readIdCursor, toIdPage } from '../http/id-paging.ts'
import { pageOf } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import { amountOutput, text, time, uuid } from '../http/schemas.ts'

const common = { tags: ['Reconciliation'], caller: 'operator' } as const
const one = { ...common, params: z.object({ id: uuid }) } as const

const breakStates = ['open', 'assigned', 'explained', 'corrected', 'closed'] as const
const name = z.string().regex(/^[a-z_]{1,50}$/, 'must be a name such as "balance_differs"')

const breakFields = {
  id: uuid,
  pass: z.string().meta({ examples: ['ledger'] }),
  kind: z.string().meta({ examples: ['balance_differs'] }),
  subject: z.string().meta({ description: 'Which one of its kind: an id, or several' }),
  ledger_ids: z.array(z.string()).meta({ description: 'Transfers or accounts of the ledger' }),
  record_ids: z.array(z.string()).meta({ description: 'Rows of PostgreSQL: `table:key`' }),
  statement_lines: z.array(z.string()).meta({ description: "As the bank's statement names them" }),
  currency: z.string().nullable(),
  expected: amountOutput.nullable(),
  found: amountOutput.nullable(),
  since: time.meta({ description: 'When what it is about happened' }),
  detail: z.string().meta({ description: 'A sentence for people' }),
  state: z.enum(breakStates),
  assignee_id: uuid.nullable().meta({ description: 'The operator who looks after it' }),
  explanation: z.string().nullable(),
  adjustment_id: uuid.nullable().meta({ description: 'The adjustment that corrects it' }),
  first_seen: uuid.meta({ description: 'The reconciliation that has found it' }),
  last_seen: uuid.meta({ description: 'The last reconciliation that has found it' }),
  earlier_id: uuid.nullable().meta({ description: 'The break that this was when it was closed' }),
  closed_at: time.nullable(),
  closed_by: uuid.nullable().meta({ description: 'null when it has gone by itself' }),
}
const breakBody = z.object(breakFields).meta({ id: 'Break' })

const eventBody = z
  .object({
    id: z.string(),
    at: time,
    kind: z.enum([
      'found',
      'seen_differently',
      'assigned',
      'explained',
      'corrected',
      'closed',
      'gone',
      'reopened',
    ]),
    reconciliation_id: uuid.nullable().meta({ description: 'Which has told it' }),
    operator_id: uuid.nullable().meta({ description: 'Who has done it' }),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'BreakEvent' })

function showBreak(it: StoredBreak): z.output<typeof breakBody> {
  const { currency } = it
  const show = (minor: bigint | null) =>
    minor === null || currency === null ? null : showAmount(minor, currency)
  return {
    id: it.id,
    pass: it.pass,
    kind: it.kind,
    subject: it.subject,
    ledger_ids: it.ledgerIds,
    record_ids: it.recordIds,
    statement_lines: it.statementLines,
    currency,
    expected: show(it.expectedMinor),
    found: show(it.foundMinor),
    since: it.since.toISOString(),
    detail: it.detail,
    state: it.state,
    assignee_id: it.assignee,
    explanation: it.explanation,
    adjustment_id: it.adjustmentId,
    first_seen: it.firstSeen,
    last_seen: it.lastSeen,
    earlier_id: it.earlierId,
    closed_at: it.closedAt?.toISOString() ?? null,
    closed_by: it.closedBy,
  }
}

function showEvent(event: BreakEvent): z.output<typeof eventBody> {
  return {
    id: String(event.id),
    at: event.at.toISOString(),
    kind: event.kind,
    reconciliation_id: event.reconciliationId,
    operator_id: event.operatorId,
    details: event.details,
  }
}

const getBreaks = defineRoute(
  {
    ...common,
    method: 'GET',
    path: '/v1/breaks',
    summary: 'Breaks that reconciliations have found, newest first',
    query: idPageQuery
      .extend({ state: z.enum(breakStates), kind: name, pass: name })
      .partial({ state: true, kind: true, pass: true })
      .strict(),
    responses: { 200: { description: 'A page', body: pageOf(breakBody) } },
    refusals: ['invalid_cursor'],
  },
  async (deps, { query }) => {
    const { state, kind, pass, limit } = query
    const filter = { state, kind, pass, before: readIdCursor(query), limit: limit + 1 }
    const breaks = await readBreaks(deps, filter)
    return { status: 200, body: toIdPage(breaks, query, ({ number }) => number, showBreak) }
  },
)

const getBreak = defineRoute(
  {
    ...one,
    method: 'GET',
    path: '/v1/breaks/{id}',
    summary: 'A break, and what has happened to it',
    responses: {
      200: {
        description: 'How it stands',
        body: breakBody.extend({
          events: z.array(eventBody).meta({ description: 'The last 200, oldest first' }),
        }),
      },
    },
    refusals: ['break_not_found'],
  },
  async (deps, { params }) => {
    const { found, events } = await readBreak(deps, params.id)
    return { status: 200, body: { ...showBreak(found), events: events.map(showEvent) } }
  },
)

const postAssign = defineRoute(
  {
    ...one,
    method: 'POST',
    path: '/v1/breaks/{id}/assign',
    summary: 'Say which operator looks after a break',
    description: 'Repeating it answers the same.',
    body: z.strictObject({ user_id: uuid }),
    responses: { 200: { description: 'It is assigned', body: breakBody } },
    refusals: ['break_not_found', 'break_closed', 'user_not_found', 'not_an_operator'],
  },
  async (deps, { caller, params, body }) => ({
    status: 200,
    body: showBreak(await assignBreak(deps, caller, params.id, body.user_id)),
  }),
)

const postExplain = defineRoute(
  {
    ...one,
    method: 'POST',
    path: '/v1/breaks/{id}/explain',
    summary: 'Say why a break is there',
    description: 'Runs go on finding it. Repeating it answers the same; another text replaces it.',
    body: z.strictObject({ text: text(2_000) }),
    responses: { 200: { description: 'It is explained', body: breakBody } },
    refusals: ['break_not_found', 'break_closed'],
  },
  async (deps, { caller, params, body }) => ({
    status: 200,
    body: showBreak(await explainBreak(deps, caller, params.id, body.text)),
  }),
)

const postCorrect = defineRoute(
  {
    ...one,
    method: 'POST',
    path: '/v1/breaks/{id}/correct',
    summary: 'Name the adjustment that corrects a break',
    description:
      'It has to be booked. The break closes when a run no longer finds it. Repeating it answers the same.',
    body: z.strictObject({ adjustment_id: uuid }),
    responses: { 200: { description: 'It is corrected', body: breakBody } },
    refusals: [
      'break_not_found',
      'break_closed',
      'adjustment_not_found',
      'adjustment_not_booked',
      'currency_mismatch',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, params, body }) => ({
    status: 200,
    body: showBreak(await correctBreak(deps, caller, params.id, body.adjustment_id)),
  }),
)

const postClose = defineRoute(
  {
    ...one,
    method: 'POST',
    path: '/v1/breaks/{id}/close',
    summary: 'Close a break by hand',
    description:
      'If a run finds it again, that is a new break which names this one. One that is closed stays as it is.',
    body: z.strictObject({ reason: text(500).meta({ description: 'Kept with the break' }) }),
    responses: { 200: { description: 'It is closed', body: breakBody } },
    refusals: ['break_not_found'],
  },
  async (deps, { caller, params, body }) => ({
    status: 200,
    body: showBreak(await closeBreak(deps, caller, params.id, body.reason)),
  }),
)

export const breakRoutes = [getBreaks, getBreak, postAssign, postExplain, postCorrect, postClose]
