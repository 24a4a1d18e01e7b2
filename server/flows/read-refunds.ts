import { assetOfLedger, TransferCode } from '../../accounting/chart.ts'
import { findFeeRefunds } from '../../accounting/fees.ts'
import type { HistoryRange } from '../../accounting/history.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { toReturnable } from '../../accounting/paid.ts'
import { readReturnable, readReturns } from '../../accounting/returnable.ts'
import { findOperation, findOperations, type StoredOperation } from '../../accounting/transfers.ts'
import { ofAccounts } from '../../db/lifecycles.ts'
import { findRefunds, type RefundDescription } from '../../db/refunds.ts'
import { type Customer, type Operator, speaksFor } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { listFollowed } from './followed-list.ts'
import { findVisiblePayment } from './read-payment.ts'

/** A refund that has happened. */
export interface Refund {
  id: Uuid
  /** The payment or capture that it gives back; null when its description is lost. */
  transferId: Uuid | null
  /** The wallet that was paid, and gives back. */
  fromWalletId: Uuid
  toWalletId: Uuid
  amountMinor: bigint
  /** What of the fee went back with it, to whoever had borne it. */
  feeRefundedMinor: bigint
  currency: string
  reason: string | null
  /** Nanoseconds since 1970. */
  timestamp: bigint
}

/** A refund as the ledger has it, with what describes it. */
export function toRefund(
  operation: StoredOperation,
  told: Pick<RefundDescription, 'transferId' | 'reason'> | undefined,
  feeRefundedMinor = 0n,
): Refund {
  return {
    id: operation.operationId,
    transferId: told?.transferId ?? null,
    fromWalletId: operation.debitAccountId,
    toWalletId: operation.creditAccountId,
    amountMinor: operation.amountMinor,
    feeRefundedMinor,
    currency: assetOfLedger(operation.ledger).currency,
    reason: told?.reason ?? null,
    timestamp: operation.timestamp,
  }
}

type ReadDeps = Pick<Deps, 'db' | 'ledger'>

/**
 * A refund that one of the caller's wallets has given or got; any one for an operator.
 * Refusal: refund_not_found, also for other people's.
 */
export async function readRefund(
  deps: ReadDeps,
  caller: Customer | Operator,
  id: Uuid,
): Promise<Refund> {
  const operation = await findOperation(deps.ledger, id)
  if (operation?.code !== TransferCode.refund) throw new Refusal('refund_not_found')
  const { debitAccountId, creditAccountId } = operation
  const isParty = speaksFor(caller, debitAccountId) || speaksFor(caller, creditAccountId)
  if (!isParty) throw new Refusal('refund_not_found')
  const [refund] = await describe(deps, [operation])
  return refund!
}

/**
 * A page of the refunds of one payment, newest first, and what is left to refund in minor units; both
 * from the ledger. Refusals: transfer_not_found, exchange_not_refundable.
 */
export async function listRefundsOf(
  deps: ReadDeps,
  caller: Customer | Operator,
  transferId: Uuid,
  range: HistoryRange,
): Promise<{ refunds: Refund[]; refundableMinor: bigint; currency: string }> {
  const paid = await findVisiblePayment(deps, caller, transferId)
  const whole = toReturnable(paid)
  const [operations, refundableMinor] = await Promise.all([
    readReturns(deps.ledger, whole, range),
    readReturnable(deps.ledger, whole),
  ])
  const refunds = await describe(deps, operations)
  return { refunds, refundableMinor, currency: whole.asset.currency }
}

export interface RefundQuery extends HistoryRange {
  /** Of the payment that is given back. */
  side: 'payer' | 'payee' | 'both'
}

/**
 * A page of the refunds that the caller's wallets have given or got, newest first. Which ones there are
 * comes from the read model, which follows the ledger: `asOf` tells how fresh it is.
 */
export async function listRefunds(
  deps: ReadDeps & Pick<Deps, 'nowMs'>,
  caller: Customer,
  query: RefundQuery,
): Promise<{ refunds: Refund[]; asOf: Date }> {
  const walletIds = caller.wallets.map(({ id }) => id)
  const side = ({ payer: 'credit', payee: 'debit', both: 'both' } as const)[query.side]
  const { entries, asOf } = await listFollowed(
    deps,
    { kind: 'refund', ...query },
    ofAccounts(walletIds, side),
  )
  const operations = await findOperations(
    deps.ledger,
    entries.map(({ id }) => id),
  )
  return { refunds: await describe(deps, operations), asOf }
}

async function describe(deps: ReadDeps, operations: readonly StoredOperation[]): Promise<Refund[]> {
  const [told, feeRefunds] = await Promise.all([
    findRefunds(deps.db, operations),
    findFeeRefunds(deps.ledger, operations),
  ])
  return operations.map((operation) => {
    const { operationId, transferId } = operation
    return toRefund(operation, told.get(operationId), feeRefunds.get(transferId))
  })
}
