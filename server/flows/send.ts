import { assetOfLedger, TransferCode } from '../../accounting/chart.ts'
import type { Ledger } from '../../accounting/client.ts'
import { findAttempted } from '../../accounting/history.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { findOperation, type StoredOperation } from '../../accounting/transfers.ts'
import { findMemos } from '../../db/descriptions.ts'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { type PayInput, pay } from './pay.ts'

/** A payment that has happened. */
export interface Payment {
  id: Uuid
  fromWalletId: Uuid
  toWalletId: Uuid
  amountMinor: bigint
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
  deps: Pick<Deps, 'db' | 'ledger' | 'log' | 'memos'>,
  caller: Customer,
  input: PayInput,
  idempotencyKey: string | undefined,
): Promise<{ payment: Payment; replayed: boolean }> {
  const terms = { name: 'payment', code: TransferCode.payment } as const
  const { operation, replayed } = await pay(deps, caller, input, terms, idempotencyKey)
  return { payment: toPayment(operation, input.memo), replayed }
}

/** A payment as it is shown. */
export function toPayment(operation: StoredOperation, memo: string | null | undefined): Payment {
  return {
    id: operation.operationId,
    fromWalletId: operation.debitAccountId,
    toWalletId: operation.creditAccountId,
    amountMinor: operation.amountMinor,
    currency: assetOfLedger(operation.ledger).currency,
    memo: memo ?? null,
    timestamp: operation.timestamp,
  }
}

/**
 * A payment that one of the caller's wallets has sent or received.
 * Refusal: transfer_not_found, also for other people's transfers.
 */
export async function readPayment(
  deps: Pick<Deps, 'db' | 'ledger'>,
  caller: Customer,
  id: Uuid,
): Promise<Payment> {
  const operation = await findPayment(deps.ledger, id)
  const isParty =
    operation &&
    caller.wallets.some(
      (wallet) => wallet.id === operation.debitAccountId || wallet.id === operation.creditAccountId,
    )
  if (!isParty) throw new Refusal('transfer_not_found')
  const memos = await findMemos(deps.db, [operation])
  return toPayment(operation, memos.get(operation.operationId))
}

/** A payment by its id, which is that of its transfer unless it has accepted a request. */
async function findPayment(ledger: Ledger, id: Uuid): Promise<StoredOperation | undefined> {
  const operation = await findOperation(ledger, id)
  if (operation?.code === TransferCode.payment) return operation
  return findAttempted(ledger, id, 'payment')
}
