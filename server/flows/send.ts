import { assetOfLedger } from '../../accounting/chart.ts'
import type { Fee } from '../../accounting/fees.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { StoredOperation } from '../../accounting/transfers.ts'
import type { Customer } from '../caller.ts'
import { type PayDeps, type PayInput, pay, paymentTerms } from './pay.ts'

/** A payment that has happened. */
export interface Payment {
  id: Uuid
  fromWalletId: Uuid
  toWalletId: Uuid
  amountMinor: bigint
  fee: Fee | undefined
  currency: string
  memo: string | null
  /** Nanoseconds since 1970. */
  timestamp: bigint
}

/**
 * Pays from one of the caller's wallets into another wallet, at once: debit payer, credit payee.
 * Refusals: those of pay.
 */
export async function send(
  deps: PayDeps,
  caller: Customer,
  input: PayInput,
  idempotencyKey: string | undefined,
): Promise<{ payment: Payment; replayed: boolean }> {
  const { operation, fee, replayed } = await pay(deps, caller, input, paymentTerms, idempotencyKey)
  return { payment: toPayment(operation, fee, input.memo), replayed }
}

/** A payment as it is shown. */
export function toPayment(
  operation: StoredOperation,
  fee: Fee | undefined,
  memo: string | null | undefined,
): Payment {
  return {
    id: operation.operationId,
    fromWalletId: operation.debitAccountId,
    toWalletId: operation.creditAccountId,
    amountMinor: operation.amountMinor,
    fee,
    currency: assetOfLedger(operation.ledger).currency,
    memo: memo ?? null,
    timestamp: operation.timestamp,
  }
}
