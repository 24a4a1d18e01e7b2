import { assetOfLedger, ControlCode, TransferCode } from '../../accounting/chart.ts'
import {
  computeFeeRefund,
  findFee,
  findFeeRefunds,
  type StoredFee,
  toFeeRefundLeg,
} from '../../accounting/fees.ts'
import { hashInput, type Uuid } from '../../accounting/ids.ts'
import type { Leg } from '../../accounting/legs.ts'
import type { PassingReason } from '../../accounting/outcome.ts'
import { type Paid, toReturnable } from '../../accounting/paid.ts'
import {
  provideReturnable,
  type Returnable,
  readReturnable,
  toReturnLeg,
} from '../../accounting/returnable.ts'
import { type Plan, principalOf, type Submission, submitOnce } from '../../accounting/transfers.ts'
import { findFeeSchedule } from '../../db/fee-schedules.ts'
import { insertRefund } from '../../db/refunds.ts'
import { type Customer, type Operator, speaksFor } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { readAmount, readCanonicalAmount, showAmount } from './amount.ts'
import { explainDecline, nameOperation } from './pay.ts'
import { findVisiblePayment } from './read-payment.ts'
import { type Refund, toRefund } from './read-refunds.ts'
import {
  afterMoving,
  declineCodes,
  keepDecline,
  refuseAgain,
  refuseInvalid,
  settle,
} from './settle.ts'

export interface RefundInput {
  /** Decimal text in major units; all that is left when it is left out. */
  amount?: string | undefined
  reason?: string | undefined
}

type RefundDeps = Pick<Deps, 'db' | 'ledger' | 'log'>

/**
 * Gives a payment or a capture back, in full or in part: debit the wallet that was paid, credit the one
 * that has paid. The payee's right, and any operator's. The parts together never exceed what was paid:
 * the same chain uses up what the ledger has granted for this payment. A part of its fee goes back with
 * it when the schedule says so by which that fee was taken. With an idempotency key it happens at most once.
 * Refusals: transfer_not_found, exchange_not_refundable, not_the_payee, those of amounts, refund_too_large,
 * insufficient_funds,
 * wallet_closed, recipient_closed, declined, idempotency_key_reused, outcome_unknown.
 */
export async function refundPayment(
  deps: RefundDeps,
  caller: Customer | Operator,
  transferId: Uuid,
  input: RefundInput,
  idempotencyKey: string | undefined,
): Promise<{ refund: Refund; replayed: boolean }> {
  const key = {
    operationId: nameOperation(caller, idempotencyKey),
    inputHash: hashRefund(transferId, input),
  }
  const paid = await findVisiblePayment(deps, caller, transferId)
  if (!speaksFor(caller, paid.creditAccountId)) throw new Refusal('not_the_payee')
  const whole = toReturnable(paid)
  const amountMinor = await readRefundAmount(deps, whole, input)
  const feeLegs = await findFeeLegs(deps, paid, amountMinor)
  const plan = planRefund(paid, { whole, amountMinor, feeLegs }, key)
  const told = { ...key, transferId: paid.id, reason: input.reason ?? null }
  await insertRefund(deps.db, told)
  await provideReturnable(deps.ledger, whole)

  const submission = await settle(key.operationId, submitOnce(deps.ledger, plan))
  switch (submission.kind) {
    case 'done': {
      const { operation, replayed } = submission
      const feeRefunds = await afterMoving(
        operation.operationId,
        findFeeRefunds(deps.ledger, [operation]),
      )
      return { refund: toRefund(operation, told, feeRefunds.get(operation.transferId)), replayed }
    }
    case 'conflict':
      throw new Refusal('idempotency_key_reused')
    case 'invalid':
      throw refuseInvalid(submission.status)
    case 'declined':
      throw await refuseDecline(deps, whole, plan, submission)
    default:
      throw submission satisfies never
  }
}

/** The canonical input: what the caller wrote, before anything is looked up. */
function hashRefund(transferId: Uuid, { amount, reason }: RefundInput): number {
  const canonical = amount === undefined ? null : readCanonicalAmount(amount)
  return hashInput('refund', transferId, canonical, reason ?? null)
}

/**
 * In minor units. When nothing is left, the ledger is asked for the least there is all the same: it
 * knows whether nothing is left because this refund has happened before. Refusals: those of amounts.
 */
async function readRefundAmount(
  { ledger }: RefundDeps,
  whole: Returnable,
  { amount }: RefundInput,
): Promise<bigint> {
  if (amount !== undefined) return readAmount(amount, whole.asset)
  const left = await readReturnable(ledger, whole)
  return left > 0n ? left : 1n
}

/** What goes back of the fee with this part (minor units): one leg, or none. */
async function findFeeLegs(
  { db, ledger }: RefundDeps,
  paid: Paid,
  partMinor: bigint,
): Promise<Leg[]> {
  const fee = await findFee(ledger, paid)
  if (!fee || !(await isGivenBack(db, fee))) return []
  const wholeMinor = paid.amountMinor
  // Too large a part is declined by the ledger, whatever the fee.
  const part = { partMinor: partMinor < wholeMinor ? partMinor : wholeMinor, wholeMinor }
  const feeMinor = computeFeeRefund(fee.amountMinor, part)
  return feeMinor > 0n ? [toFeeRefundLeg(fee, feeMinor, assetOfLedger(paid.ledger))] : []
}

/** By the schedule that the fee was taken by, whatever is in force now. */
async function isGivenBack(db: Deps['db'], { ruleNumber }: StoredFee): Promise<boolean> {
  const schedule = await findFeeSchedule(db, { number: ruleNumber })
  if (!schedule) throw new Error(`fee schedule ${ruleNumber} was used and is not there`)
  return schedule.refund === 'proportional'
}

/** A payee who has borne the fee gets it back first, so that all can be given back of what had arrived. */
function planRefund(
  paid: Paid,
  { whole, amountMinor, feeLegs }: { whole: Returnable; amountMinor: bigint; feeLegs: Leg[] },
  key: { operationId: Uuid; inputHash: number },
): Plan {
  const back = {
    debitAccountId: paid.creditAccountId,
    creditAccountId: paid.debitAccountId,
    amountMinor,
    asset: whole.asset,
    code: TransferCode.refund,
  }
  const legs = [back, toReturnLeg(whole, amountMinor)] as const
  const [feeLeg] = feeLegs
  if (!feeLeg) return { ...key, legs }
  return feeLeg.creditAccountId === paid.creditAccountId
    ? { ...key, legs: [feeLeg, ...legs], principalLeg: 1 }
    : { ...key, legs: [...legs, feeLeg] }
}

/**
 * The refusal for a decline that is final by now; its reason is kept for replays. A wallet that lacks
 * money is not the reason told when the refund would be too large anyway.
 */
async function refuseDecline(
  deps: RefundDeps,
  whole: Returnable,
  plan: Plan,
  { leg, reason }: Extract<Submission, { kind: 'declined' }>,
): Promise<Refusal> {
  if (!reason) return refuseAgain(deps, plan)
  const back = principalOf(plan)
  const left = await readReturnable(deps.ledger, whole).catch(() => undefined)
  const isTooLarge = left !== undefined && reason === 'exceeds_credits' && back.amountMinor > left
  const code = isTooLarge ? 'refund_too_large' : readDecline(plan, leg, reason)
  const { operationId, inputHash } = plan
  await keepDecline(deps, { operationId, inputHash, attempt: 0, code })
  if (code === 'refund_too_large') return refuseTooLarge(whole, left)
  const feeBack = plan.legs.find(({ creditAccountId }) => creditAccountId === back.debitAccountId)
  const amountMinor = back.amountMinor - (feeBack?.amountMinor ?? 0n)
  return explainDecline(deps, { ...back, amountMinor }, code)
}

/** What the decline of a leg means. */
function readDecline({ legs, principalLeg = 0 }: Plan, leg: number, reason: PassingReason) {
  if (legs[leg]?.code === ControlCode.returnable_use) return 'refund_too_large'
  // Before the principal only the payee's wallet gets its fee back.
  return leg < principalLeg && reason === 'credit_account_already_closed'
    ? 'wallet_closed'
    : declineCodes[reason]
}

function refuseTooLarge({ asset: { currency } }: Returnable, left: bigint | undefined): Refusal {
  if (left === undefined) return new Refusal('refund_too_large')
  const refundable = showAmount(left, currency)
  return new Refusal('refund_too_large', {
    detail: `${refundable} ${currency} are left to refund.`,
    extra: { refundable, currency },
  })
}
