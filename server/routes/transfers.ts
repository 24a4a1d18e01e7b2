import { z } from 'zod'
import type { Customer } from '../caller.ts'
import { showAmount } from '../flows/amount.ts'
import { type ExchangePayment, payByQuote, toExchangePayment } from '../flows/exchange.ts'
import { showFee } from '../flows/fees.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import type { PayInput } from '../flows/pay.ts'
import { previewPayment } from '../flows/preview-payment.ts'
import { readPayment } from '../flows/read-payment.ts'
import { type Payment, send } from '../flows/send.ts'
import {
  hasOneRecipient,
  oneRecipient,
  payFields,
  payRefusals,
  previewRefusals,
  quoteRefusals,
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
import { refuseField } from '../refusals.ts'

const tags = ['Transfers'] as const

export const transferBody = z
  .object({
    id: uuid,
    kind: z
      .enum(['payment', 'capture', 'exchange'])
      .meta({ description: 'Paid at once, by the capture of a hold, or into another currency' }),
    from_wallet_id: uuid,
    to_wallet_id: uuid,
    amount: amountOutput,
    fee: feeOutput.optional().meta({ description: 'What it cost, if anything' }),
    arrived: amountOutput.optional().meta({
      description: 'What the recipient got, who has borne the fee. Else it is the amount',
    }),
    currency: z.string(),
    received: z
      .object({ amount: amountOutput, currency: z.string() })
      .optional()
      .meta({ description: 'Of an exchange: what the amount was turned into' }),
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
    fee: showFee(payment.fee, payment.currency).fee,
    arrived: showArrived(payment),
    currency: payment.currency,
    memo: payment.memo,
    created_at: showLedgerTime(payment.timestamp),
  }
}

function showArrived({ amountMinor, fee, currency }: Payment): string | undefined {
  if (fee?.bearer !== 'recipient') return undefined
  return showAmount(amountMinor - fee.amountMinor, currency)
}

const transferInput = z.strictObject(payFields).refine(hasOneRecipient, oneRecipient)
/** A payment into another currency as JSON. */
function showExchangePayment({ received, ...payment }: ExchangePayment) {
  return { ...showPayment(payment), kind: 'exchange' as const, received: showReceived(received) }
}

const showReceived = ({ amountMinor, currency }: ExchangePayment['received']) => ({
  amount: showAmount(amountMinor, currency),
  currency,
})

/** Either the amount is named, or a quote that has it. */
const hasAmountOrQuote = (
  body: Partial<Record<'amount' | 'currency' | 'quote_id', string | undefined>>,
) =>
  body.quote_id === undefined
    ? body.amount !== undefined
    : body.amount === undefined && body.currency === undefined

const amountOrQuote = {
  path: ['amount'],
  message: 'give an amount, or a quote_id without amount and currency',
}

/** A quote is used once by itself; a key that would not be kept must not look as if it were. */
const refuseKey = () =>
  refuseField({
    in: 'header',
    pointer: 'Idempotency-Key',
    message: 'leave it out with a quote_id: the quote is used once by itself',
  })

type PayDeps = Parameters<typeof send>[0] & Parameters<typeof payByQuote>[0]

async function payAmount(deps: PayDeps, caller: Customer, input: PayInput, key?: string) {
  const { payment, replayed } = await send(deps, caller, input, key)
  return { payment: showPayment(payment), replayed }
}

async function payQuoted(deps: PayDeps, caller: Customer, input: PayInput & { quoteId: string }) {
  const { quoteId, fromWalletId: fromWallet, to, memo } = input
  const { exchange, replayed } = await payByQuote(deps, caller, { quoteId, fromWallet, to, memo })
  return { payment: showExchangePayment(toExchangePayment(exchange, memo)), replayed }
}

const postTransfer = defineRoute(
  {
    method: 'POST',
    path: '/v1/transfers',
    summary: 'Pay someone',
    description:
      'Moves money from one of your wallets to another wallet of the same currency, at once. With an ' +
      'Idempotency-Key the same request can be sent again and pays once; without one nothing is ' +
      'promised for a retry. With a quote it pays a wallet of another currency, once by itself.',
    tags,
    caller: 'customer',
    body: z
      .strictObject({
        ...payFields,
        amount: payFields.amount.optional(),
        quote_id: uuid.optional().meta({
          description:
            'In place of amount and currency: the terms for a wallet of another currency',
        }),
      })
      .refine(hasOneRecipient, oneRecipient)
      .refine(hasAmountOrQuote, amountOrQuote),
    idempotent: true,
    responses: {
      201: { description: 'It has happened', body: transferBody, headers: replayHeader },
    },
    refusals: [...payRefusals, ...quoteRefusals],
  },
  async (deps, { caller, body, idempotencyKey }) => {
    if (body.quote_id !== undefined && idempotencyKey !== undefined) throw refuseKey()
    const { payment, replayed } = await (body.quote_id === undefined
      ? payAmount(deps, caller, toPayInput(body), idempotencyKey)
      : payQuoted(deps, caller, { ...toPayInput(body), quoteId: body.quote_id }))
    return {
      status: 201,
      body: payment,
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
    summary:
      'A payment, a capture or an exchange that you sent or received; any one for an operator',
    tags,
    caller: ['customer', 'operator'],
    params: z.object({ id: uuid }),
    responses: { 200: { description: 'The transfer', body: transferBody } },
    refusals: ['transfer_not_found', 'ledger_unavailable'],
  },
  async (deps, { caller, params }) => {
    const { kind, holdId, received, refundedMinor, ...payment } = await readPayment(
      deps,
      caller,
      params.id,
    )
    const refunded = showAmount(refundedMinor, payment.currency)
    return {
      status: 200,
      body: {
        ...showPayment(payment),
        kind,
        ...(received === undefined ? {} : { received: showReceived(received) }),
        ...(holdId === undefined ? {} : { hold_id: holdId }),
        ...(refundedMinor > 0n ? { refunded } : {}),
      },
    }
  },
)

export const transferRoutes = [postTransfer, postPreview, getTransfer]
