/**
 * What Kassa says when it refuses. A flow throws a Refusal, which knows nothing of HTTP;
 * server/http/errors.ts has the status and title of each code.
 */
export type RefusalCode =
  // The request itself
  | 'malformed_request'
  | 'headers_too_large'
  | 'request_timeout'
  | 'route_not_found'
  | 'method_not_allowed'
  | 'unsupported_media_type'
  | 'body_too_large'
  | 'malformed_body'
  | 'invalid_request'
  | 'cross_origin'
  | 'internal_error'
  | 'busy'
  | 'database_unavailable'
  // Identity
  | 'not_signed_in'
  | 'wrong_credentials'
  | 'role_not_allowed'
  | 'too_many_attempts'
  | 'email_taken'
  | 'username_taken'
  | 'name_taken'
  | 'user_not_found'
  | 'own_account'
  | 'not_a_customer'
  | 'not_an_operator'
  | 'user_without_limits'
  | 'payment_system_not_found'
  // Money
  | 'amount_malformed'
  | 'amount_not_positive'
  | 'amount_too_precise'
  | 'amount_too_large'
  | 'currency_not_supported'
  | 'currency_not_found'
  | 'currency_exists'
  | 'currency_limit_reached'
  | 'default_currency'
  | 'currency_closed'
  | 'currency_mismatch'
  | 'wallet_not_found'
  | 'wallet_number_mistyped'
  | 'wallet_limit_reached'
  | 'format_not_possible'
  | 'wallet_closed'
  | 'payer_closed'
  | 'wallet_ambiguous'
  | 'recipient_not_found'
  | 'recipient_closed'
  | 'same_wallet'
  | 'insufficient_funds'
  | 'limit_exceeded'
  | 'declined'
  | 'idempotency_key_reused'
  | 'reference_reused'
  | 'batch_too_large'
  | 'payroll_not_found'
  | 'payroll_complete'
  | 'payroll_limit_reached'
  | 'row_malformed'
  | 'outcome_unknown'
  | 'ledger_unavailable'
  | 'transfer_not_found'
  | 'deposit_not_found'
  | 'hold_not_found'
  | 'not_the_payee'
  | 'hold_captured'
  | 'hold_voided'
  | 'hold_expired'
  | 'capture_too_large'
  | 'capture_too_small'
  | 'abandoned'
  | 'wallet_not_empty'
  | 'payer_not_found'
  | 'payment_request_not_found'
  | 'payment_request_accepted'
  | 'payment_request_declined'
  | 'payment_request_cancelled'
  | 'payment_request_expired'
  | 'not_the_payer'
  | 'not_the_requester'
  | 'requester_blocked'
  | 'too_many_requests_open'
  | 'block_limit_reached'
  | 'withdrawal_not_found'
  | 'withdrawal_not_taken'
  | 'withdrawal_taken'
  | 'withdrawal_cancelled'
  | 'withdrawal_confirmed'
  | 'withdrawal_failed'
  | 'payout_capacity_exceeded'
  | 'refund_not_found'
  | 'refund_too_large'
  | 'reversal_too_large'
  | 'deposit_in_suspense'
  | 'suspense_not_found'
  | 'suspense_assigned'
  | 'suspense_returned'
  | 'fee_schedule_limit_reached'
  | 'no_exchange_rate'
  | 'amount_too_small'
  | 'too_many_quotes_open'
  | 'quote_not_found'
  | 'quote_expired'
  | 'quote_used'
  | 'liquidity_exhausted'
  | 'exchange_not_found'
  | 'exchange_not_refundable'
  | 'suspense_paid_out'
  | 'approval_not_found'
  | 'approval_approved'
  | 'approval_rejected'
  | 'approval_withdrawn'
  | 'approval_expired'
  | 'exchange_rate_expired'
  | 'superseded'
  | 'own_request'
  | 'adjustment_not_found'
  | 'adjustment_exceeds_balance'
  | 'adjustment_not_booked'
  | 'reconciliation_not_found'
  | 'break_not_found'
  | 'break_closed'
  | 'invalid_cursor'

export interface FieldError {
  /** Which part of the request: the body is meant when it is left out. */
  in?: 'path' | 'query' | 'header'
  /** JSON Pointer (RFC 6901) into the body, or the name of the parameter. */
  pointer: string
  message: string
}

export interface RefusalOptions {
  /** A sentence for the caller about this occurrence. */
  detail?: string
  errors?: readonly FieldError[]
  retryAfterSeconds?: number
  /** Further members of the problem document, such as `available`; JSON values only. */
  extra?: Readonly<Record<string, unknown>>
  headers?: Readonly<Record<string, string>>
}

/** A request that Kassa understood, or saw through, and did not carry out. Nothing has changed. */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly options: RefusalOptions

  constructor(code: RefusalCode, options: RefusalOptions | string = {}) {
    super(code)
    this.name = 'Refusal'
    this.code = code
    this.options = typeof options === 'string' ? { detail: options } : options
  }
}

/** The refusal of a request for one of its parts. */
export function refuseField(error: FieldError): Refusal {
  return new Refusal('invalid_request', { errors: [error] })
}
