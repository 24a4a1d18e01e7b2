import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { listRefunds, listRefundsOf, type Refund, readRefund } from '../flows/read-refunds.ts'
import { refundPayment } from '../flows/refund-payment.ts'
import { pageOf, pageQuery, toBounds, toPage } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import {
  amountInput,
  amountOutput,
  replayHeader,
  replayHeaders,
  text,
  time,
  uuid,
} from '../http/schemas.ts'

const tags = ['Refunds'] as const

const reasonLengthMax = 200

const refundBody = z
  .object({
    id: uuid,
    transfer_id: uuid.nullable().meta({ description: 'The payment or capture it gives back' }),
    from_wallet_id: uuid.meta({ description: 'The wallet that was paid' }),
    to_wallet_id: uuid.meta({ description: 'The wallet that had paid' }),
    amount: amountOutput,
    fee_refunded: amountOutput.optional().meta({
      description: 'What of the fee went back with it, to whoever had borne it',
    }),
    currency: z.string(),
    reason: z.string().nullable(),
    created_at: time,
  })
  .meta({ id: 'Refund' })

function showRefund(refund: Refund): z.output<typeof refundBody> {
  return {
    id: refund.id,
    transfer_id: refund.transferId,
    from_wallet_id: refund.fromWalletId,
    to_wallet_id: refund.toWalletId,
    amount: showAmount(refund.amountMinor, refund.currency),
    ...(refund.feeRefundedMinor > 0n
      ? { fee_refunded: showAmount(refund.feeRefundedMinor, refund.currency) }
      : {}),
    currency: refund.currency,
    reason: refund.reason,
    created_at: showLedgerTime(refund.timestamp),
  }
}

const params = z.object({ id: uuid })

const postRefund = defineRoute(
  {
    method: 'POST',
    path: '/v1/transfers/{id}/refunds',
    summary: 'Give a payment or a capture back',
    description:
      'In full or in parts, which together are never more than what was paid. Only the payee may, and ' +
      'an operator. Without an amount all that is left. A part of the fee goes back with it when its ' +
      'schedule says so.',
    tags,
    caller: ['customer', 'operator'],
    params,
    body: z.strictObject({
      amount: amountInput.optional(),
      reason: text(reasonLengthMax).optional().meta({ description: 'Both sides see it' }),
    }),
    idempotent: true,
    responses: { 201: { description: 'It has happened', body: refundBody, headers: replayHeader } },
    refusals: [
      'transfer_not_found',
      'exchange_not_refundable',
      'not_the_payee',
      'amount_malformed',
      'amount_not_positive',
      'amount_too_precise',
      'amount_too_large',
      'refund_too_large',
      'insufficient_funds',
      'wallet_closed',
      'recipient_closed',
      'declined',
      'idempotency_key_reused',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, params, body, idempotencyKey }) => {
    const { refund, replayed } = await refundPayment(deps, caller, params.id, body, idempotencyKey)
    return {
      status: 201,
      body: showRefund(refund),
      headers: { Location: `/v1/refunds/${refund.id}`, ...replayHeaders(replayed) },
    }
  },
)

const getRefundsOf = defineRoute(
  {
    method: 'GET',
    path: '/v1/transfers/{id}/refunds',
    summary: 'What was given back of a payment or a capture, newest first',
    tags,
    caller: ['customer', 'operator'],
    params,
    query: z.strictObject(pageQuery),
    responses: {
      200: {
        description: 'A page of it, from the ledger',
        body: pageOf(refundBody).extend({
          refundable: amountOutput.meta({ description: 'What is left to refund' }),
          currency: z.string(),
        }),
      },
    },
    refusals: [
      'transfer_not_found',
      'exchange_not_refundable',
      'invalid_cursor',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, params, query }) => {
    const found = await listRefundsOf(deps, caller, params.id, toBounds(query))
    const { refunds, refundableMinor, currency } = found
    const refundable = showAmount(refundableMinor, currency)
    return {
      status: 200,
      body: { ...toPage(refunds, query, showRefund), refundable, currency },
    }
  },
)

const getRefund = defineRoute(
  {
    method: 'GET',
    path: '/v1/refunds/{id}',
    summary: 'A refund that you gave or got',
    tags,
    caller: ['customer', 'operator'],
    params,
    responses: { 200: { description: 'The refund', body: refundBody } },
    refusals: ['refund_not_found', 'ledger_unavailable'],
  },
  async (deps, { caller, params }) => ({
    status: 200,
    body: showRefund(await readRefund(deps, caller, params.id)),
  }),
)

const getRefunds = defineRoute(
  {
    method: 'GET',
    path: '/v1/refunds',
    summary: 'Refunds that you gave or got, newest first',
    tags,
    caller: 'customer',
    query: z.strictObject({
      ...pageQuery,
      side: z
        .enum(['payer', 'payee', 'both'])
        .default('both')
        .meta({ description: 'Of what you had paid, of what you were paid, or both' }),
    }),
    responses: {
      200: {
        description: 'A page of them; each is read from the ledger',
        body: pageOf(refundBody).extend({
          as_of: time.meta({ description: 'Refunds from before this moment are in the list' }),
        }),
      },
    },
    refusals: ['invalid_cursor', 'ledger_unavailable'],
  },
  async (deps, { caller, query }) => {
    const { refunds, asOf } = await listRefunds(deps, caller, {
      ...toBounds(query),
      side: query.side,
    })
    return {
      status: 200,
      body: { ...toPage(refunds, query, showRefund), as_of: asOf.toISOString() },
    }
  },
)

export const refundRoutes = [postRefund, getRefundsOf, getRefunds, getRefund]
