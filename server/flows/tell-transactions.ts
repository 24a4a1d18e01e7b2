import { type TransferKind, transferKindOf } from '../../accounting/chart.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { StoredOperation } from '../../accounting/transfers.ts'
import { findApprovalBodies } from '../../db/approvals.ts'
import { findDeposits } from '../../db/descriptions.ts'
import { findRefunds } from '../../db/refunds.ts'
import { findReversals } from '../../db/reversals.ts'
import type { Deps } from '../deps.ts'
import { type ApprovalSubject, toSubject } from './approval-effects.ts'
import { describePayouts } from './describe-payouts.ts'

/** What is known of a transaction besides its transfer and the owner of the other wallet. */
export interface ToldTransaction {
  /** Who is on the other side when that is no wallet: a payment system, or the house. */
  name: string | null
  memo: string | null
  reference: string | null
}

/** As the other side of a wallet the house has this name. */
const houseName = 'Kassa'

/** Money from outside pays first what the wallet's owner owes, and it is owed to the house. */
const paidToHouse = {
  name: houseName,
  memo: 'Owing since a deposit was taken back',
  reference: null,
}

/** Fees are the house's. */
const feeOfHouse = { name: houseName, memo: null, reference: null }

/** What payment systems, and those who refund, told about transactions; by the id of the transfer. */
export async function tellTransactions(
  deps: Pick<Deps, 'db'>,
  entries: readonly StoredOperation[],
): Promise<Map<Uuid, ToldTransaction>> {
  const ofKind = (...kinds: TransferKind[]) =>
    entries.filter(({ code }) => kinds.includes(transferKindOf(code)))
  const received = ofKind('deposit', 'suspense_assignment')
  const paidBack = ofKind('chargeback_payment')
  const refunded = ofKind('refund')
  const paidOut = ofKind('withdrawal')
  const rewarded = ofKind('reward')
  const [deposits, reversals, refunds, payouts, rewards] = await Promise.all([
    findDeposits(deps.db, received),
    findReversals(deps.db, paidBack),
    findRefunds(deps.db, refunded),
    describePayouts(deps, paidOut),
    findApprovalBodies(deps.db, rewarded),
  ])
  const told = new Map<Uuid, ToldTransaction>()
  for (const { transferId, operationId } of received) {
    const deposit = deposits.get(operationId)
    if (deposit) told.set(transferId, { ...toTold(deposit), memo: deposit.details })
  }
  for (const { transferId, operationId } of paidBack) {
    const reversal = reversals.get(operationId)
    told.set(transferId, reversal ? toTold(reversal) : paidToHouse)
  }
  for (const { transferId, operationId } of refunded) {
    const memo = refunds.get(operationId)?.reason ?? null
    told.set(transferId, { name: null, memo, reference: null })
  }
  for (const { transferId } of paidOut) {
    const payout = payouts.get(transferId)
    if (payout) told.set(transferId, toTold(payout))
  }
  for (const { transferId } of ofKind('fee', 'fee_refund')) told.set(transferId, feeOfHouse)
  for (const { transferId, operationId } of rewarded) {
    const approval = rewards.get(operationId)
    const reference = approval ? referenceOf(toSubject(approval)) : null
    told.set(transferId, { name: houseName, memo: null, reference })
  }
  return told
}

/** The reason of an adjustment is for operators; the customer sees the reference. */
const referenceOf = ({ kind, body }: ApprovalSubject): string | null =>
  kind === 'adjustment' ? (body.reference ?? null) : null

/** What a payment system told, as part of a transaction. */
function toTold(told: {
  paymentSystemName: string | null
  reference: string | null
  reason?: string | null
}): ToldTransaction {
  const { paymentSystemName: name, reference, reason: memo = null } = told
  return { name, memo, reference }
}
