import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { listReversals, type Reversal } from '../flows/reversals-read.ts'
import { reverseDeposit } from '../flows/reverse-deposit.ts'
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

const tags = ['Charge-backs'] as const

const reversalBody = z
  .object({
    id: uuid,
    deposit_id: uuid,
    amount: amountOutput.meta({ description: 'What was taken back' }),
    from_wallet: amountOutput.meta({ description: 'What of it the wallet gave' }),
    owed: amountOutput.meta({ description: 'What of it the owner of the wallet was left owing' }),
    currency: z.string(),
    reason: z.string().nullable(),
    reference: z.string().nullable(),
    created_at: time,
  })
  .meta({ id: 'Reversal' })

function showReversal(reversal: Reversal): z.output<typeof reversalBody> {
  const show = (minor: bigint) => showAmount(minor, reversal.currency)
  return {
    id: reversal.id,
    deposit_id: reversal.depositId,
    amount: show(reversal.amountMinor),
    from_wallet: show(reversal.fromWalletMinor),
    owed: show(reversal.owedMinor),
    currency: reversal.currency,
    reason: reversal.reason,
    reference: reversal.reference,
    created_at: showLedgerTime(reversal.timestamp),
  }
}

const params = z.object({ id: uuid })

const postReversal = defineRoute(
  {
    method: 'POST',
    path: '/v1/deposits/{id}/reversals',
    summary: 'Take one of your deposits back',
    description:
      'The wallet gives what is available, also when it is frozen; its owner owes the rest, which later ' +
      'deposits pay first. The reference alone decides whether this is a new reversal; one that was ' +
      'declined can be sent again. All reversals together are never more than the deposit.',
    tags,
    caller: 'payment_system',
    params,
    body: z.strictObject({
      amount: amountInput
        .optional()
        .meta({ description: 'All that is left of the deposit when it is left out' }),
      reason: text(500).meta({ description: 'Shown to the owner of the wallet' }),
      reference: text(255).meta({ description: "The reversal's own id in your system" }),
    }),
    responses: {
      201: { description: 'It is booked', body: reversalBody, headers: replayHeader },
    },
    refusals: [
      'deposit_not_found',
      'amount_malformed',
      'amount_not_positive',
      'amount_too_precise',
      'amount_too_large',
      'reversal_too_large',
      'deposit_in_suspense',
      'suspense_returned',
      'suspense_paid_out',
      'payout_capacity_exceeded',
      'reference_reused',
      'outcome_unknown',
      'ledger_unavailable',
      'busy',
    ],
  },
  async (deps, { caller, params, body }) => {
    const { reversal, replayed } = await reverseDeposit(deps, caller, params.id, body)
    return { status: 201, body: showReversal(reversal), headers: replayHeaders(replayed) }
  },
)

const getReversals = defineRoute(
  {
    method: 'GET',
    path: '/v1/deposits/{id}/reversals',
    summary: 'What was taken back of one of your deposits, newest first',
    tags,
    caller: 'payment_system',
    params,
    query: z.strictObject(pageQuery),
    responses: { 200: { description: 'A page of them', body: pageOf(reversalBody) } },
    refusals: ['deposit_not_found', 'invalid_cursor', 'ledger_unavailable'],
  },
  async (deps, { caller, params, query }) => {
    const reversals = await listReversals(deps, caller, params.id, toBounds(query))
    return { status: 200, body: toPage(reversals, query, showReversal) }
  },
)

export const reversalRoutes = [postReversal, getReversals]
