/** What every route has in common by which somebody pays somebody. */
import { z } from 'zod'
import type { PayInput } from '../flows/pay.ts'
import type { RefusalCode } from '../refusals.ts'
import { amountInput, currencyInput, text, walletName } from './schemas.ts'

const memoLengthMax = 200

export const memoInput = text(memoLengthMax)

export const payFields = {
  from_wallet_id: walletName.optional().meta({
    description: 'One of your wallets (id or number); may be left out when just one fits',
  }),
  to_wallet_id: walletName.optional(),
  to_username: z.string().min(1).max(64).optional(),
  amount: amountInput,
  currency: currencyInput.optional(),
  memo: memoInput.optional().meta({ description: 'Both sides see it' }),
}

interface Recipients {
  to_wallet_id?: string | undefined
  to_username?: string | undefined
}

/** Whether a body names its recipient in just one way. */
export const hasOneRecipient = (body: Recipients): boolean =>
  (body.to_wallet_id === undefined) !== (body.to_username === undefined)

/** How the violation of that is told. */
export const oneRecipient = {
  path: ['to_wallet_id'],
  message: 'give either to_wallet_id or to_username',
}

type PayBody = Omit<z.output<z.ZodObject<typeof payFields>>, 'amount'> & {
  /** Left out when something else tells it. */
  amount?: string | undefined
}

/** The body as what a use case takes. */
export function toPayInput(body: PayBody): PayInput {
  return {
    fromWalletId: body.from_wallet_id,
    to:
      body.to_wallet_id === undefined
        ? { kind: 'username', username: (body.to_username ?? '').toLowerCase() }
        : { kind: 'wallet', wallet: body.to_wallet_id },
    amount: body.amount ?? '',
    currency: body.currency,
    memo: body.memo,
  }
}

/** What paying someone may refuse before the ledger is asked. */
export const previewRefusals = [
  'amount_malformed',
  'amount_not_positive',
  'amount_too_precise',
  'amount_too_large',
  'currency_not_supported',
  'currency_mismatch',
  'wallet_not_found',
  'wallet_number_mistyped',
  'wallet_ambiguous',
  'recipient_not_found',
  'same_wallet',
  'ledger_unavailable',
] as const satisfies readonly RefusalCode[]

/** What paying someone may refuse. */
export const payRefusals = [
  ...previewRefusals,
  'wallet_closed',
  'recipient_closed',
  'insufficient_funds',
  'limit_exceeded',
  'declined',
  'abandoned',
  'idempotency_key_reused',
  'outcome_unknown',
] as const satisfies readonly RefusalCode[]

/** What using a quote may refuse besides. */
export const quoteRefusals = [
  'quote_not_found',
  'quote_expired',
  'quote_used',
  'liquidity_exhausted',
] as const satisfies readonly RefusalCode[]
