import { bankAccount, provideAccounts } from '../../accounting/accounts.ts'
import {
  type AdjustmentKind,
  type AdjustmentParties,
  toAdjustmentTransfer,
} from '../../accounting/adjustments.ts'
import { type Asset, assetOf, assetOfLedger } from '../../accounting/chart.ts'
import { readDeposit, wasSuspended } from '../../accounting/deposits.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { Chain } from '../../accounting/legs.ts'
import { lookUpAccounts } from '../../accounting/lookup.ts'
import type { PassingReason } from '../../accounting/outcome.ts'
import { toSuspensePayout } from '../../accounting/suspense.ts'
import type { DescriptionKey } from '../../db/descriptions.ts'
import { mintId } from '../../db/ids.ts'
import { findPaymentSystem } from '../../db/payment-systems.ts'
import { findWallet } from '../../db/wallets.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { readAmount, showAmount } from './amount.ts'
import { ensureAccounts } from './open-wallet.ts'

/** An adjustment that an operator asks for, with everything that it names found. */
export interface AdjustmentBody {
  kind: AdjustmentKind | 'suspense_payout'
  /** Decimal text in major units. */
  amount: string
  currency: string
  payment_system_id?: Uuid
  user_id?: Uuid
  wallet_id?: Uuid
  /** Of the deposit in suspense that is paid out. */
  deposit_id?: Uuid
  /** Of the bank statement, the invoice, or what else it is booked by. */
  reference?: string
}

type AdjustDeps = Pick<Deps, 'db' | 'ledger'>

/** On whose control ledger the right to approve it is. */
export const assetOfAdjustment = ({ currency }: AdjustmentBody): Asset => assetOf(currency)

/**
 * What an adjustment moves, as transfers for the chain that approves it; sees to their accounts.
 * Refusals: suspense_not_found, suspense_ and how the deposit stands by now.
 */
export async function planAdjustment(
  deps: AdjustDeps,
  { operationId, inputHash }: DescriptionKey,
  body: AdjustmentBody,
): Promise<Chain> {
  const { kind, amount } = body
  const asset = assetOfAdjustment(body)
  if (kind === 'suspense_payout') return planPayout(deps, asset, body.deposit_id)
  const parties = { asset, ...(await findParties(deps, body)) }
  const adjustment = { kind, parties, amountMinor: readAmount(amount, asset) }
  return toAdjustmentTransfer(deps.ledger, adjustment, { id: mintId(), operationId, inputHash })
}

async function planPayout(
  { ledger }: AdjustDeps,
  asset: Asset,
  depositId: Uuid | undefined,
): Promise<Chain> {
  const deposit = depositId ? await readDeposit(ledger, depositId) : undefined
  if (!deposit || !wasSuspended(deposit)) throw new Refusal('suspense_not_found')
  const { state } = deposit.suspense
  if (state !== 'open') throw new Refusal(`suspense_${state}`)
  await provideAccounts(ledger, [bankAccount(asset)])
  return toSuspensePayout(deposit, mintId)
}

async function findParties(
  deps: AdjustDeps,
  { payment_system_id: systemId, wallet_id: walletId, user_id: userId }: AdjustmentBody,
): Promise<Omit<AdjustmentParties, 'asset'>> {
  const system = systemId === undefined ? undefined : await findPaymentSystem(deps.db, systemId)
  const wallet = walletId === undefined ? undefined : await findWallet(deps.db, walletId)
  if (wallet) await ensureAccounts(deps, [wallet])
  return {
    ...(system && { paymentSystemNumber: system.number }),
    ...(wallet && { walletId: wallet.id }),
    ...(userId !== undefined && { userId }),
  }
}

/**
 * The refusal of what the ledger has declined; with what there is to take it from, when that was not enough
 * and can be read.
 */
export async function refuseAdjustment(
  { ledger }: Pick<Deps, 'ledger'>,
  chain: Chain,
  reason: PassingReason,
): Promise<Refusal> {
  const code = adjustmentDeclines[reason]
  // Of a payout from suspense the right to it comes first.
  const money = chain.at(-1)
  if (!money || code !== 'adjustment_exceeds_balance') return new Refusal(code)
  const isDebited = reason === 'exceeds_credits'
  const id = isDebited ? money.debit_account_id : money.credit_account_id
  const found = await lookUpAccounts(ledger, [id]).catch(() => undefined)
  if (!found) return new Refusal(code)
  const account = found.get(id) ?? emptyAccount
  const postedMinor = account.credits_posted - account.debits_posted
  const availableMinor = isDebited
    ? postedMinor - account.debits_pending
    : -postedMinor - account.credits_pending
  const { currency } = assetOfLedger(money.ledger)
  const available = showAmount(availableMinor, currency)
  const required = showAmount(money.amount, currency)
  return new Refusal(code, {
    detail: `${required} ${currency} were to be taken, ${available} are available.`,
    extra: { available, required, currency },
  })
}

/** Of an account that is not there, such as the receivable of somebody who never owed anything. */
const emptyAccount = {
  debits_posted: 0n,
  debits_pending: 0n,
  credits_posted: 0n,
  credits_pending: 0n,
}

/** What a decline of the ledger means for an adjustment. */
const adjustmentDeclines = {
  exceeds_credits: 'adjustment_exceeds_balance',
  exceeds_debits: 'adjustment_exceeds_balance',
  // The receivable of somebody who never owed anything.
  credit_account_not_found: 'adjustment_exceeds_balance',
  credit_account_already_closed: 'recipient_closed',
  // What is debited is the house's: it is there, and nobody closes it.
  debit_account_not_found: 'declined',
  debit_account_already_closed: 'declined',
  pending_transfer_not_found: 'declined',
} as const satisfies Record<PassingReason, RefusalCode>
