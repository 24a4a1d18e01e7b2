import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { accept, cancel, decline } from '../flows/answer-request.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import {
  type DescribedRequest,
  findRequest,
  listRequests,
  requestPayment,
} from '../flows/payment-requests.ts'
import { pageOf, pageQuery, toBounds, toPage } from '../http/paging.ts'
import { memoInput } from '../http/pay-input.ts'
import { defineRoute } from '../http/route.ts'
import {
  amountInput,
  amountOutput,
  expiresInInput,
  partyFields,
  replayHeader,
  replayHeaders,
  time,
  uuid,
  walletName,
} from '../http/schemas.ts'
import { showPayment, transferBody } from './transfers.ts'

const tags = ['Payment requests'] as const

const states = ['open', 'accepted', 'declined', 'cancelled', 'expired'] as const

const requestBody = z
  .object({
    id: uuid,
    state: z.enum(states).meta({ description: 'As the ledger has it at this moment' }),
    requester: z.object(partyFields),
    payer: z.object(partyFields),
    to_wallet_id: uuid,
    amount: amountOutput,
    currency: z.string(),
    memo: z.string().nullable(),
    transfer_id: uuid
      .nullable()
      .meta({ description: 'The payment by which it was accepted; null before' }),
    expires_at: time,
    created_at: time,
  })
  .meta({ id: 'PaymentRequest' })

function showRequest(request: DescribedRequest): z.output<typeof requestBody> {
  return {
    id: request.id,
    state: request.state,
    requester: request.requester,
    payer: request.payer,
    to_wallet_id: request.toWalletId,
    amount: showAmount(request.amountMinor, request.currency),
    currency: request.currency,
    memo: request.memo,
    transfer_id: request.paymentId,
    expires_at: showLedgerTime(request.deadline),
    created_at: showLedgerTime(request.timestamp),
  }
}

const params = z.object({ id: uuid })

const postRequest = defineRoute(
  {
    method: 'POST',
    path: '/v1/payment-requests',
    summary: 'Ask somebody for money',
    description:
      'No money moves until the other accepts, which can be done once, until it ends. How many requests ' +
      'to the same person can be open is limited.',
    tags,
    caller: 'customer',
    body: z.strictObject({
      from_username: z.string().min(1).max(64).meta({ description: 'Who shall pay' }),
      to_wallet_id: walletName.meta({ description: 'One of your wallets (id or number)' }),
      amount: amountInput.meta({ description: 'In the currency of the wallet' }),
      memo: memoInput.optional().meta({ description: 'Both sides see it, also with the payment' }),
      expires_in: expiresInInput,
    }),
    idempotent: true,
    responses: { 201: { description: 'It is open', body: requestBody, headers: replayHeader } },
    refusals: [
      'payer_not_found',
      'own_account',
      'requester_blocked',
      'too_many_requests_open',
      'wallet_not_found',
      'wallet_number_mistyped',
      'wallet_closed',
      'amount_malformed',
      'amount_not_positive',
      'amount_too_precise',
      'amount_too_large',
      'declined',
      'abandoned',
      'idempotency_key_reused',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, body, idempotencyKey }) => {
    const input = {
      fromUsername: body.from_username.toLowerCase(),
      toWallet: body.to_wallet_id,
      amount: body.amount,
      memo: body.memo,
      expiresInSeconds: body.expires_in,
    }
    const { request, replayed } = await requestPayment(deps, caller, input, idempotencyKey)
    return {
      status: 201,
      body: showRequest(request),
      headers: { Location: `/v1/payment-requests/${request.id}`, ...replayHeaders(replayed) },
    }
  },
)

const getRequests = defineRoute(
  {
    method: 'GET',
    path: '/v1/payment-requests',
    summary: 'Requests that you made or that you are asked to pay, newest first',
    tags,
    caller: 'customer',
    query: z.strictObject({
      ...pageQuery,
      side: z
        .enum(['requester', 'payer', 'both'])
        .default('both')
        .meta({ description: 'Those you made, those you are asked to pay, or both' }),
      status: z.enum(states).optional(),
    }),
    responses: {
      200: {
        description: 'A page of them; each is read from the ledger',
        body: pageOf(requestBody).extend({
          as_of: time.meta({ description: 'Requests made before this moment are in the list' }),
        }),
      },
    },
    refusals: ['invalid_cursor', 'ledger_unavailable'],
  },
  async (deps, { caller, query }) => {
    const { side, status } = query
    const filter = { ...toBounds(query), side, status }
    const { requests, asOf } = await listRequests(deps, caller, filter)
    const page = toPage(requests, query, showRequest)
    return { status: 200, body: { ...page, as_of: asOf.toISOString() } }
  },
)

const getRequest = defineRoute(
  {
    method: 'GET',
    path: '/v1/payment-requests/{id}',
    summary: 'A request that you made or that you are asked to pay',
    tags,
    caller: 'customer',
    params,
    responses: { 200: { description: 'The request', body: requestBody } },
    refusals: ['payment_request_not_found', 'ledger_unavailable'],
  },
  async (deps, { caller, params }) => ({
    status: 200,
    body: showRequest(await findRequest(deps, caller, params.id)),
  }),
)

const postAccept = defineRoute(
  {
    method: 'POST',
    path: '/v1/payment-requests/{id}/accept',
    summary: 'Pay what you are asked for',
    description:
      'Only the one who is asked may. It pays once: accepting again answers the same payment. Without ' +
      'enough money the request stays open.',
    tags,
    caller: 'customer',
    params,
    body: z.strictObject({
      from_wallet_id: walletName.optional().meta({
        description: 'One of your wallets (id or number); may be left out when just one fits',
      }),
    }),
    responses: { 201: { description: 'It is paid', body: transferBody, headers: replayHeader } },
    refusals: [
      'payment_request_not_found',
      'not_the_payer',
      'payment_request_declined',
      'payment_request_cancelled',
      'payment_request_expired',
      'wallet_not_found',
      'wallet_number_mistyped',
      'wallet_ambiguous',
      'wallet_closed',
      'currency_mismatch',
      'insufficient_funds',
      'limit_exceeded',
      'recipient_not_found',
      'recipient_closed',
      'amount_too_large',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, params, body }) => {
    const { payment, replayed } = await accept(deps, caller, params.id, body.from_wallet_id)
    return {
      status: 201,
      body: showPayment(payment),
      headers: { Location: `/v1/transfers/${payment.id}`, ...replayHeaders(replayed) },
    }
  },
)

const postDecline = defineRoute(
  {
    method: 'POST',
    path: '/v1/payment-requests/{id}/decline',
    summary: 'Refuse to pay what you are asked for',
    description: 'Only the one who is asked may. Repeating it answers the same.',
    tags,
    caller: 'customer',
    params,
    responses: { 200: { description: 'It is declined', body: requestBody } },
    refusals: [
      'payment_request_not_found',
      'not_the_payer',
      'payment_request_accepted',
      'payment_request_cancelled',
      'payment_request_expired',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, params }) => ({
    status: 200,
    body: showRequest(await decline(deps, caller, params.id)),
  }),
)

const postCancel = defineRoute(
  {
    method: 'POST',
    path: '/v1/payment-requests/{id}/cancel',
    summary: 'Take back a request that you made',
    description: 'Repeating it answers the same.',
    tags,
    caller: 'customer',
    params,
    responses: { 200: { description: 'It is cancelled', body: requestBody } },
    refusals: [
      'payment_request_not_found',
      'not_the_requester',
      'payment_request_accepted',
      'payment_request_declined',
      'payment_request_expired',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, params }) => ({
    status: 200,
    body: showRequest(await cancel(deps, caller, params.id)),
  }),
)

export const paymentRequestRoutes = [
  postRequest,
  getRequests,
  getRequest,
  postAccept,
  postDecline,
  postCancel,
]
