import { LedgerOutcomeUnknown, LedgerUnavailable } from '../../accounting/client.ts'
import { BatcherFull } from '../../db/batcher.ts'
import { isUnavailable } from '../../db/errors.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'

interface ProblemKind {
  status: number
  title: string
}

/** What each refusal is in HTTP. Total: the compiler refuses a code without an entry. */
export const problemKinds = {
  malformed_request: { status: 400, title: 'This is not an HTTP request' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  route_not_found: { status: 404, title: 'There is nothing at this address' },
  method_not_allowed: { status: 405, title: 'This address does not have this method' },
  unsupported_media_type: { status: 415, title: 'The body is of a type that is not read here' },
  body_too_large: { status: 413, title: 'The body is too large' },
  malformed_body: { status: 400, title: 'The body cannot be read' },
  invalid_request: { status: 422, title: 'The request is not valid' },
  cross_origin: { status: 403, title: 'The request comes from another origin' },
  internal_error: { status: 500, title: 'Something went wrong here' },
  busy: { status: 503, title: 'Too busy; this request has done nothing' },
  database_unavailable: { status: 503, title: 'The database does not answer' },
  not_signed_in: { status: 401, title: 'Sign in first' },
  wrong_credentials: { status: 401, title: 'The e-mail or the password is wrong' },
  role_not_allowed: { status: 403, title: 'This account may not do this' },
  too_many_attempts: { status: 429, title: 'Too many attempts' },
  email_taken: { status: 409, title: 'There is an account with this e-mail' },
  username_taken: { status: 409, title: 'The username is taken' },
  name_taken: { status: 409, title: 'The name is taken' },
  user_not_found: { status: 404, title: 'There is no such user' },
  own_account: { status: 409, title: 'Nobody can do this to their own account' },
  not_a_customer: { status: 409, title: 'The user is no customer' },
  not_an_operator: { status: 409, title: 'The user is no operator' },
  user_without_limits: { status: 409, title: 'There are no limits for this user' },
  payment_system_not_found: { status: 404, title: 'There is no such payment system' },
  amount_malformed: { status: 422, title: 'The amount is not a plain decimal number' },
  amount_not_positive: { status: 422, title: 'The amount must be more than zero' },
  amount_too_precise: { status: 422, title: 'The amount has more decimals than its currency' },
  amount_too_large: { status: 422, title: 'The amount is too large' },
  currency_closed: { status: 422, title: 'No new wallets can be opened in this currency' },
  currency_not_supported: { status: 422, title: 'There are no wallets in this currency' },
  currency_not_found: { status: 404, title: 'There is no such currency' },
  currency_exists: { status: 409, title: 'The code belongs to another asset' },
  currency_limit_reached: { status: 409, title: 'There are as many own assets as allowed' },
  default_currency: { status: 409, title: 'The default currency stays open' },
  currency_mismatch: { status: 422, title: 'The currencies are not the same' },
  wallet_not_found: { status: 404, title: 'There is no such wallet' },
  wallet_number_mistyped: { status: 422, title: 'The wallet number has a typing mistake' },
  wallet_limit_reached: { status: 409, title: 'There are as many wallets as allowed' },
  format_not_possible: { status: 422, title: 'The statement cannot be written in this format' },
  wallet_closed: { status: 422, title: 'The wallet is frozen or closed' },
  payer_closed: { status: 422, title: 'The payer cannot pay now' },
  wallet_ambiguous: { status: 422, title: 'More than one wallet could be meant' },
  recipient_not_found: { status: 422, title: 'There is no such recipient' },
  recipient_closed: { status: 422, title: 'The recipient cannot be paid now' },
  same_wallet: { status: 422, title: 'The wallet cannot pay itself' },
  insufficient_funds: { status: 422, title: 'There is not enough money in the wallet' },
  limit_exceeded: { status: 422, title: 'This is more than may be moved within a time' },
  declined: { status: 422, title: 'The operation was declined before' },
  idempotency_key_reused: { status: 409, title: 'The key belongs to another request' },
  reference_reused: { status: 409, title: 'The reference belongs to another deposit or reversal' },
  batch_too_large: { status: 422, title: 'There are too many transfers for one batch' },
  payroll_not_found: { status: 404, title: 'There is no such payroll' },
  payroll_complete: { status: 409, title: 'All rows of the payroll are there: they are paid' },
  payroll_limit_reached: { status: 409, title: 'There are as many unfinished payrolls as allowed' },
  row_malformed: { status: 422, title: 'The row cannot be read' },
  outcome_unknown: { status: 503, title: 'It is not known yet whether this has happened' },
  ledger_unavailable: {
    status: 503,
    title: 'The ledger does not answer; this request has done nothing',
  },
  transfer_not_found: { status: 404, title: 'There is no such transfer' },
  deposit_not_found: { status: 404, title: 'There is no such deposit' },
  hold_not_found: { status: 404, title: 'There is no such hold' },
  not_the_payee: { status: 403, title: 'Only the payee may do this' },
  hold_captured: { status: 409, title: 'The hold is captured already' },
  hold_voided: { status: 409, title: 'The hold was given back' },
  hold_expired: { status: 409, title: 'The hold has run out' },
  capture_too_large: { status: 422, title: 'There is not so much held' },
  capture_too_small: { status: 422, title: 'So small a part can only be the last' },
  abandoned: { status: 409, title: 'An earlier try was cut off and given up: use a new key' },
  wallet_not_empty: { status: 409, title: 'There is still money in the wallet, or held' },
  payer_not_found: { status: 422, title: 'There is nobody of this name who could pay' },
  payment_request_not_found: { status: 404, title: 'There is no such payment request' },
  payment_request_accepted: { status: 409, title: 'The payment request is accepted already' },
  payment_request_declined: { status: 409, title: 'The payment request was declined' },
  payment_request_cancelled: { status: 409, title: 'The payment request was cancelled' },
  payment_request_expired: { status: 409, title: 'The payment request has run out' },
  not_the_payer: { status: 403, title: 'Only the one who shall pay may do this' },
  not_the_requester: { status: 403, title: 'Only the one who asked may do this' },
  requester_blocked: { status: 403, title: 'This person takes no payment requests from you' },
  too_many_requests_open: { status: 409, title: 'Too many requests to this person are open' },
  block_limit_reached: { status: 409, title: 'There are as many blocks as allowed' },
  withdrawal_not_found: { status: 404, title: 'There is no such withdrawal' },
  withdrawal_not_taken: { status: 409, title: 'The withdrawal has to be taken first' },
  withdrawal_taken: { status: 409, title: 'The withdrawal is taken already' },
  withdrawal_cancelled: { status: 409, title: 'The withdrawal was cancelled' },
  withdrawal_confirmed: { status: 409, title: 'The withdrawal is confirmed already' },
  withdrawal_failed: { status: 409, title: 'The withdrawal has failed' },
  payout_capacity_exceeded: {
    status: 422,
    title: 'The payment system has not brought in so much',
  },
  refund_not_found: { status: 404, title: 'There is no such refund' },
  refund_too_large: { status: 422, title: 'There is not so much left to refund' },
  reversal_too_large: { status: 422, title: 'There is not so much left of the deposit' },
  deposit_in_suspense: {
    status: 409,
    title: 'The deposit is in suspense: only all of it goes back',
  },
  suspense_not_found: { status: 404, title: 'There is no such money in suspense' },
  suspense_assigned: { status: 409, title: 'The money is assigned already' },
  suspense_returned: { status: 409, title: 'The money was returned already' },
  fee_schedule_limit_reached: {
    status: 409,
    title: 'There are as many later fee schedules as allowed',
  },
  no_exchange_rate: { status: 422, title: 'There is no exchange rate for these currencies now' },
  amount_too_small: { status: 422, title: 'So small an amount is nothing in the other currency' },
  too_many_quotes_open: { status: 409, title: 'Too many quotes are open' },
  quote_not_found: { status: 404, title: 'There is no such quote' },
  quote_expired: { status: 409, title: 'The quote has run out' },
  quote_used: { status: 409, title: 'The quote is used already' },
  liquidity_exhausted: { status: 422, title: 'The house has not enough of this currency now' },
  exchange_not_found: { status: 404, title: 'There is no such exchange' },
  exchange_not_refundable: {
    status: 422,
    title: 'What was paid in another currency cannot be refunded',
  },
  suspense_paid_out: { status: 409, title: 'The money was paid out already' },
  approval_not_found: { status: 404, title: 'There is no such approval' },
  approval_approved: { status: 409, title: 'It is approved already' },
  approval_rejected: { status: 409, title: 'It was rejected' },
  approval_withdrawn: { status: 409, title: 'It was withdrawn' },
  approval_expired: { status: 409, title: 'The time to approve it has run out' },
  superseded: { status: 409, title: 'Something else was set since' },
  exchange_rate_expired: { status: 409, title: 'The exchange rate is over before it is in force' },
  own_request: { status: 403, title: 'Another operator has to decide this' },
  adjustment_not_found: { status: 404, title: 'There is no such adjustment' },
  adjustment_exceeds_balance: { status: 422, title: 'There is not so much to take it from' },
  adjustment_not_booked: { status: 409, title: 'The adjustment is not approved' },
  reconciliation_not_found: { status: 404, title: 'There is no such reconciliation' },
  break_not_found: { status: 404, title: 'There is no such break' },
  break_closed: { status: 409, title: 'The break is closed' },
  invalid_cursor: { status: 422, title: 'The cursor is not one of this list' },
} as const satisfies Record<RefusalCode, ProblemKind>

/** An RFC 9457 problem document with Kassa's members. */
export interface Problem {
  type: string
  title: string
  status: number
  code: RefusalCode
  detail?: string
  request_id: string
  errors?: readonly unknown[]
  [extra: string]: unknown
}

/** Says `error` as a refusal: what is not one already is a bug or a server that is down. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  // A flow that moves money says `outcome_unknown` itself; what arrives here was only reading.
  if (error instanceof LedgerUnavailable || error instanceof LedgerOutcomeUnknown) {
    return new Refusal('ledger_unavailable', { retryAfterSeconds: 1 })
  }
  if (error instanceof BatcherFull) return new Refusal('busy', { retryAfterSeconds: 1 })
  if (isUnavailable(error)) return new Refusal('database_unavailable', { retryAfterSeconds: 1 })
  return new Refusal('internal_error')
}

/** The problem document of a refusal. */
export function toProblem(refusal: Refusal, requestId: string): Problem {
  const { status, title } = problemKinds[refusal.code]
  const { detail, errors, extra } = refusal.options
  return {
    type: `urn:kassa:problem:${refusal.code}`,
    title,
    status,
    code: refusal.code,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
    ...extra,
    request_id: requestId,
  }
}

/** What a refusal means in one text for people: its detail or title, and what is wrong with fields. */
export function explainRefusal({ code, options }: Refusal): string {
  const sentence = options.detail ?? `${problemKinds[code].title}.`
  const faults = (options.errors ?? []).map(({ pointer, message }) =>
    `${pointer.replace(/^\//, '')} ${message}`.trim(),
  )
  return faults.length === 0 ? sentence : `${sentence} ${faults.join('; ')}.`
}
