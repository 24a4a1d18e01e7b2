import { createAccounts, receivableAccount } from '../../accounting/accounts.ts'
import type { BookedDeposit } from '../../accounting/deposits.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { PassingReason } from '../../accounting/outcome.ts'
import { provideReturnable, readReturnable } from '../../accounting/returnable.ts'
import {
  hashReversal,
  type ReversalPlan,
  readReversal,
  reversalId,
  submitReversal,
  toReturnable,
} from '../../accounting/reversals.ts'
import { readStanding } from '../../accounting/standing.ts'
import type { StoredOperation } from '../../accounting/transfers.ts'
import { mintId } from '../../db/ids.ts'
import { keepReversal, type ReversalDescription } from '../../db/reversals.ts'
import { findWallet } from '../../db/wallets.ts'
import type { PaymentSystem } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { readAmount, readCanonicalAmount } from './amount.ts'
import { byReference } from './by-reference.ts'
import { findOwnDeposit } from './deposits-read.ts'
import { ensureAccounts } from './open-wallet.ts'
import { describeReversal, type Reversal, refuseReversalReuse } from './reversals-read.ts'
import { afterMoving, keepDecline, nextAttempt, refuseInvalid, settle } from './settle.ts'

export interface ReversalInput {
  /** Decimal text in major units; all that is left of the deposit when it is left out. */
  amount?: string | undefined
  reason: string
  /** The reversal's own id outside. */
  reference: string
}

type ReverseDeps = Pick<Deps, 'db' | 'ledger' | 'log'>

/**
 * Takes a deposit back, in full or in part, for the payment system that told of it. The wallet gives
 * what is available, also when it is frozen, and its owner owes the rest; from suspense only all of it
 * is taken. The reference alone makes it happen at most once; what was declined can be sent again.
 * Refusals: deposit_not_found, those of amounts, reversal_too_large, deposit_in_suspense,
 * suspense_returned, suspense_paid_out, payout_capacity_exceeded, reference_reused (with the
 * original), busy, outcome_unknown.
 */
export async function reverseDeposit(
  deps: ReverseDeps,
  caller: PaymentSystem,
  depositId: Uuid,
  input: ReversalInput,
): Promise<{ reversal: Reversal; replayed: boolean }> {
  const deposit = await findOwnDeposit(deps, caller, depositId)
  const { id: paymentSystemId, number } = caller.paymentSystem
  const { amount, reason, reference } = input
  const operationId = reversalId(number, reference)
  const canonical = amount === undefined ? null : readCanonicalAmount(amount)
  const inputHash = hashReversal(depositId, canonical)
  return byReference(
    async () => {
      const asked =
        amount === undefined ? undefined : readAmount(amount, toReturnable(deposit).asset)
      const told = { operationId, inputHash, paymentSystemId, depositId, reference, reason }
      await keepReversal(deps.db, told)
      const { operation, replayed } = await book(deps, caller, told, asked)
      const describing = describeReversal(deps, depositId, operation)
      return { reversal: await afterMoving(operationId, describing), replayed }
    },
    async () => {
      const original = await readReversal(deps.ledger, operationId)
      if (!original) return undefined
      const { operation } = original
      if (operation.inputHash !== inputHash) return refuseReversalReuse(deps, operation)
      return { reversal: await describeReversal(deps, depositId, operation), replayed: true }
    },
  )
}

/** A turn is lost only when something has happened to the deposit, to its wallet or to another copy. */
const turnsMax = 100

/** What a decline of the ledger means here. */
const declines: Partial<Record<PassingReason, RefusalCode | 'again'>> = {
  exceeds_credits: 'reversal_too_large',
  exceeds_debits: 'payout_capacity_exceeded',
  // The wallet was frozen or closed after it was looked at.
  debit_account_already_closed: 'again',
}

/** Takes an amount (minor units) or all that is left. Refusals: as reverseDeposit. */
async function book(
  deps: ReverseDeps,
  caller: PaymentSystem,
  { operationId: id, inputHash, depositId }: ReversalDescription,
  asked: bigint | undefined,
): Promise<{ operation: StoredOperation; replayed: boolean }> {
  let firstAttempt = await nextAttempt(deps.db, id)
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const deposit = await findOwnDeposit(deps, caller, depositId)
    const plan = { id, inputHash, deposit, ...(await planPart(deps, deposit, asked)) }
    const submission = submitReversal(deps.ledger, plan, firstAttempt, mintId)
    const { step, attempt } = await settle(id, submission)
    switch (step.kind) {
      case 'done':
        return step
      case 'conflict':
        throw await refuseReversalReuse(deps, step.operation)
      case 'invalid':
        throw refuseInvalid(step.status)
      case 'declined': {
        const code = declines[step.reason]
        if (!code) throw new Error(`reversal ${id}: leg ${step.leg} was declined: ${step.reason}`)
        // Of all that was left somebody else may have taken a part.
        if (code !== 'again' && !(code === 'reversal_too_large' && asked === undefined)) {
          await keepDecline(deps, { operationId: id, inputHash, attempt, code })
          throw new Refusal(code)
        }
        firstAttempt = attempt + 1
        break
      }
      case 'stale':
        firstAttempt = attempt
        break
      case 'expired':
        throw new Error(`reversal ${id}: neither a freeze nor a right has a deadline`)
      default:
        throw step satisfies never
    }
  }
  throw new Refusal('busy', { retryAfterSeconds: 1 })
}

/**
 * How much is taken, and of which wallet, as the deposit stands now; sees to the accounts that it takes.
 * Refusals: suspense_returned, suspense_paid_out, deposit_in_suspense, reversal_too_large, busy.
 */
async function planPart(
  deps: ReverseDeps,
  deposit: BookedDeposit,
  asked: bigint | undefined,
): Promise<Pick<ReversalPlan, 'amountMinor' | 'wallet'>> {
  const { suspense, walletId } = deposit
  if (suspense?.state === 'returned' || suspense?.state === 'paid_out') {
    throw new Refusal(`suspense_${suspense.state}`)
  }
  const whole = toReturnable(deposit)
  await provideReturnable(deps.ledger, whole)
  const amountMinor = asked ?? (await readReturnable(deps.ledger, whole))
  if (amountMinor === 0n) throw new Refusal('reversal_too_large', 'Nothing of it is left.')
  if (!walletId) {
    if (amountMinor < whole.amountMinor) throw new Refusal('deposit_in_suspense')
    return { amountMinor, wallet: undefined }
  }
  const wallet = await findWallet(deps.db, walletId)
  if (!wallet) throw new Error(`wallet ${walletId} has a deposit and no row`)
  await ensureAccounts(deps, [wallet])
  await createAccounts(deps.ledger, [receivableAccount(wallet.userId, whole.asset)])
  const standing = await readStanding(deps.ledger, walletId)
  if (standing.state === 'closing') throw new Refusal('busy', { retryAfterSeconds: 1 })
  return { amountMinor, wallet: { walletId, userId: wallet.userId, standing } }
}
