/**
 * Exchange between two currencies, which are two ledgers: what the customer gives goes to the house's
 * liquidity of the one, what the customer gets comes from that of the other, in one chain.
 *
 * A quote is a right to do so once and for a time: a pending transfer of nothing on the control ledger of
 * the currency that is given, under the quote's own id. The chain posts it first. So it is executed at
 * most once and never after its time, however late a submission arrives.
 */
import type { Transfer } from 'tigerbeetle-node'
import { liquidityAccount, provideAccounts, spreadIncomeAccount } from './accounts.ts'
import { type Asset, assetOfLedger, ControlCode, TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import { deadlineOf } from './clock.ts'
import { type StoredFee, toStoredFee } from './fees.ts'
import { computeUuid, hashInput, toUuid, type Uuid } from './ids.ts'
import { type Leg, toTransfer } from './legs.ts'
import type { ExchangeAmounts } from './rates.ts'
import { rightsAccounts, toRightLeg } from './rights.ts'
import { type AttemptedStep, useRight } from './steps.ts'
import { readTrail } from './trail.ts'
import { type Plan, type Submission, submitChain } from './transfers.ts'

/** The right that a quote gives, as the ledger has it. */
export interface QuoteRight {
  id: Uuid
  state: 'open' | 'executed' | 'expired'
  /** When it was given and when it ends, nanoseconds since 1970. */
  timestamp: bigint
  deadline: bigint
}

/** One side of an exchange. */
export interface Exchanged {
  /** Minor units. */
  amountMinor: bigint
  currency: string
}

/** An exchange as the ledger has it. */
export interface Exchange {
  id: Uuid
  fromWalletId: Uuid
  toWalletId: Uuid
  given: Exchanged
  got: Exchanged
  inputHash: number
  /** What it cost the one who gave, in the currency that was given. */
  fee: StoredFee | undefined
  /** Nanoseconds since 1970. */
  timestamp: bigint
}

/** The right, and what has used it. */
const rightTransfersMax = 2

/** The id of the exchange that uses a quote; its transfers have others. */
export const exchangeId = (quoteId: Uuid): Uuid => computeUuid('exchange', quoteId)

/**
 * Gives the right to exchange once within this time, in whole seconds. The accounts that the exchange will
 * need are there from then on. Rejects with LedgerUnavailable or LedgerOutcomeUnknown.
 */
export async function giveQuoteRight(
  ledger: Ledger,
  { id, from, to }: { id: Uuid; from: Asset; to: Asset },
  timeoutSeconds: number,
): Promise<Submission> {
  await provideAccounts(ledger, [
    ...rightsAccounts(from),
    liquidityAccount(from),
    liquidityAccount(to),
    spreadIncomeAccount(to),
  ])
  const right = toRightLeg(from, ControlCode.quote, timeoutSeconds)
  const names = { id, operationId: id, inputHash: hashInput('quote', id) }
  return submitChain(ledger, [toTransfer(right, names)])
}

/** A quote's right as the ledger has it at `now` (ns since 1970); undefined when there is none. */
export async function readQuoteRight(
  ledger: Ledger,
  id: Uuid,
  now: bigint,
): Promise<QuoteRight | undefined> {
  const code = ControlCode.quote
  return foldRight(await readTrail(ledger, id, { code, limit: rightTransfersMax }), now)
}

/** What a right's transfers, oldest first, amount to at `now`. Pure. */
function foldRight([right, use]: readonly Transfer[], now: bigint): QuoteRight | undefined {
  if (!right) return undefined
  const { timestamp } = right
  const deadline = deadlineOf(right)
  const unused = now < deadline ? 'open' : 'expired'
  return { id: toUuid(right.id), state: use ? 'executed' : unused, timestamp, deadline }
}

/** Between whose wallets, and in which currencies. */
export interface ExchangeRoute {
  fromWalletId: Uuid
  toWalletId: Uuid
  from: Asset
  to: Asset
}

/**
 * The legs that exchange, the first of which stands for the exchange. What the house keeps is left out
 * when it is nothing.
 */
export function toExchangeLegs(
  { fromWalletId, toWalletId, from, to }: ExchangeRoute,
  { fromMinor, toMinor, spreadMinor }: ExchangeAmounts,
): [sale: Leg, purchase: Leg, ...spread: Leg[]] {
  const liquidity = liquidityAccount(to).id
  const sale = {
    debitAccountId: fromWalletId,
    creditAccountId: liquidityAccount(from).id,
    amountMinor: fromMinor,
    asset: from,
    code: TransferCode.exchange_sale,
  }
  const purchase = {
    debitAccountId: liquidity,
    creditAccountId: toWalletId,
    amountMinor: toMinor,
    asset: to,
    code: TransferCode.exchange_purchase,
  }
  const spread = {
    debitAccountId: liquidity,
    creditAccountId: spreadIncomeAccount(to).id,
    amountMinor: spreadMinor,
    asset: to,
    code: TransferCode.exchange_spread,
  }
  return spreadMinor > 0n ? [sale, purchase, spread] : [sale, purchase]
}

/** An exchange as it is submitted: the legs after the one that uses the quote, and which is the sale. */
export interface ExchangePlan {
  quoteId: Uuid
  /** `hashInput` of what the caller asked for. */
  inputHash: number
  legs: Plan['legs']
  /** Which leg is the sale. */
  principalLeg: number
}

/** Uses a quote by one chain: its right is posted, then the legs. As useRight. */
export function submitExchange(
  ledger: Ledger,
  { quoteId, ...plan }: ExchangePlan,
  firstAttempt: number,
): Promise<AttemptedStep> {
  return useRight(ledger, quoteId, { operationId: exchangeId(quoteId), ...plan }, firstAttempt)
}

/** An exchange by its id; undefined when there is none. */
export async function readExchange(ledger: Ledger, id: Uuid): Promise<Exchange | undefined> {
  const transfers = await readTrail(ledger, id)
  const sale = transfers.find(({ code }) => code === TransferCode.exchange_sale)
  const purchase = transfers.find(({ code }) => code === TransferCode.exchange_purchase)
  if (!sale || !purchase) return undefined
  const fee = transfers.find(({ code }) => code === TransferCode.fee)
  return {
    id,
    fromWalletId: toUuid(sale.debit_account_id),
    toWalletId: toUuid(purchase.credit_account_id),
    given: toExchanged(sale),
    got: toExchanged(purchase),
    inputHash: sale.user_data_32,
    fee: fee && toStoredFee(fee, sale.debit_account_id),
    timestamp: sale.timestamp,
  }
}

function toExchanged({ amount, ledger }: Transfer): Exchanged {
  return { amountMinor: amount, currency: assetOfLedger(ledger).currency }
}
