import { z } from 'zod'
import { type Batch, sendBatch } from '../flows/batch.ts'
import { toPayment } from '../flows/send.ts'
import { problemKinds } from '../http/errors.ts'
import {
  hasOneRecipient,
  oneRecipient,
  payFields,
  payRefusals,
  toPayInput,
} from '../http/pay-input.ts'
import { defineRoute } from '../http/route.ts'
import { replayHeader, replayHeaders, uuid } from '../http/schemas.ts'
import { showPayment, transferBody } from './transfers.ts'

/** More are told as an invalid request, fewer by how many there may be. */
const transfersMax = 10_000
const bodyLimitBytes = 4 * 1024 * 1024

const index = z.int().meta({ description: 'The place in `transfers`, from 0' })

const batchBody = z
  .object({
    id: uuid,
    atomic: z.boolean(),
    counts: z.object({ done: z.int(), refused: z.int() }),
    results: z.array(
      z.discriminatedUnion('status', [
        z.object({ index, status: z.literal('done'), transfer: transferBody }),
        z.object({
          index,
          status: z.literal('refused'),
          code: z.string().meta({ description: 'As that of a refused payment' }),
          title: z.string(),
        }),
      ]),
    ),
  })
  .meta({ id: 'Batch' })

const postBatch = defineRoute(
  {
    method: 'POST',
    path: '/v1/transfers/batch',
    summary: 'Pay several people',
    description:
      'Atomic: all payments happen or none does, and the refusal is that of the one that failed, with ' +
      'its `index`. Otherwise each succeeds or fails for itself, in this order. An Idempotency-Key ' +
      'gives each payment its id by its place: sent again, each is answered as it was.',
    tags: ['Batches'],
    caller: 'customer',
    body: z.strictObject({
      atomic: z.boolean(),
      transfers: z
        .array(z.strictObject(payFields).refine(hasOneRecipient, oneRecipient))
        .min(1)
        .max(transfersMax),
    }),
    bodyLimitBytes,
    idempotent: true,
    responses: {
      200: { description: 'What has become of each', body: batchBody, headers: replayHeader },
    },
    refusals: [...payRefusals, 'batch_too_large'],
  },
  async (deps, { caller, body, idempotencyKey }) => {
    const { atomic } = body
    const transfers = body.transfers.map(toPayInput)
    const batch = await sendBatch(deps, caller, { atomic, transfers }, idempotencyKey)
    const results = batch.results.map((result, place) =>
      showResult(result, place, transfers[place]?.memo),
    )
    const done = batch.results.filter(({ status }) => status === 'done').length
    const counts = { done, refused: results.length - done }
    return {
      status: 200,
      body: { id: batch.id, atomic, counts, results },
      headers: replayHeaders(batch.replayed),
    }
  },
)

function showResult(
  result: Batch['results'][number],
  place: number,
  memo: string | undefined,
): z.output<typeof batchBody>['results'][number] {
  const { status } = result
  if (status === 'done') {
    return {
      index: place,
      status,
      transfer: showPayment(toPayment(result.operation, result.fee, memo)),
    }
  }
  const { code } = result
  return { index: place, status, code, title: problemKinds[code].title }
}

export const batchRoutes = [postBatch]
