/**
 * Suspense: money that a payment system has received and that cannot be credited to the wallet it
 * names. With it comes a right on the control ledger to let it out: assigning, returning and paying it
 * out all use it up, and TigerBeetle resolves a pending transfer at most once, so that exactly one of
 * them happens.
 *
 * An operator's assignments and returns of a deposit are one sequence of attempts: the transfer that uses the right is
 * the principal leg, so that one which was declined, or was in doubt when another was made, cannot
 * happen later.
 */
import type { Transfer } from 'tigerbeetle-node'
import { type AccountPlan, bankAccount, clearingAccount, suspenseAccount } from './accounts.ts'
import { type Asset, assetOfLedger, ControlCode, TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import type { SuspendedDeposit } from './deposits.ts'
import { computeUuid, type Uuid } from './ids.ts'
import { type Chain, type Leg, toPost, toTransfer } from './legs.ts'
import { findOwedLegs } from './receivable.ts'
import { rightsAccounts, toRightLeg } from './rights.ts'
import { type AttemptedStep, submitStepAttempt } from './steps.ts'

/** The accounts that the way into suspense uses; they have to exist before. */
export function suspenseAccounts(paymentSystemNumber: number, asset: Asset): AccountPlan[] {
  return [suspenseAccount(paymentSystemNumber, asset), ...rightsAccounts(asset)]
}

/** The legs of a deposit (minor units) into suspense, and of the right to let it out. */
export function toSuspenseLegs(
  paymentSystemNumber: number,
  asset: Asset,
  amountMinor: bigint,
): [Leg, Leg] {
  const into = {
    debitAccountId: clearingAccount(paymentSystemNumber, asset).id,
    creditAccountId: suspenseAccount(paymentSystemNumber, asset).id,
    amountMinor,
    asset,
    code: TransferCode.suspense,
  }
  return [into, toRightLeg(asset, ControlCode.suspense_release, 0)]
}

/** The operation of letting a deposit out of suspense; the transfer that does is an attempt at it. */
export const releasingId = (depositId: Uuid): Uuid => computeUuid('release', depositId)

/** The use of the right to let a deposit out of suspense: the first transfer of the chain that does. */
export function toRelease({ operation, suspense }: SuspendedDeposit, id: Uuid): Transfer {
  const { inputHash } = operation
  return toPost({ id, pendingId: suspense.rightId, inputHash }, 0n)
}

/** A transfer of the deposit's own: it carries the id and the input hash by which it was told. */
function toOwnTransfer({ operation }: SuspendedDeposit, leg: Leg, freshId: () => Uuid): Transfer {
  const { operationId, inputHash } = operation
  return toTransfer(leg, { id: freshId(), operationId, inputHash })
}

/** The transfer of a deposit out of suspense to where it came from. */
export function toSuspenseReturn(deposit: SuspendedDeposit, freshId: () => Uuid): Transfer {
  const { debitAccountId, creditAccountId, amountMinor, ledger } = deposit.operation
  const leg = {
    debitAccountId: creditAccountId,
    creditAccountId: debitAccountId,
    amountMinor,
    asset: assetOfLedger(ledger),
    code: TransferCode.suspense_return,
  }
  return toOwnTransfer(deposit, leg, freshId)
}

/**
 * The transfers by which the house itself sends a deposit in suspense back: its right is used up, debit
 * suspense, credit bank. The payment system's clearing account keeps the money.
 */
export function toSuspensePayout(deposit: SuspendedDeposit, freshId: () => Uuid): Chain {
  const { creditAccountId, amountMinor, ledger } = deposit.operation
  const asset = assetOfLedger(ledger)
  const leg = {
    debitAccountId: creditAccountId,
    creditAccountId: bankAccount(asset).id,
    amountMinor,
    asset,
    code: TransferCode.suspense_payout,
  }
  return [toRelease(deposit, freshId()), toOwnTransfer(deposit, leg, freshId)]
}

/** Returns a deposit from suspense; `stale` when it was let out before. As submitAttempt. */
export function returnSuspense(
  ledger: Ledger,
  deposit: SuspendedDeposit,
  firstAttempt: number,
  freshId: () => Uuid,
): Promise<AttemptedStep> {
  return release(ledger, deposit, firstAttempt, [toSuspenseReturn(deposit, freshId)])
}

/**
 * Credits a deposit from suspense to a wallet, where it pays first what the wallet's owner owes;
 * `stale` when it was let out before. As submitAttempt.
 */
export async function assignSuspense(
  ledger: Ledger,
  deposit: SuspendedDeposit,
  { walletId, userId }: { walletId: Uuid; userId: Uuid },
  firstAttempt: number,
  freshId: () => Uuid,
): Promise<AttemptedStep> {
  const { creditAccountId, amountMinor, ledger: number } = deposit.operation
  const asset = assetOfLedger(number)
  const assignment = {
    debitAccountId: creditAccountId,
    creditAccountId: walletId,
    amountMinor,
    asset,
    code: TransferCode.suspense_assignment,
  }
  const owedLegs = await findOwedLegs(ledger, { walletId, userId, asset }, amountMinor)
  const legs = [assignment, ...owedLegs].map((leg) => toOwnTransfer(deposit, leg, freshId))
  return release(ledger, deposit, firstAttempt, legs)
}

function release(
  ledger: Ledger,
  deposit: SuspendedDeposit,
  firstAttempt: number,
  legs: Chain,
): Promise<AttemptedStep> {
  const operationId = releasingId(deposit.operation.operationId)
  const toChain = (id: Uuid) => [toRelease(deposit, id), ...legs]
  return submitStepAttempt(ledger, operationId, firstAttempt, toChain)
}
