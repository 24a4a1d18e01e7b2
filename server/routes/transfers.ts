import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { type Payment, readPayment, send } from '../flows/send.ts'
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

const tags = ['Transfers'] as const

export const memoInput = text(200)

const transferBody = z
  .object({
    id: uuid,
    kind: z.literal('payment'),
    from_wallet_id: uuid,
    to_wallet_id: uuid,
    amount: amountOutput,
    currency: z.string(),
    memo: z.string().nullable(),
    created_at: time,
  })
  .meta({ id: 'Transfer' })

function showPayment(payment: Payment): z.output<typeof transferBody> {
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

const input = z
  .strictObject({
    from_wallet_id: walletName.optional().meta({
      description: 'One of your wallets (id or number); may be left out when just one fits',
    }),
    to_wallet_id: walletName.optional(),
    to_username: z.string().min(1).max(64).optional(),
    amount: amountInput,
    currency: currencyInput.optional(),
    memo: memoInput.optional().meta({ description: 'Both sides see it' }),
  })
  .refine((body) => (body.to_wallet_id === undefined) !== (body.to_username === undefined), {
    path: ['to_wallet_id'],
    message: 'give either to_wallet_id or to_username',
  })

/** What paying someone may refuse. */
export const transferRefusals = [
  'amount_malformed',
  'amount_not_positive',
  'amount_too_precise',
  'amount_too_large',
  'currency_not_supported',
  'currency_mismatch',
  'wallet_not_found',
  'wallet_number_mistyped',
  'wallet_ambiguous',
  'wallet_closed',
  'recipient_not_found',
  'recipient_closed',
  'same_wallet',
  'insufficient_funds',
  'declined',
  'idempotency_key_reused',
  'outcome_unknown',
  'ledger_unavailable',
] as const

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
    body: input,
    idempotent: true,
    responses: {
      201: { description: 'It has happened', body: transferBody, headers: replayHeader },
    },
    refusals: transferRefusals,
  },
  async (deps, { caller, body, idempotencyKey }) => {
    const { payment, replayed } = await send(
      deps,
      caller,
      {
        fromWalletId: body.from_wallet_id,
        to:
          body.to_wallet_id === undefined
            ? { kind: 'username', username: (body.to_username ?? '').toLowerCase() }
            : { kind: 'wallet', wallet: body.to_wallet_id },
        amount: body.amount,
        currency: body.currency,
        memo: body.memo,
      },
      idempotencyKey,
    )
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
    summary: 'A transfer that you sent or received',
    tags,
    caller: 'customer',
    params: z.object({ id: uuid }),
    responses: { 200: { description: 'The transfer', body: transferBody } },
    refusals: ['transfer_not_found', 'ledger_unavailable'],
  },
  async (deps, { caller, params }) => ({
    status: 200,
    body: showPayment(await readPayment(deps, caller, params.id)),
  }),
)

export const transferRoutes = [postTransfer, getTransfer]
