import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import {
  assign,
  findSuspense,
  giveBack,
  listSuspense,
  type SuspenseItem,
} from '../flows/suspense.ts'
import { pageOf, pageQuery, toBounds, toPage } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import { amountOutput, reasonFields, time, uuid, walletName } from '../http/schemas.ts'
import { showSuspenseState, suspenseFields, suspenseStates } from './deposits.ts'

const suspenseBody = z
  .object({
    id: uuid.meta({ description: 'Of the deposit' }),
    ...suspenseFields,
    reason: z
      .string()
      .nullable()
      .meta({
        description:
          'Why it could not be credited: limit_exceeded (more than the payment system may bring in), ' +
          'recipient_closed, wallet_not_found, wallet_number_mistyped or currency_mismatch',
      }),
    amount: amountOutput,
    currency: z.string(),
    payment_system: z.object({ id: uuid, name: z.string() }).nullable(),
    reference: z.string().nullable(),
    sender: z.string().nullable(),
    details: z.string().nullable(),
    occurred_at: time.nullable(),
    created_at: time,
  })
  .meta({ id: 'Suspense' })

function showSuspense(item: SuspenseItem): z.output<typeof suspenseBody> {
  return {
    id: item.id,
    ...showSuspenseState(item.suspense),
    reason: item.reason,
    amount: showAmount(item.amountMinor, item.currency),
    currency: item.currency,
    payment_system: item.paymentSystem,
    reference: item.reference,
    sender: item.sender,
    details: item.details,
    occurred_at: item.occurredAt === null ? null : showLedgerTime(item.occurredAt),
    created_at: showLedgerTime(item.timestamp),
  }
}

const common = { tags: ['Suspense'], caller: 'operator' } as const
const one = { ...common, params: z.object({ id: uuid }) } as const

const getAllSuspense = defineRoute(
  {
    ...common,
    method: 'GET',
    path: '/v1/suspense',
    summary: 'Money that is or was in suspense, newest first',
    query: z.strictObject({ ...pageQuery, status: z.enum(suspenseStates).optional() }),
    responses: {
      200: {
        description: 'A page; each is read from the ledger',
        body: pageOf(suspenseBody).extend({
          as_of: time.meta({ description: 'What came before this moment is in the list' }),
        }),
      },
    },
    refusals: ['invalid_cursor', 'ledger_unavailable'],
  },
  async (deps, { query }) => {
    const { status } = query
    const { items, asOf } = await listSuspense(deps, { ...toBounds(query), status })
    const page = toPage(items, query, showSuspense)
    return { status: 200, body: { ...page, as_of: asOf.toISOString() } }
  },
)

const getSuspense = defineRoute(
  {
    ...one,
    method: 'GET',
    path: '/v1/suspense/{id}',
    summary: 'Money that is or was in suspense, by the id of its deposit',
    responses: { 200: { description: 'How it stands', body: suspenseBody } },
    refusals: ['suspense_not_found', 'ledger_unavailable'],
  },
  async (deps, { params }) => ({
    status: 200,
    body: showSuspense(await findSuspense(deps, params.id)),
  }),
)

const postAssign = defineRoute(
  {
    ...one,
    method: 'POST',
    path: '/v1/suspense/{id}/assign',
    summary: 'Credit money in suspense to the wallet it is for',
    description:
      'It pays first what the owner of the wallet owes. It is assigned or returned once; repeating it ' +
      'answers the same.',
    body: z.strictObject({ wallet_id: walletName, ...reasonFields }),
    responses: { 200: { description: 'It is assigned', body: suspenseBody } },
    refusals: [
      'suspense_not_found',
      'suspense_assigned',
      'suspense_returned',
      'suspense_paid_out',
      'wallet_not_found',
      'wallet_number_mistyped',
      'currency_mismatch',
      'recipient_closed',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { params, body }) => ({
    status: 200,
    body: showSuspense(await assign(deps, params.id, body.wallet_id)),
  }),
)

const postReturn = defineRoute(
  {
    ...one,
    method: 'POST',
    path: '/v1/suspense/{id}/return',
    summary: 'Return money in suspense to where it came from',
    description: 'It is assigned or returned once; repeating it answers the same.',
    body: z.strictObject(reasonFields),
    responses: { 200: { description: 'It is returned', body: suspenseBody } },
    refusals: [
      'suspense_not_found',
      'suspense_assigned',
      'suspense_paid_out',
      'payout_capacity_exceeded',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { params }) => ({
    status: 200,
    body: showSuspense(await giveBack(deps, params.id)),
  }),
)

export const suspenseRoutes = [getAllSuspense, getSuspense, postAssign, postReturn]
