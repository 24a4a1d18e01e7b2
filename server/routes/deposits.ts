import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { deposit } from '../flows/deposit.ts'
import {
  type Deposit,
  type DepositSuspense,
  findDeposit,
  listDeposits,
} from '../flows/deposits-read.ts'
import { showFee } from '../flows/fees.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { pageOf, pageQuery, toBounds, toPage } from '../http/paging.ts'
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
  timeInput,
  uuid,
  walletName,
} from '../http/schemas.ts'

const tags = ['Deposits'] as const

export const suspenseStates = ['open', 'assigned', 'returned', 'paid_out'] as const

/** How a deposit stands in suspense. */
export const suspenseFields = {
  state: z.enum(suspenseStates).meta({ description: 'As the ledger has it at this moment' }),
  named_wallet: z.string().nullable().meta({ description: 'The wallet as it was named' }),
  wallet_id: uuid.nullable().meta({ description: 'The wallet that it was assigned to' }),
  changed_at: time.nullable().meta({ description: 'When it was let out' }),
}

export function showSuspenseState(suspense: DepositSuspense) {
  return {
    state: suspense.state,
    named_wallet: suspense.namedWallet,
    wallet_id: suspense.walletId,
    changed_at: suspense.changedAt === null ? null : showLedgerTime(suspense.changedAt),
  }
}

const depositBody = z
  .object({
    id: uuid,
    wallet_id: uuid.nullable().meta({ description: 'null when it went to suspense' }),
    amount: amountOutput,
    fee: feeOutput.optional().meta({ description: 'What the wallet paid for it, if anything' }),
    currency: z.string(),
    reference: z.string().nullable(),
    sender: z.string().nullable(),
    details: z.string().nullable(),
    occurred_at: time.nullable(),
    created_at: time,
    suspense: z
      .object(suspenseFields)
      .optional()
      .meta({ description: 'Only of a deposit that went to suspense' }),
  })
  .meta({ id: 'Deposit' })

function showDeposit(stored: Deposit): z.output<typeof depositBody> {
  return {
    id: stored.id,
    wallet_id: stored.walletId,
    amount: showAmount(stored.amountMinor, stored.currency),
    ...showFee(stored.fee, stored.currency),
    currency: stored.currency,
    reference: stored.reference,
    sender: stored.sender,
    details: stored.details,
    occurred_at: stored.occurredAt === null ? null : showLedgerTime(stored.occurredAt),
    created_at: showLedgerTime(stored.timestamp),
    ...(stored.suspense ? { suspense: showSuspenseState(stored.suspense) } : {}),
  }
}

/** Within what a 64-bit count of nanoseconds can hold. */
const occurredAt = timeInput
  .refine(
    (value) => Date.parse(value) > 0 && Date.parse(value) < Date.UTC(2200, 0),
    'must be from 1970 to 2199',
  )
  .meta({ description: 'When it happened outside (RFC 3339)' })

/** What booking a deposit may refuse. */
export const depositRefusals = [
  'amount_malformed',
  'amount_not_positive',
  'amount_too_precise',
  'amount_too_large',
  'currency_not_supported',
  'currency_mismatch',
  'wallet_not_found',
  'wallet_number_mistyped',
  'recipient_closed',
  'reference_reused',
  'outcome_unknown',
  'ledger_unavailable',
] as const

/** Outside a wallet can be named by any text, which a deposit for suspense keeps. */
const depositInput = z.strictObject({
  wallet_id: z
    .union([walletName, text(64)])
    .meta({ description: "A wallet's id, or its number; for suspense any text" }),
  amount: amountInput,
  currency: currencyInput,
  reference: text(255).meta({ description: "The payment's own id in your system" }),
  sender: text(200).optional().meta({ description: 'Who paid, as you know it' }),
  details: text(500).optional().meta({ description: 'Shown to the owner of the wallet' }),
  occurred_at: occurredAt.optional(),
  on_unmatched: z
    .enum(['refuse', 'suspense'])
    .default('refuse')
    .meta({
      description:
        'What becomes of it when the wallet is unknown, of another currency, frozen or closed: it is ' +
        'refused, or booked in suspense until an operator assigns or returns it',
    }),
})

const namesWallet = ({ wallet_id, on_unmatched }: z.output<typeof depositInput>): boolean =>
  on_unmatched === 'suspense' || walletName.safeParse(wallet_id).success

const postDeposit = defineRoute(
  {
    method: 'POST',
    path: '/v1/deposits',
    summary: 'Tell of money received for a wallet',
    description:
      'The reference alone decides whether this is a new deposit: the same reference never pays ' +
      'twice, with or without an Idempotency-Key. A deposit that was declined can be sent again. ' +
      'Part of it may pay a fee, and what the owner of the wallet owes since an earlier deposit was taken back.',
    tags,
    caller: 'payment_system',
    body: depositInput.refine(namesWallet, {
      path: ['wallet_id'],
      message: 'must be a wallet id or a wallet number',
    }),
    idempotent: true,
    responses: {
      201: { description: 'It is booked', body: depositBody, headers: replayHeader },
    },
    refusals: depositRefusals,
  },
  async (deps, { caller, body }) => {
    const { deposit: booked, replayed } = await deposit(deps, caller, {
      wallet: body.wallet_id,
      amount: body.amount,
      currency: body.currency,
      reference: body.reference,
      sender: body.sender,
      details: body.details,
      occurredAtMs: body.occurred_at === undefined ? undefined : Date.parse(body.occurred_at),
      onUnmatched: body.on_unmatched,
    })
    return {
      status: 201,
      body: showDeposit(booked),
      headers: { Location: `/v1/deposits/${booked.id}`, ...replayHeaders(replayed) },
    }
  },
)

const getDeposit = defineRoute(
  {
    method: 'GET',
    path: '/v1/deposits/{id}',
    summary: 'One of your deposits; any one for an operator',
    tags,
    caller: ['payment_system', 'operator'],
    params: z.object({ id: uuid }),
    responses: { 200: { description: 'The deposit', body: depositBody } },
    refusals: ['deposit_not_found', 'ledger_unavailable'],
  },
  async (deps, { caller, params }) => ({
    status: 200,
    body: showDeposit(await findDeposit(deps, caller, params.id)),
  }),
)

const getDeposits = defineRoute(
  {
    method: 'GET',
    path: '/v1/deposits',
    summary: 'Your deposits, newest first',
    tags,
    caller: 'payment_system',
    query: z.strictObject({ ...pageQuery, currency: currencyInput.optional() }),
    responses: { 200: { description: 'A page of them', body: pageOf(depositBody) } },
    refusals: ['currency_not_supported', 'invalid_cursor', 'ledger_unavailable'],
  },
  async (deps, { caller, query }) => {
    const { currency } = query
    const deposits = await listDeposits(deps, caller, { ...toBounds(query), currency })
    return { status: 200, body: toPage(deposits, query, showDeposit) }
  },
)

export const depositRoutes = [postDeposit, getDeposits, getDeposit]
