import { clearingAccount } from '../../accounting/accounts.ts'
import { assetOf } from '../../accounting/chart.ts'
import { hashInput } from '../../accounting/ids.ts'
import type { PassingReason } from '../../accounting/outcome.ts'
import { provideRights } from '../../accounting/rights.ts'
import { chainLegs, type Plan, principalOf, submitOnce } from '../../accounting/transfers.ts'
import { toWithdrawalLegs } from '../../accounting/withdrawals.ts'
import type { DescriptionKey } from '../../db/descriptions.ts'
import type { PaymentSystemRow } from '../../db/payment-systems.ts'
import { insertWithdrawal } from '../../db/withdrawals.ts'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { maskDestination } from '../destinations.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { readAmount, readCanonicalAmount, readCurrency } from './amount.ts'
import { toBudgetLegs } from './budget-legs.ts'
import { planFee } from './fees.ts'
import { nameOperation, planOrReplay, readSubmission } from './pay.ts'
import { findNamedSystem } from './payment-systems.ts'
import { findPayers } from './resolve-wallets.ts'
import { afterMoving, declineCodes, settle, settleIntent } from './settle.ts'
import { type DescribedWithdrawal, findWithdrawal } from './withdrawals.ts'

export interface WithdrawalInput {
  /** One of the caller's wallets, by id or number. */
  wallet: string
  /** Decimal text in major units. */
  amount: string
  currency?: string | undefined
  /** Who shall pay it out, by id or name. */
  paymentSystem: string
  /** Where to: whatever the payment system understands. */
  destination: string
}

type WithdrawDeps = Pick<Deps, 'db' | 'ledger' | 'log' | 'destinations' | 'settings' | 'nowMs'>

/** What a decline of the ledger means for a withdrawal. */
const codes = {
  ...declineCodes,
  exceeds_debits: 'payout_capacity_exceeded',
  credit_account_not_found: 'payout_capacity_exceeded',
} as const satisfies Record<PassingReason, RefusalCode>

/**
 * Asks for money to be paid out: what is available falls at once by it and its fee, until a payment system tells what
 * became of it, or the caller cancels. With an idempotency key it happens at most once.
 * Refusals: those of amounts, wallet_not_found, wallet_number_mistyped, currency_mismatch,
 * payment_system_not_found, insufficient_funds, limit_exceeded, payout_capacity_exceeded, wallet_closed, declined,
 * abandoned, idempotency_key_reused, outcome_unknown.
 */
export async function withdraw(
  deps: WithdrawDeps,
  caller: Customer,
  input: WithdrawalInput,
  idempotencyKey: string | undefined,
): Promise<{ withdrawal: DescribedWithdrawal; replayed: boolean }> {
  const operationId = nameOperation(caller, idempotencyKey)
  const key = { operationId, inputHash: hashWithdrawal(input) }
  const isKeyed = idempotencyKey !== undefined
  const planned = await planOrReplay(deps, key, isKeyed, () => plan(deps, caller, input, key))
  if ('replay' in planned) return { withdrawal: await read(), replayed: true }

  const { asset, debitAccountId: walletId } = principalOf(planned)
  await provideRights(deps.ledger, asset)
  await insertWithdrawal(deps.db, {
    ...key,
    userId: caller.userId,
    walletId,
    paymentSystemId: planned.paymentSystem.id,
    destination: deps.destinations.encrypt(operationId, input.destination),
    destinationHint: maskDestination(input.destination),
  })
  const submission = await settle(operationId, submitOnce(deps.ledger, planned))
  await settleIntent(deps, 'withdrawals', operationId)
  const { replayed } = await readSubmission(deps, planned, submission, codes)
  return { withdrawal: await read(), replayed }

  function read(): Promise<DescribedWithdrawal> {
    return afterMoving(operationId, findWithdrawal(deps, caller, operationId))
  }
}

/** The canonical input: what the caller wrote, before anything is looked up. */
function hashWithdrawal(input: WithdrawalInput): number {
  const { wallet, amount, currency = null, paymentSystem, destination } = input
  const canonical = readCanonicalAmount(amount)
  return hashInput('withdrawal', wallet, canonical, currency, paymentSystem, destination)
}

async function plan(
  deps: WithdrawDeps,
  caller: Customer,
  { wallet: fromWalletId, amount, currency, paymentSystem: name }: WithdrawalInput,
  key: DescriptionKey,
): Promise<Plan & { paymentSystem: PaymentSystemRow }> {
  if (currency !== undefined) await readCurrency(deps, currency)
  const [wallet] = await findPayers(deps, caller, { fromWalletId, currency })
  if (!wallet) throw new Refusal('wallet_not_found')
  const asset = assetOf(wallet.currency)
  const amountMinor = readAmount(amount, asset)
  const paymentSystem = await findNamedSystem(deps, name)
  if (paymentSystem.deactivatedAt) throw new Refusal('payment_system_not_found')
  const clearingAccountId = clearingAccount(paymentSystem.number, asset).id
  const order = { walletId: wallet.id, clearingAccountId, amountMinor, asset }
  const fee = { operation: 'withdrawal', asset, amountMinor, senderWalletId: wallet.id } as const
  const { legs: feeLegs } = await planFee(deps, fee)
  const budgetLegs = await toBudgetLegs(deps, caller, asset, amountMinor)
  const legs = chainLegs(budgetLegs, toWithdrawalLegs(order, feeLegs))
  return { ...key, ...legs, paymentSystem }
}
