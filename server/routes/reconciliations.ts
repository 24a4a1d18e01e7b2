import { z } from 'zod'
import type { StoredReconciliation } from '../../db/reconciliations.ts'
import {
  readReconciliation,
  readReconciliations,
  requestReconciliation,
} from '../flows/reconciliations.ts'
import { idPageQuery, readIdCursor, toIdPage } from '../http/id-paging.ts'
import { pageOf } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import { time, uuid } from '../http/schemas.ts'

const common = { tags: ['Reconciliation'], caller: 'operator' } as const

const byKind = z.record(z.string(), z.int())

const passBody = z
  .object({
    name: z.string().meta({ examples: ['ledger'] }),
    error: z
      .string()
      .optional()
      .meta({ description: 'Why it could not be carried out; then there is nothing else' }),
    as_of: time.optional(),
    since: time
      .nullable()
      .optional()
      .meta({ description: 'The moment of the checkpoint from which it went on' }),
    counts: byKind.optional().meta({ description: 'What was compared, and how many of it' }),
    totals: z
      .array(z.record(z.string(), z.string()))
      .optional()
      .meta({ description: 'By currency, in major units' }),
    breaks: byKind.meta({ description: 'How many there are of each kind' }),
    omitted: byKind.optional().meta({ description: 'How many of them are not told one by one' }),
  })
  .meta({ id: 'ReconciliationPass' })

const reconciliationBody = z
  .object({
    id: uuid,
    verdict: z.enum(['clean', 'breaks', 'failed']).meta({
      description: '`failed`: something could not be compared, whatever was found besides',
    }),
    started_by: z.enum(['schedule', 'command', 'operator']),
    requested_by: uuid.nullable().meta({ description: 'The operator who has asked for it' }),
    started_at: time,
    ended_at: time,
    as_of: time.nullable().meta({ description: 'The earliest moment of its passes' }),
    since: time.nullable().meta({
      description:
        'The moment of the checkpoint from which it went on; null: it looked at everything',
    }),
    found: z.int().meta({ description: 'Breaks that are told one by one' }),
    new: z.int().meta({ description: 'Those of them that were not there before' }),
    gone: z.int().meta({ description: 'Breaks that were there before and have gone' }),
    passes: z.array(passBody),
  })
  .meta({ id: 'Reconciliation' })

function showReconciliation(run: StoredReconciliation): z.output<typeof reconciliationBody> {
  return {
    id: run.id,
    verdict: run.verdict,
    started_by: run.startedBy,
    requested_by: run.requestedBy,
    started_at: run.startedAt.toISOString(),
    ended_at: run.endedAt.toISOString(),
    as_of: run.asOf?.toISOString() ?? null,
    since: run.since?.toISOString() ?? null,
    found: run.foundCount,
    new: run.newCount,
    gone: run.goneCount,
    passes: run.passes as z.output<typeof passBody>[],
  }
}

const getReconciliations = defineRoute(
  {
    ...common,
    method: 'GET',
    path: '/v1/reconciliations',
    summary: 'Reconciliations that were stored, newest first',
    query: idPageQuery.strict(),
    responses: { 200: { description: 'A page', body: pageOf(reconciliationBody) } },
    refusals: ['invalid_cursor'],
  },
  async (deps, { query }) => {
    const page = { before: readIdCursor(query), limit: query.limit + 1 }
    const runs = await readReconciliations(deps, page)
    return {
      status: 200,
      body: toIdPage(runs, query, ({ number }) => number, showReconciliation),
    }
  },
)

const getReconciliation = defineRoute(
  {
    ...common,
    method: 'GET',
    path: '/v1/reconciliations/{id}',
    summary: 'A reconciliation that was stored',
    params: z.object({ id: uuid }),
    responses: { 200: { description: 'What it has found', body: reconciliationBody } },
    refusals: ['reconciliation_not_found'],
  },
  async (deps, { params }) => ({
    status: 200,
    body: showReconciliation(await readReconciliation(deps, params.id)),
  }),
)

const postReconciliation = defineRoute(
  {
    ...common,
    method: 'POST',
    path: '/v1/reconciliations',
    summary: 'Ask for a reconciliation now',
    description:
      'It is carried out in the background, as soon as no other one is, and is in the list when it is over. ' +
      'While one waits, asking again changes nothing.',
    responses: { 202: { description: 'It will be carried out' } },
    refusals: [],
  },
  async (deps, { caller }) => {
    await requestReconciliation(deps, caller)
    return { status: 202 }
  },
)

export const reconciliationRoutes = [getReconciliations, getReconciliation, postReconciliation]
