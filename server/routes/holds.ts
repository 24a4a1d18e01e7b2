import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { showFee } from '../flows/fees.ts'
import {
  capture,
  type DescribedHold,
  findHold,
  listHolds,
  placeHold,
  releaseHold,
} from '../flows/holds.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { pageOf, pageQuery, toBounds, toPage } from '../http/paging.ts'
import {
  hasOneRecipient,
  oneRecipient,
  payFields,
  payRefusals,
  toPayInput,
} from '../http/pay-input.ts'
import { defineRoute } from '../http/route.ts'
import {
  amountInput,
  amountOutput,
  expiresInInput,
  feeOutput,
  replayHeader,
  replayHeaders,
  time,
  uuid,
} from '../http/schemas.ts'

const tags = ['Holds'] as const

const states = ['open', 'captured', 'voided', 'expired'] as const

const holdBody = z
  .object({
    id: uuid,
    state: z.enum(states).meta({ description: 'As the ledger has it at this moment' }),
    from_wallet_id: uuid,
    to_wallet_id: uuid,
    amount: amountOutput.meta({ description: 'What was authorised' }),
    captured: amountOutput.meta({ description: 'What the payee has taken so far' }),
    held: amountOutput.meta({ description: 'What the payee may still take' }),
    currency: z.string(),
    memo: z.string().nullable(),
    expires_at: time,
    created_at: time,
  })
  .meta({ id: 'Hold' })

function showHold(hold: DescribedHold): z.output<typeof holdBody> {
  const show = (minor: bigint) => showAmount(minor, hold.currency)
  return {
    id: hold.id,
    state: hold.state,
    from_wallet_id: hold.payerWalletId,
    to_wallet_id: hold.payeeWalletId,
    amount: show(hold.amountMinor),
    captured: show(hold.capturedMinor),
    held: show(hold.heldMinor),
    currency: hold.currency,
    memo: hold.memo,
    expires_at: showLedgerTime(hold.deadline),
    created_at: showLedgerTime(hold.timestamp),
  }
}

const params = z.object({ id: uuid })

const postHold = defineRoute(
  {
    method: 'POST',
    path: '/v1/holds',
    summary: 'Authorise a payment',
    description:
      'Reserves money for a payee, who captures it (in parts, too) or gives it back. What is available ' +
      'to you falls at once; your posted balance falls only when it is captured.',
    tags,
    caller: 'customer',
    body: z
      .strictObject({
        ...payFields,
        expires_in: expiresInInput,
      })
      .refine(hasOneRecipient, oneRecipient),
    idempotent: true,
    responses: { 201: { description: 'It is held', body: holdBody, headers: replayHeader } },
    refusals: payRefusals,
  },
  async (deps, { caller, body, idempotencyKey }) => {
    const input = { ...toPayInput(body), expiresInSeconds: body.expires_in }
    const { hold, replayed } = await placeHold(deps, caller, input, idempotencyKey)
    return {
      status: 201,
      body: showHold(hold),
      headers: { Location: `/v1/holds/${hold.id}`, ...replayHeaders(replayed) },
    }
  },
)

const getHold = defineRoute(
  {
    method: 'GET',
    path: '/v1/holds/{id}',
    summary: 'A hold that you placed or may capture; any one for an operator',
    tags,
    caller: ['customer', 'operator'],
    params,
    responses: { 200: { description: 'The hold', body: holdBody } },
    refusals: ['hold_not_found', 'ledger_unavailable'],
  },
  async (deps, { caller, params }) => ({
    status: 200,
    body: showHold(await findHold(deps, caller, params.id)),
  }),
)

const getHolds = defineRoute(
  {
    method: 'GET',
    path: '/v1/holds',
    summary: 'Holds that you placed or may capture, newest first',
    tags,
    caller: 'customer',
    query: z.strictObject({
      ...pageQuery,
      side: z
        .enum(['payer', 'payee', 'both'])
        .default('both')
        .meta({ description: 'Those you placed, those you may capture, or both' }),
      status: z.enum(states).optional(),
    }),
    responses: {
      200: {
        description: 'A page of them; each is read from the ledger',
        body: pageOf(holdBody).extend({
          as_of: time.meta({ description: 'Holds placed before this moment are in the list' }),
        }),
      },
    },
    refusals: ['invalid_cursor', 'ledger_unavailable'],
  },
  async (deps, { caller, query }) => {
    const { side, status } = query
    const { holds, asOf } = await listHolds(deps, caller, { ...toBounds(query), side, status })
    return { status: 200, body: { ...toPage(holds, query, showHold), as_of: asOf.toISOString() } }
  },
)

const captureBody = z
  .object({
    id: uuid,
    amount: amountOutput,
    fee: feeOutput.optional().meta({ description: 'What you paid for it, if anything' }),
    currency: z.string(),
    created_at: time,
    hold: holdBody,
  })
  .meta({ id: 'Capture' })

const postCapture = defineRoute(
  {
    method: 'POST',
    path: '/v1/holds/{id}/capture',
    summary: 'Take money that is held for you',
    description:
      'Without an amount all of it. After a part the rest goes back to the payer, or with `final` ' +
      'false stays held until the original deadline; such a part is at least 1 % of the hold.',
    tags,
    caller: 'customer',
    params,
    body: z.strictObject({ amount: amountInput.optional(), final: z.boolean().default(true) }),
    idempotent: true,
    responses: { 201: { description: 'It is yours', body: captureBody, headers: replayHeader } },
    refusals: [
      'hold_not_found',
      'not_the_payee',
      'hold_captured',
      'hold_voided',
      'hold_expired',
      'capture_too_large',
      'capture_too_small',
      'amount_malformed',
      'amount_not_positive',
      'amount_too_precise',
      'amount_too_large',
      'wallet_closed',
      'payer_closed',
      'declined',
      'abandoned',
      'idempotency_key_reused',
      'outcome_unknown',
      'ledger_unavailable',
      'busy',
    ],
  },
  async (deps, { caller, params, body, idempotencyKey }) => {
    const input = { amount: body.amount, isFinal: body.final }
    const captured = await capture(deps, caller, params.id, input, idempotencyKey)
    const { currency } = captured.hold
    return {
      status: 201,
      body: {
        id: captured.id,
        amount: showAmount(captured.amountMinor, currency),
        ...showFee(captured.fee, currency),
        currency,
        created_at: showLedgerTime(captured.timestamp),
        hold: showHold(captured.hold),
      },
      headers: replayHeaders(captured.replayed),
    }
  },
)

const postVoid = defineRoute(
  {
    method: 'POST',
    path: '/v1/holds/{id}/void',
    summary: 'Give held money back to the payer',
    description: 'Only the payee may. Repeating it answers the same.',
    tags,
    caller: 'customer',
    params,
    responses: { 200: { description: 'It went back', body: holdBody } },
    refusals: [
      'hold_not_found',
      'not_the_payee',
      'hold_captured',
      'hold_expired',
      'outcome_unknown',
      'ledger_unavailable',
      'busy',
    ],
  },
  async (deps, { caller, params }) => ({
    status: 200,
    body: showHold(await releaseHold(deps, caller, params.id)),
  }),
)

export const holdRoutes = [postHold, getHolds, getHold, postCapture, postVoid]
