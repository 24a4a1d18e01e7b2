import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { showFee } from '../flows/fees.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { previewPayment } from '../flows/preview-payment.ts'
import { readPayment } from '../flows/read-payment.ts'
import { type Payment, send } from '../flows/send.ts'
import {
  hasOneRecipient,
  oneRecipient,
  payFields,
  payRefusals,
  previewRefusals,
  toPayInput,
} from '../http/pay-input.ts'
import { defineRoute } from '../http/route.ts'
import {
  amountOutput,
  feeOutput,
  replayHeader,
  replayHeaders,
  time,
  uuid,
} from '../http/schemas.ts'

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
    fee: feeOutput.optional().meta({ description: 'What it cost, if anything' }),
    arrived: amountOutput.optional().meta({
      description: 'What the recipient got, who has borne the fee. Else it is the amount',
    }),
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
    ...showFee(payment.fee, payment.currency),
    ...showArrived(payment),
    currency: payment.currency,
    memo: payment.memo,
    created_at: showLedgerTime(payment.timestamp),
  }
}

function showArrived({ amountMinor, fee, currency }: Payment): { arrived?: string } {
  if (fee?.bearer !== 'recipient') return {}
  return { arrived: showAmount(amountMinor - fee.amountMinor, currency) }
}

const transferInput = z.strictObject(payFields).refine(hasOneRecipient, oneRecipient)

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
    body: transferInput,
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

const previewBody = z
  .object({
    amount: amountOutput,
    fee: feeOutput.optional().meta({ description: 'What it would cost, if anything' }),
    total: amountOutput.meta({ description: 'What would leave your wallet' }),
    arrives: amountOutput.meta({ description: 'What the recipient would get' }),
    currency: z.string(),
  })
  .meta({ id: 'TransferPreview' })

const postPreview = defineRoute(
  {
    method: 'POST',
    path: '/v1/transfers/preview',
    summary: 'What paying someone would cost',
    description:
      'Takes the body of POST /v1/transfers, moves nothing and keeps nothing. It refuses what paying ' +
      'would refuse before the ledger is asked; whether there is enough money only the payment tells.',
    tags,
    caller: 'customer',
    body: transferInput,
    responses: { 200: { description: 'By the fees in force now', body: previewBody } },
    refusals: previewRefusals,
  },
  async (deps, { caller, body }) => {
    const preview = await previewPayment(deps, caller, toPayInput(body))
    const { currency } = preview
    return {
      status: 200,
      body: {
        amount: showAmount(preview.amountMinor, currency),
        ...showFee(preview.fee, currency),
        total: showAmount(preview.totalMinor, currency),
        arrives: showAmount(preview.arrivesMinor, currency),
        currency,
      },
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

export const transferRoutes = [postTransfer, postPreview, getTransfer]
