import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { readPayment } from '../flows/read-payment.ts'
import { type Payment, send } from '../flows/send.ts'
import {
  hasOneRecipient,
  oneRecipient,
  payFields,
  payRefusals,
  toPayInput,
} from '../http/pay-input.ts'
import { defineRoute } from '../http/route.ts'
import { amountOutput, replayHeader, replayHeaders, time, uuid } from '../http/schemas.ts'

const tags = ['Transfers'] as const

export const transferBody = z
  .object({
    id: uuid,
    kind: z
      .enum(['payment', 'capture'])
      .meta({ description: 'Paid at once, or by the capture of a hold' }),
    from_wallet_id: uuid,
    to_wallet_id: uuid,
    amount: amountOutput,
    currency: z.string(),
    memo: z.string().nullable(),
    hold_id: uuid.optional().meta({ description: 'Of a capture' }),
    refunded: amountOutput
      .optional()
      .meta({ description: 'How much of it was given back. Left out when it is nothing' }),
    created_at: time,
  })
  .meta({ id: 'Transfer' })

/** A payment as JSON. */
export function showPayment(payment: Payment): z.output<typeof transferBody> {
  return {
    id: payment.id,
    kind: 'payment',
    from_wallet_id: payment.fromWalletId,
    to_wallet_id: payment.toWalletId,
    amount: showAmount(payment.amountMinor, payment.currency),
    currency: payment.currency,
    memo: payment.memo,
    created_at: showLedgerTime(payment.timestamp),
  }
}

const postTransfer = defineRoute(
  {
    method: 'POST',
    path: '/v1/transfers',
    summary: 'Pay someone',
    description:
      'Moves money from one of your wallets to another wallet of the same currency, at once. With an ' +
      'Idempotency-Key the same request can be sent again and pays once; without one nothing is ' +
      'promised for a retry.',
    tags,
    caller: 'customer',
    body: z.strictObject(payFields).refine(hasOneRecipient, oneRecipient),
    idempotent: true,
    responses: {
      201: { description: 'It has happened', body: transferBody, headers: replayHeader },
    },
    refusals: payRefusals,
  },
  async (deps, { caller, body, idempotencyKey }) => {
    const { payment, replayed } = await send(deps, caller, toPayInput(body), idempotencyKey)
    return {
      status: 201,
      body: showPayment(payment),
      headers: { Location: `/v1/transfers/${payment.id}`, ...replayHeaders(replayed) },
    }
  },
)

const getTransfer = defineRoute(
  {
    method: 'GET',
    path: '/v1/transfers/{id}',
    summary: 'A payment or a capture that you sent or received',
    tags,
    caller: 'customer',
    params: z.object({ id: uuid }),
    responses: { 200: { description: 'The transfer', body: transferBody } },
    refusals: ['transfer_not_found', 'ledger_unavailable'],
  },
  async (deps, { caller, params }) => {
    const { kind, holdId, refundedMinor, ...payment } = await readPayment(deps, caller, params.id)
    const refunded = showAmount(refundedMinor, payment.currency)
    return {
      status: 200,
      body: {
        ...showPayment(payment),
        kind,
        ...(holdId === undefined ? {} : { hold_id: holdId }),
        ...(refundedMinor > 0n ? { refunded } : {}),
      },
    }
  },
)

export const transferRoutes = [postTransfer, getTransfer]
