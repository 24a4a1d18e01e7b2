/**
 * Charge-backs: a payment system takes a deposit back, in full or in parts. A part is one chain. Its
 * principal leg uses up what may still be given back of the deposit; with it the money leaves the
 * clearing account, and the wallet gives what it has: the rest is owed by its owner.
 */
import type { Transfer } from 'tigerbeetle-node'
import { receivableAccount } from './accounts.ts'
import { assetOfLedger, ControlCode, TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import { type BookedDeposit, wasSuspended } from './deposits.ts'
import { computeUuid, hashInput, type Uuid } from './ids.ts'
import { type Leg, toTransfer } from './legs.ts'
import { toOwedLeg } from './receivable.ts'
import { type Returnable, toReturnLeg } from './returnable.ts'
import { type Standing, throughFreeze } from './standing.ts'
import { type AttemptedStep, submitStepAttempt } from './steps.ts'
import { toRelease, toSuspenseReturn } from './suspense.ts'
import { readTrail } from './trail.ts'
import { type StoredOperation, toStored } from './transfers.ts'

/** A reversal as the ledger has it. */
export interface BookedReversal {
  /** The principal leg, on the control ledger; its amount is what was taken back. */
  operation: StoredOperation
  /** What the wallet gave, and what it left owing; minor units. */
  fromWalletMinor: bigint
  owedMinor: bigint
}

/** The id of the reversal that a payment system means by a reference of its own. */
export function reversalId(paymentSystemNumber: number, reference: string): Uuid {
  return computeUuid('reversal', paymentSystemNumber, reference)
}

/** Of a part of a deposit, in canonical decimal text of major units, or of all that is left (null). */
export function hashReversal(depositId: Uuid, amount: string | null): number {
  return hashInput('reversal', depositId, amount)
}

/** The use of what may be given back, the charge-back and what the wallet paid of it. */
const transfersMax = 3

/** The reversal of an id, whatever attempt it took; undefined when there is none. */
export async function readReversal(ledger: Ledger, id: Uuid): Promise<BookedReversal | undefined> {
  const transfers = await readTrail(ledger, id, { limit: transfersMax })
  const find = (code: number) => transfers.find((transfer) => transfer.code === code)
  const principal = find(ControlCode.returnable_use)
  if (!principal) return undefined
  const takenMinor = find(TransferCode.chargeback)?.amount ?? 0n
  // Of a balancing leg only the stored transfer tells what moved.
  const fromWalletMinor = find(TransferCode.chargeback_payment)?.amount ?? 0n
  return {
    operation: toStored(principal),
    fromWalletMinor,
    owedMinor: takenMinor - fromWalletMinor,
  }
}

/** What there is to give back of a deposit. */
export function toReturnable({ operation }: BookedDeposit): Returnable {
  const { operationId, amountMinor, ledger } = operation
  return { operationId, amountMinor, asset: assetOfLedger(ledger) }
}

export interface ReversalPlan {
  id: Uuid
  inputHash: number
  amountMinor: bigint
  deposit: BookedDeposit
  /** The wallet that has the deposit and how it stands; undefined while it is in suspense. */
  wallet: { walletId: Uuid; userId: Uuid; standing: Standing } | undefined
}

/**
 * Submits an attempt at a reversal; a decline is final for this attempt. `stale` when the deposit has
 * left suspense or the wallet was thawed meanwhile: then the same attempt has to be submitted as they
 * stand now. As submitAttempt.
 */
export function submitReversal(
  ledger: Ledger,
  plan: ReversalPlan,
  firstAttempt: number,
  freshId: () => Uuid,
): Promise<AttemptedStep> {
  return submitStepAttempt(ledger, plan.id, firstAttempt, (id) => toChain(plan, id, freshId))
}

function toChain(plan: ReversalPlan, principalId: Uuid, freshId: () => Uuid): Transfer[] {
  const { id: operationId, inputHash, amountMinor, deposit, wallet } = plan
  const whole = toReturnable(deposit)
  const transfers = (...legs: Leg[]) =>
    legs.map((leg, index) => {
      const id = index === 0 ? principalId : computeUuid('leg', principalId, index)
      return toTransfer(leg, { id, operationId, inputHash })
    })
  const use = toReturnLeg(whole, amountMinor)
  if (!wallet) {
    if (!wasSuspended(deposit)) throw new Error(`deposit ${whole.operationId} has no wallet`)
    return [toRelease(deposit, freshId()), ...transfers(use), toSuspenseReturn(deposit, freshId)]
  }
  const { walletId, userId, standing } = wallet
  const { asset } = whole
  const chargeback = {
    debitAccountId: receivableAccount(userId, asset).id,
    creditAccountId: deposit.operation.debitAccountId,
    amountMinor,
    asset,
    code: TransferCode.chargeback,
  }
  // A wallet that its owner has closed is empty for ever.
  if (standing.state === 'closed') return transfers(use, chargeback)
  const legs = transfers(use, chargeback, toOwedLeg({ walletId, userId, asset }, amountMinor))
  if (!standing.closingId) return legs
  return throughFreeze({ id: walletId, asset }, standing.closingId, legs, freshId)
}
