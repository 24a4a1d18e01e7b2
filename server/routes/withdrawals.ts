import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { showFee } from '../flows/fees.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { withdraw } from '../flows/withdraw.ts'
import {
  type DescribedWithdrawal,
  findWithdrawal,
  listWithdrawals,
  readPayoutSystems,
} from '../flows/withdrawals.ts'
import { idPageQuery, toIdPage } from '../http/id-paging.ts'
import { pageOf, pageQuery, readMoment, toBounds, toPage } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import {
  amountInput,
  amountOutput,
  currencyInput,
  feeOutput,
  replayHeader,
  replayHeaders,
  text,
  time,
  uuid,
  walletName,
} from '../http/schemas.ts'
import { readSystemCursor, systemNameLengthMax } from './payment-systems.ts'

const tags = ['Withdrawals'] as const

const states = ['requested', 'taken', 'confirmed', 'failed', 'cancelled'] as const

const destinationLengthMax = 500

/** Characters that are not seen could make people read another destination than programs do. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const destinationInput = text(destinationLengthMax)
  .refine((value) => !unseen.test(value), 'has control characters')
  .refine((value) => value.trim() === value, 'begins or ends with white space')

const payoutSystemBody = z.object({ id: uuid, name: z.string() }).meta({ id: 'PayoutSystem' })

export const withdrawalBody = z
  .object({
    id: uuid,
    state: z.enum(states).meta({ description: 'As the ledger has it at this moment' }),
    wallet_id: uuid,
    payment_system: payoutSystemBody.nullable(),
    amount: amountOutput,
    fee: feeOutput
      .optional()
      .meta({ description: 'Reserved, taken or given back with the amount' }),
    currency: z.string(),
    destination_hint: z.string().nullable().meta({
      description: 'Its last four characters, and never more than a quarter of it',
    }),
    destination: z.string().nullable().meta({
      description: 'Only for the payment system, once it has taken the withdrawal',
    }),
    reference: z.string().nullable().meta({ description: "The payment system's, of what it paid" }),
    reason: z.string().nullable().meta({ description: 'Why it has failed' }),
    created_at: time,
    changed_at: time.meta({ description: 'When the state last changed' }),
  })
  .meta({ id: 'Withdrawal' })

/** A withdrawal as JSON. */
export function showWithdrawal(withdrawal: DescribedWithdrawal): z.output<typeof withdrawalBody> {
  const { paymentSystem } = withdrawal
  return {
    id: withdrawal.id,
    state: withdrawal.state,
    wallet_id: withdrawal.walletId,
    payment_system: paymentSystem && { id: paymentSystem.id, name: paymentSystem.name },
    amount: showAmount(withdrawal.amountMinor, withdrawal.currency),
    ...showFee(withdrawal.fee, withdrawal.currency),
    currency: withdrawal.currency,
    destination_hint: withdrawal.destinationHint,
    destination: withdrawal.destination,
    reference: withdrawal.reference,
    reason: withdrawal.reason,
    created_at: showLedgerTime(withdrawal.timestamp),
    changed_at: showLedgerTime(withdrawal.changedAt),
  }
}

const getPayoutSystems = defineRoute(
  {
    method: 'GET',
    path: '/v1/payout-systems',
    summary: 'Payment systems that you can withdraw through',
    tags,
    caller: 'customer',
    query: idPageQuery,
    responses: { 200: { description: 'A page', body: pageOf(payoutSystemBody) } },
    refusals: ['invalid_cursor'],
  },
  async (deps, { query }) => {
    const page = { after: readSystemCursor(query), limit: query.limit + 1 }
    const rows = await readPayoutSystems(deps, page)
    const show = ({ id, name }: (typeof rows)[number]) => ({ id, name })
    return { status: 200, body: toIdPage(rows, query, ({ number }) => number, show) }
  },
)

const postWithdrawal = defineRoute(
  {
    method: 'POST',
    path: '/v1/withdrawals',
    summary: 'Have money paid out',
    description:
      'Reserves money of a wallet for a payment system, which takes the withdrawal, pays it outside ' +
      'and tells what became of it. What is available to you falls at once.',
    tags,
    caller: 'customer',
    body: z.strictObject({
      wallet_id: walletName,
      amount: amountInput,
      currency: currencyInput.optional(),
      payment_system: z
        .union([uuid, text(systemNameLengthMax)])
        .meta({ description: 'Its id, or its name' }),
      destination: destinationInput.meta({
        description: 'What the payment system pays to: an IBAN, a card token... Stored encrypted',
      }),
    }),
    idempotent: true,
    responses: {
      201: { description: 'It is asked for', body: withdrawalBody, headers: replayHeader },
    },
    refusals: [
      'amount_malformed',
      'amount_not_positive',
      'amount_too_precise',
      'amount_too_large',
      'currency_not_supported',
      'currency_mismatch',
      'wallet_not_found',
      'wallet_number_mistyped',
      'wallet_closed',
      'payment_system_not_found',
      'insufficient_funds',
      'limit_exceeded',
      'payout_capacity_exceeded',
      'declined',
      'abandoned',
      'idempotency_key_reused',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, body, idempotencyKey }) => {
    const { wallet_id: wallet, payment_system: paymentSystem, ...what } = body
    const input = { wallet, paymentSystem, ...what }
    const { withdrawal, replayed } = await withdraw(deps, caller, input, idempotencyKey)
    return {
      status: 201,
      body: showWithdrawal(withdrawal),
      headers: { Location: `/v1/withdrawals/${withdrawal.id}`, ...replayHeaders(replayed) },
    }
  },
)

const getWithdrawals = defineRoute(
  {
    method: 'GET',
    path: '/v1/withdrawals',
    summary: 'Withdrawals, newest first',
    description:
      'Your own; for a payment system those through it, of which `status=requested` is the work list; ' +
      'for operators all.',
    tags,
    caller: ['customer', 'payment_system', 'operator'],
    query: z.strictObject({
      ...pageQuery,
      status: z.enum(states).optional(),
      changed_before: pageQuery.to.meta({
        description:
          'Only those that have been in their state since before this moment (RFC 3339): with ' +
          '`status=taken` those that wait for the outside',
      }),
    }),
    responses: {
      200: {
        description: 'A page of them; each is read from the ledger',
        body: pageOf(withdrawalBody).extend({
          as_of: time.meta({ description: 'Those asked for before this moment are in the list' }),
        }),
      },
    },
    refusals: ['invalid_cursor', 'ledger_unavailable'],
  },
  async (deps, { caller, query }) => {
    const { status, changed_before: before } = query
    const changedBefore = before === undefined ? undefined : readMoment(before)
    const filter = { ...toBounds(query), status, changedBefore }
    const { withdrawals, asOf } = await listWithdrawals(deps, caller, filter)
    const page = toPage(withdrawals, query, showWithdrawal)
    return { status: 200, body: { ...page, as_of: asOf.toISOString() } }
  },
)

const params = z.object({ id: uuid })

const getWithdrawal = defineRoute(
  {
    method: 'GET',
    path: '/v1/withdrawals/{id}',
    summary: 'A withdrawal of yours, or through you; any for an operator',
    tags,
    caller: ['customer', 'payment_system', 'operator'],
    params,
    responses: { 200: { description: 'The withdrawal', body: withdrawalBody } },
    refusals: ['withdrawal_not_found', 'ledger_unavailable'],
  },
  async (deps, { caller, params }) => ({
    status: 200,
    body: showWithdrawal(await findWithdrawal(deps, caller, params.id)),
  }),
)

export const withdrawalRoutes = [getPayoutSystems, postWithdrawal, getWithdrawals, getWithdrawal]
