import { z } from 'zod'
import { cancel, confirm, fail, type Stepped, take } from '../flows/withdrawal-steps.ts'
import { defineRoute } from '../http/route.ts'
import { replayHeader, replayHeaders, text, uuid } from '../http/schemas.ts'
import { showWithdrawal, withdrawalBody } from './withdrawals.ts'

const tags = ['Withdrawals'] as const

const referenceLengthMax = 200
const reasonLengthMax = 500

const params = z.object({ id: uuid })

/** What each step may refuse. */
const stepRefusals = [
  'withdrawal_not_found',
  'withdrawal_confirmed',
  'withdrawal_failed',
  'outcome_unknown',
  'ledger_unavailable',
  'busy',
] as const

const stepped = (description: string) => ({
  200: { description, body: withdrawalBody, headers: replayHeader },
})

const showStepped = ({ withdrawal, replayed }: Stepped) => ({
  status: 200 as const,
  body: showWithdrawal(withdrawal),
  headers: replayHeaders(replayed),
})

const postCancel = defineRoute(
  {
    method: 'POST',
    path: '/v1/withdrawals/{id}/cancel',
    summary: 'Cancel a withdrawal that is not taken yet',
    description: 'The money is yours again. Repeating it answers the same.',
    tags,
    caller: 'customer',
    params,
    responses: stepped('It is cancelled'),
    refusals: [...stepRefusals, 'withdrawal_taken'],
  },
  async (deps, { caller, params }) => showStepped(await cancel(deps, caller, params.id)),
)

const postTake = defineRoute(
  {
    method: 'POST',
    path: '/v1/withdrawals/{id}/take',
    summary: 'Take a withdrawal, to pay it',
    description:
      'One may, of however many try: whoever is answered 200 pays it outside. The answer has the ' +
      'destination in full. It is answered again only with the same Idempotency-Key.',
    tags,
    caller: 'payment_system',
    params,
    idempotent: true,
    responses: stepped('It is yours to pay'),
    refusals: [
      ...stepRefusals,
      'withdrawal_taken',
      'withdrawal_cancelled',
      'wallet_closed',
      'declined',
      'idempotency_key_reused',
    ],
  },
  async (deps, { caller, params, idempotencyKey }) =>
    showStepped(await take(deps, caller, params.id, idempotencyKey)),
)

const postConfirm = defineRoute(
  {
    method: 'POST',
    path: '/v1/withdrawals/{id}/confirm',
    summary: 'Tell that a withdrawal was paid',
    description:
      'It is booked also when the wallet was frozen meanwhile. Repeating it with the same reference ' +
      'answers the same.',
    tags,
    caller: 'payment_system',
    params,
    body: z.strictObject({
      reference: text(referenceLengthMax).meta({ description: "The payment's id in your system" }),
    }),
    responses: stepped('It is booked'),
    refusals: [...stepRefusals, 'withdrawal_not_taken', 'withdrawal_cancelled'],
  },
  async (deps, { caller, params, body }) =>
    showStepped(await confirm(deps, caller, params.id, body.reference)),
)

const postFail = defineRoute(
  {
    method: 'POST',
    path: '/v1/withdrawals/{id}/fail',
    summary: 'Tell that a withdrawal was not paid, and never will be',
    description: 'The money goes back. Repeating it with the same reason answers the same.',
    tags,
    caller: 'payment_system',
    params,
    body: z.strictObject({
      reason: text(reasonLengthMax).meta({ description: 'The owner of the wallet sees it' }),
    }),
    responses: stepped('The money went back'),
    refusals: [...stepRefusals, 'withdrawal_not_taken', 'withdrawal_cancelled'],
  },
  async (deps, { caller, params, body }) =>
    showStepped(await fail(deps, caller, params.id, body.reason)),
)

export const withdrawalStepRoutes = [postCancel, postTake, postConfirm, postFail]
