/** What one wallet has paid into another: at once, or by the capture of a hold. */
import { assetOfLedger, TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import { findAttempted } from './history.ts'
import { toLedgerId, type Uuid } from './ids.ts'
import type { Returnable } from './returnable.ts'
import { phaseOf, type StoredOperation, toStored } from './transfers.ts'

/** Debit the wallet that paid, credit the wallet that was paid. */
export interface Paid extends StoredOperation {
  kind: 'payment' | 'capture'
  /** Of a capture its transfer's own id, because its operation is the hold; else the operation's. */
  id: Uuid
}

/** A payment by the id of its operation or of its transfer, or a capture by its id. */
export async function findPaid(ledger: Ledger, id: Uuid): Promise<Paid | undefined> {
  const [transfer] = await ledger.lookupTransfers([toLedgerId(id)])
  if (!transfer) {
    // The payment of an accepted request is an operation whose transfer has another id.
    const operation = await findAttempted(ledger, id, 'payment')
    return operation && { ...operation, kind: 'payment', id }
  }
  const operation = toStored(transfer)
  const phase = phaseOf(transfer.flags)
  if (transfer.code === TransferCode.payment && phase === 'single') {
    return { ...operation, kind: 'payment', id: operation.operationId }
  }
  if (transfer.code === TransferCode.hold && phase === 'post') {
    return { ...operation, kind: 'capture', id: operation.transferId }
  }
  return undefined
}

/** What was paid as something that can be given back. */
export function toReturnable({ id, ledger, amountMinor }: Paid): Returnable {
  return { operationId: id, asset: assetOfLedger(ledger), amountMinor }
}
