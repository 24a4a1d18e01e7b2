import { assetOf, TransferCode } from '../../accounting/chart.ts'
import {
  type Exchange,
  type Exchanged,
  type ExchangePlan,
  type ExchangeRoute,
  readExchange,
  submitExchange,
  toExchangeLegs,
} from '../../accounting/exchange.ts'
import { provideFeeIncome, toFeeLeg } from '../../accounting/fees.ts'
import { hashInput, type Uuid } from '../../accounting/ids.ts'
import type { PassingReason } from '../../accounting/outcome.ts'
import { chainLegs } from '../../accounting/transfers.ts'
import { findQuoteRow, type QuoteRow } from '../../db/quotes.ts'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { toSpendingLegs } from './budget-legs.ts'
import { explainDecline, readDecline } from './pay.ts'
import { findQuote, type Quote, type QuoteDeps } from './quotes.ts'
import { type Recipient, resolveOwnWallet, resolveRecipient } from './resolve-wallets.ts'
import type { Payment } from './send.ts'
import {
  afterMoving,
  declineCodes,
  keepDecline,
  nextAttempt,
  refuseInvalid,
  settle,
} from './settle.ts'

/** An exchange that has happened, with the terms that it was made at. */
export type QuotedExchange = Exchange & { quote: QuoteRow }

export interface ExchangeInput {
  quoteId: Uuid
  /** Two of the caller's wallets, by id or number; left out when just one fits. */
  fromWallet?: string | undefined
  toWallet?: string | undefined
}

/** A payment into a wallet of another currency, at the terms of a quote. */
export interface QuotedPaymentInput {
  quoteId: Uuid
  fromWallet?: string | undefined
  to: Recipient
  memo?: string | undefined
}

type ExchangeDeps = QuoteDeps & Pick<Deps, 'memos' | 'settings' | 'log'>
type Done = { exchange: QuotedExchange; replayed: boolean }

/**
 * Uses a quote between two of the caller's wallets, once. The same again answers the same exchange
 * (`replayed`). What is declined leaves the quote as it was. Whether it has run out is the ledger's to
 * say, not this process's clock.
 * Refusals: quote_not_found, quote_expired, quote_used, wallet_not_found, wallet_number_mistyped,
 * wallet_ambiguous, wallet_closed, currency_mismatch, insufficient_funds, limit_exceeded,
 * liquidity_exhausted,
 * recipient_closed, amount_too_large, outcome_unknown.
 */
export async function exchange(
  deps: ExchangeDeps,
  caller: Customer,
  { quoteId, fromWallet, toWallet }: ExchangeInput,
): Promise<Done> {
  const quote = await findQuote(deps, caller, quoteId)
  const inputHash = hashInput('exchange', fromWallet ?? null, toWallet ?? null)
  return use(deps, caller, quote, inputHash, async () => {
    const [from, to] = [
      await resolveOwnWallet(deps, caller, { name: fromWallet, currency: quote.from }),
      await resolveOwnWallet(deps, caller, {
        name: toWallet,
        currency: quote.to,
        field: { pointer: '/to_wallet_id' },
      }),
    ]
    return toRoute(quote, from.id, to.id)
  })
}

/**
 * Uses a quote to pay somebody in another currency than that of the paying wallet, once.
 * Refusals: those of exchange, recipient_not_found.
 */
export async function payByQuote(
  deps: ExchangeDeps,
  caller: Customer,
  { quoteId, fromWallet, to, memo }: QuotedPaymentInput,
): Promise<Done> {
  const quote = await findQuote(deps, caller, quoteId)
  const recipient = to.kind === 'wallet' ? to.wallet : to.username
  const parts = [fromWallet, to.kind, recipient, memo].map((part) => part ?? null)
  const inputHash = hashInput('payment by quote', ...parts)
  return use(deps, caller, quote, inputHash, async () => {
    const from = await resolveOwnWallet(deps, caller, { name: fromWallet, currency: quote.from })
    const route = toRoute(quote, from.id, await resolveRecipient(deps, caller, to, quote.to))
    if (memo !== undefined) {
      await deps.memos.add({ operationId: quote.exchangeId, inputHash, memo })
    }
    return route
  })
}

function toRoute({ from, to }: QuoteRow, fromWalletId: Uuid, toWalletId: Uuid): ExchangeRoute {
  return { fromWalletId, toWalletId, from: assetOf(from), to: assetOf(to) }
}

/** Uses a quote, or answers what has used it. */
async function use(
  deps: ExchangeDeps,
  caller: Customer,
  quote: Quote,
  inputHash: number,
  findRoute: () => Promise<ExchangeRoute>,
): Promise<Done> {
  if (quote.state === 'executed') return answerUsed(deps, quote, inputHash)
  const plan = await planExchange(deps, caller, quote, await findRoute(), inputHash)
  const firstAttempt = await nextAttempt(deps.db, quote.exchangeId)
  const { step, attempt } = await settle(
    quote.exchangeId,
    submitExchange(deps.ledger, plan, firstAttempt),
  )
  switch (step.kind) {
    case 'done': {
      if (step.replayed) return afterMoving(quote.exchangeId, answerUsed(deps, quote, inputHash))
      const done = await afterMoving(quote.exchangeId, readDone(deps, quote))
      return { exchange: done, replayed: false }
    }
    case 'conflict':
    case 'stale':
      return afterMoving(quote.exchangeId, answerUsed(deps, quote, inputHash))
    case 'expired':
      throw new Refusal('quote_expired')
    case 'invalid':
      throw refuseInvalid(step.status)
    case 'declined': {
      const refusal = await refuseDecline(deps, plan, step)
      const { code } = refusal
      await keepDecline(deps, { operationId: quote.exchangeId, inputHash, attempt, code })
      throw refusal
    }
    default:
      throw step satisfies never
  }
}

/**
 * The legs of an exchange at the terms of a quote, with the fee that it was promised at, in the currency
 * that is given. What is paid to somebody else by it counts as spent.
 */
async function planExchange(
  deps: ExchangeDeps,
  caller: Customer,
  quote: QuoteRow,
  route: ExchangeRoute,
  inputHash: number,
): Promise<ExchangePlan> {
  const { from: asset, fromWalletId: walletId, toWalletId } = route
  const feeLegs = quote.fee ? [toFeeLeg(quote.fee, { walletId, asset })] : []
  if (quote.fee) await provideFeeIncome(deps.ledger, asset)
  const spent = { toWalletId, asset, amountMinor: quote.fromMinor }
  const budgetLegs = await toSpendingLegs(deps, caller, spent)
  const [sale, ...others] = toExchangeLegs(route, quote)
  return { quoteId: quote.id, inputHash, ...chainLegs(budgetLegs, [sale, ...others, ...feeLegs]) }
}

async function answerUsed(
  deps: Pick<Deps, 'ledger'>,
  quote: QuoteRow,
  inputHash: number,
): Promise<Done> {
  const done = await readDone(deps, quote)
  if (done.inputHash === inputHash) return { exchange: done, replayed: true }
  throw new Refusal('quote_used', { extra: { exchange_id: done.id } })
}

async function readDone(
  { ledger }: Pick<Deps, 'ledger'>,
  quote: QuoteRow,
): Promise<QuotedExchange> {
  const done = await readExchange(ledger, quote.exchangeId)
  if (!done) throw new Error(`quote ${quote.id} was used and its exchange is not there`)
  return { ...done, quote }
}

/** The legs that debit the house's liquidity. */
const houseLegs: readonly number[] = [TransferCode.exchange_purchase, TransferCode.exchange_spread]

/** What a decline of one of them means. */
const purchaseCodes: Readonly<Record<PassingReason, RefusalCode>> = {
  ...declineCodes,
  exceeds_credits: 'liquidity_exhausted',
}

async function refuseDecline(
  deps: Pick<Deps, 'ledger'>,
  plan: ExchangePlan,
  { leg: index, reason }: { leg: number; reason: PassingReason },
): Promise<Refusal> {
  const leg = plan.legs[index]
  if (!leg) throw new Error(`quote ${plan.quoteId}: declined at leg ${index}`)
  const codes = houseLegs.includes(leg.code) ? purchaseCodes : declineCodes
  const decline = readDecline(plan, index, codes[reason])
  return explainDecline(deps, decline.leg, decline.code, decline.feeMinor)
}

/** An exchange that the caller has made. Refusal: exchange_not_found, also for those of others. */
export async function findExchange(
  deps: Pick<Deps, 'db' | 'ledger'>,
  caller: Customer,
  id: Uuid,
): Promise<QuotedExchange> {
  const quote = await findQuoteRow(deps.db, { exchangeId: id })
  const found = quote?.userId === caller.userId ? await readExchange(deps.ledger, id) : undefined
  if (!quote || !found) throw new Refusal('exchange_not_found')
  return { ...found, quote }
}

/** A payment into a wallet of another currency: of what was given, and what was received for it. */
export type ExchangePayment = Payment & { received: Exchanged }

/** An exchange as a payment from the wallet that gave to the wallet that got. */
export function toExchangePayment(
  { id, fromWalletId, toWalletId, given, got, fee, timestamp }: Exchange,
  memo: string | null | undefined,
): ExchangePayment {
  const wallets = { fromWalletId, toWalletId }
  return { id, ...wallets, ...given, fee, received: got, memo: memo ?? null, timestamp }
}
