import { z } from 'zod'
import { type Adjustment, adjust, findAdjustment, listAdjustments } from '../flows/adjustments.ts'
import { wasApprovedAtOnce } from '../flows/approvals.ts'
import { pageOf, toBounds, toPage } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import {
  amountInput,
  amountOutput,
  currencyInput,
  replayHeader,
  replayHeaders,
  text,
  time,
  uuid,
  walletName,
} from '../http/schemas.ts'
import { approvalFields, approvalQuery, showApprovalFields } from './approvals.ts'

const common = { tags: ['Treasury'], caller: 'operator' } as const

const referenceLengthMax = 200
const systemNameLengthMax = 100

const told = {
  reason: text(500).meta({ description: 'For operators' }),
  reference: text(referenceLengthMax).optional().meta({
    description: 'Of the bank statement, the invoice...; of a reward the customer sees it',
  }),
}
const money = { amount: amountInput, currency: currencyInput }

/** What the kinds concern besides the house. */
const adjustmentInput = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum([
      'liquidity_funding',
      'liquidity_draining',
      'equity_contribution',
      'equity_withdrawal',
    ]),
    ...money,
    ...told,
  }),
  z.strictObject({
    kind: z.enum(['settlement', 'prefunding', 'payment_system_fee', 'payment_system_income']),
    payment_system: text(systemNameLengthMax).meta({ description: 'Its id or its name' }),
    ...money,
    ...told,
  }),
  z.strictObject({ kind: z.literal('write_off'), user_id: uuid, ...money, ...told }),
  z.strictObject({ kind: z.literal('reward'), wallet_id: walletName, ...money, ...told }),
  z.strictObject({ kind: z.literal('suspense_payout'), deposit_id: uuid, ...told }),
])

const adjustmentKinds = adjustmentInput.options.flatMap(({ shape: { kind } }) =>
  'options' in kind ? kind.options : [kind.value],
)

const adjustmentBody = z
  .object({
    id: uuid,
    kind: z.enum(adjustmentKinds),
    amount: amountOutput,
    currency: z.string(),
    payment_system_id: uuid.nullable(),
    user_id: uuid.nullable(),
    wallet_id: uuid.nullable(),
    deposit_id: uuid.nullable(),
    reference: z.string().nullable(),
    ...approvalFields,
  })
  .meta({ id: 'Adjustment', description: 'It is booked when it is approved' })

function showAdjustment(adjustment: Adjustment): z.output<typeof adjustmentBody> {
  const { id, body } = adjustment
  return {
    id,
    kind: body.kind,
    amount: body.amount,
    currency: body.currency,
    payment_system_id: body.payment_system_id ?? null,
    user_id: body.user_id ?? null,
    wallet_id: body.wallet_id ?? null,
    deposit_id: body.deposit_id ?? null,
    reference: body.reference ?? null,
    ...showApprovalFields(adjustment),
  }
}

const postAdjustment = defineRoute(
  {
    ...common,
    method: 'POST',
    path: '/v1/adjustments',
    summary: "Ask for a booking of the house's own",
    description:
      'One leg, of one of these kinds. With four eyes it is booked when another operator approves it, ' +
      'without at once.',
    body: adjustmentInput,
    idempotent: true,
    responses: {
      201: { description: 'It is booked', body: adjustmentBody, headers: replayHeader },
      202: { description: 'It was asked for', body: adjustmentBody, headers: replayHeader },
    },
    refusals: [
      'amount_malformed',
      'amount_not_positive',
      'amount_too_precise',
      'amount_too_large',
      'currency_not_supported',
      'currency_mismatch',
      'payment_system_not_found',
      'user_not_found',
      'wallet_not_found',
      'wallet_number_mistyped',
      'suspense_not_found',
      'suspense_assigned',
      'suspense_returned',
      'suspense_paid_out',
      'adjustment_exceeds_balance',
      'recipient_closed',
      'declined',
      'idempotency_key_reused',
      'busy',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, body, idempotencyKey }) => {
    const { adjustment, replayed } = await adjust(deps, caller, body, idempotencyKey)
    return {
      status: wasApprovedAtOnce(adjustment) ? 201 : 202,
      body: showAdjustment(adjustment),
      headers: { Location: `/v1/adjustments/${adjustment.id}`, ...replayHeaders(replayed) },
    }
  },
)

const getAdjustments = defineRoute(
  {
    ...common,
    method: 'GET',
    path: '/v1/adjustments',
    summary: 'Adjustments, newest first',
    query: z.strictObject(approvalQuery),
    responses: {
      200: {
        description: 'A page; each is read from the ledger',
        body: pageOf(adjustmentBody).extend({
          as_of: time.meta({ description: 'What was asked for before this moment is in the list' }),
        }),
      },
    },
    refusals: ['invalid_cursor', 'ledger_unavailable'],
  },
  async (deps, { query }) => {
    const { status } = query
    const { adjustments, asOf } = await listAdjustments(deps, { ...toBounds(query), status })
    return {
      status: 200,
      body: { ...toPage(adjustments, query, showAdjustment), as_of: asOf.toISOString() },
    }
  },
)

const getAdjustment = defineRoute(
  {
    ...common,
    method: 'GET',
    path: '/v1/adjustments/{id}',
    summary: 'An adjustment',
    params: z.object({ id: uuid }),
    responses: { 200: { description: 'How it stands', body: adjustmentBody } },
    refusals: ['adjustment_not_found', 'ledger_unavailable'],
  },
  async (deps, { params }) => ({
    status: 200,
    body: showAdjustment(await findAdjustment(deps, params.id)),
  }),
)

export const adjustmentRoutes = [postAdjustment, getAdjustments, getAdjustment]
