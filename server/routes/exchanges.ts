import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { exchange, findExchange, type QuotedExchange } from '../flows/exchange.ts'
import { showFee } from '../flows/fees.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { findQuote, makeQuote, type Quote, showTerms } from '../flows/quotes.ts'
import { quoteRefusals } from '../http/pay-input.ts'
import { defineRoute } from '../http/route.ts'
import {
  amountInput,
  amountOutput,
  currencyInput,
  feeOutput,
  replayHeader,
  replayHeaders,
  time,
  uuid,
  walletName,
} from '../http/schemas.ts'

const tags = ['Exchange'] as const

const expiresInDefault = 30
const expiresInMax = 120

const termFields = {
  rate: z.string().meta({
    description:
      'What you get for one unit of what you give, to twelve digits. To be shown: the amounts are exact',
  }),
  mid: z.string().meta({ description: 'The same before the spread' }),
  spread_basis_points: z.int(),
}

const quoteBody = z
  .object({
    id: uuid,
    state: z.enum(['open', 'executed', 'expired']).meta({
      description: 'As the ledger has it at this moment',
    }),
    side: z.enum(['sell', 'buy']),
    from: z.string(),
    to: z.string(),
    from_amount: amountOutput,
    to_amount: amountOutput,
    fee: feeOutput.optional().meta({
      description: 'What it will cost on top, in the currency that is given, if anything',
    }),
    ...termFields,
    exchange_id: uuid.nullable().meta({ description: 'What it was used for; null before' }),
    expires_at: time,
    created_at: time,
  })
  .meta({ id: 'Quote' })

function showQuote(quote: Quote): z.output<typeof quoteBody> {
  const { rate, mid, spreadBasisPoints } = showTerms(quote)
  return {
    id: quote.id,
    state: quote.state,
    side: quote.side,
    from: quote.from,
    to: quote.to,
    from_amount: showAmount(quote.fromMinor, quote.from),
    to_amount: showAmount(quote.toMinor, quote.to),
    ...showFee(quote.fee && { ...quote.fee, bearer: 'sender' }, quote.from),
    rate,
    mid,
    spread_basis_points: spreadBasisPoints,
    exchange_id: quote.state === 'executed' ? quote.exchangeId : null,
    expires_at: showLedgerTime(quote.deadline),
    created_at: showLedgerTime(quote.timestamp),
  }
}

const exchangeBody = z
  .object({
    id: uuid,
    quote_id: uuid,
    from_wallet_id: uuid,
    to_wallet_id: uuid,
    from_amount: amountOutput,
    from_currency: z.string(),
    to_amount: amountOutput,
    to_currency: z.string(),
    fee: feeOutput.optional().meta({
      description: 'What it cost on top, in the currency that was given, if anything',
    }),
    ...termFields,
    created_at: time,
  })
  .meta({ id: 'Exchange' })

function showExchange(done: QuotedExchange): z.output<typeof exchangeBody> {
  const { rate, mid, spreadBasisPoints } = showTerms(done.quote)
  const { given, got } = done
  return {
    id: done.id,
    quote_id: done.quote.id,
    from_wallet_id: done.fromWalletId,
    to_wallet_id: done.toWalletId,
    from_amount: showAmount(given.amountMinor, given.currency),
    from_currency: given.currency,
    to_amount: showAmount(got.amountMinor, got.currency),
    to_currency: got.currency,
    ...showFee(done.fee, given.currency),
    rate,
    mid,
    spread_basis_points: spreadBasisPoints,
    created_at: showLedgerTime(done.timestamp),
  }
}

const params = z.object({ id: uuid })

const postQuote = defineRoute(
  {
    method: 'POST',
    path: '/v1/quotes',
    summary: 'Ask for the terms of an exchange',
    description:
      'They are promised for one exchange, or one transfer into another currency, until expires_at. What ' +
      'you get is rounded down, what you give is rounded up. No money moves.',
    tags,
    caller: 'customer',
    body: z
      .strictObject({
        from: currencyInput.meta({ description: 'The currency that you give' }),
        to: currencyInput.meta({ description: 'The currency that you get' }),
        amount: amountInput,
        side: z.enum(['sell', 'buy']).meta({
          description: 'Whether the amount is what you give (sell) or what you get (buy)',
        }),
        expires_in: z.int().min(1).max(expiresInMax).default(expiresInDefault).meta({
          description: `Seconds; no quote outlives its rate`,
        }),
      })
      .refine(({ from, to }) => from !== to, {
        path: ['to'],
        message: 'must be another currency',
      }),
    responses: { 201: { description: 'The quote', body: quoteBody } },
    refusals: [
      'currency_not_supported',
      'no_exchange_rate',
      'amount_malformed',
      'amount_not_positive',
      'amount_too_precise',
      'amount_too_large',
      'amount_too_small',
      'too_many_quotes_open',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, body }) => {
    const { from, to, amount, side, expires_in: expiresInSeconds } = body
    const quote = await makeQuote(deps, caller, { from, to, amount, side, expiresInSeconds })
    return {
      status: 201,
      body: showQuote(quote),
      headers: { Location: `/v1/quotes/${quote.id}` },
    }
  },
)

const getQuote = defineRoute(
  {
    method: 'GET',
    path: '/v1/quotes/{id}',
    summary: 'A quote of yours',
    tags,
    caller: 'customer',
    params,
    responses: { 200: { description: 'The quote', body: quoteBody } },
    refusals: ['quote_not_found', 'ledger_unavailable'],
  },
  async (deps, { caller, params: { id } }) => ({
    status: 200,
    body: showQuote(await findQuote(deps, caller, id)),
  }),
)

const postExchange = defineRoute(
  {
    method: 'POST',
    path: '/v1/exchanges',
    summary: 'Exchange between two of your wallets',
    description:
      'At the terms of a quote, once: the same request again answers the same exchange. What is declined ' +
      'leaves the quote open.',
    tags,
    caller: 'customer',
    body: z.strictObject({
      quote_id: uuid,
      from_wallet_id: walletName.optional().meta({
        description: 'Your wallet that gives (id or number); may be left out when just one fits',
      }),
      to_wallet_id: walletName.optional().meta({
        description: 'Your wallet that gets (id or number); may be left out when just one fits',
      }),
    }),
    responses: {
      201: { description: 'It has happened', body: exchangeBody, headers: replayHeader },
    },
    refusals: [
      ...quoteRefusals,
      'wallet_not_found',
      'wallet_number_mistyped',
      'wallet_ambiguous',
      'wallet_closed',
      'currency_mismatch',
      'insufficient_funds',
      'recipient_not_found',
      'recipient_closed',
      'amount_too_large',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, body }) => {
    const input = {
      quoteId: body.quote_id,
      fromWallet: body.from_wallet_id,
      toWallet: body.to_wallet_id,
    }
    const { exchange: done, replayed } = await exchange(deps, caller, input)
    return {
      status: 201,
      body: showExchange(done),
      headers: { Location: `/v1/exchanges/${done.id}`, ...replayHeaders(replayed) },
    }
  },
)

const getExchange = defineRoute(
  {
    method: 'GET',
    path: '/v1/exchanges/{id}',
    summary: 'An exchange of yours, also one that paid somebody else',
    tags,
    caller: 'customer',
    params,
    responses: { 200: { description: 'The exchange', body: exchangeBody } },
    refusals: ['exchange_not_found', 'ledger_unavailable'],
  },
  async (deps, { caller, params: { id } }) => ({
    status: 200,
    body: showExchange(await findExchange(deps, caller, id)),
  }),
)

export const exchangeRoutes = [postQuote, getQuote, postExchange, getExchange]
