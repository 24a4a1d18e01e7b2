import { findFee } from '../../accounting/fees.ts'
import { findAttempted } from '../../accounting/history.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { findPaid, type Paid, toReturnable } from '../../accounting/paid.ts'
import { readReturnable } from '../../accounting/returnable.ts'
import { findMemos } from '../../db/descriptions.ts'
import type { Customer, Operator } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { type Payment, toPayment } from './send.ts'

/** A payment or a capture, and what has become of it. */
export interface PaymentInFull extends Payment {
  kind: Paid['kind']
  /** Of a capture. */
  holdId: Uuid | undefined
  /** How much of it was refunded. */
  refundedMinor: bigint
}

/** Whether the caller may speak for a wallet: its owner, and any operator. */
export function speaksFor(caller: Customer | Operator, walletId: Uuid): boolean {
  return caller.role === 'operator' || caller.wallets.some(({ id }) => id === walletId)
}

/**
 * A payment or capture that one of the caller's wallets has sent or received; any one for an operator.
 * Refusal: transfer_not_found, also for other people's.
 */
export async function findVisiblePayment(
  deps: Pick<Deps, 'ledger'>,
  caller: Customer | Operator,
  id: Uuid,
): Promise<Paid> {
  const paid = await findPaid(deps.ledger, id)
  const isParty =
    paid && (speaksFor(caller, paid.debitAccountId) || speaksFor(caller, paid.creditAccountId))
  if (!isParty) throw new Refusal('transfer_not_found')
  return paid
}

/** The same with what describes it: of a capture the hold's memo. Refusal: transfer_not_found. */
export async function readPayment(
  deps: Pick<Deps, 'db' | 'ledger'>,
  caller: Customer,
  id: Uuid,
): Promise<PaymentInFull> {
  const paid = await findVisiblePayment(deps, caller, id)
  const isCapture = paid.kind === 'capture'
  const written = isCapture ? await findAttempted(deps.ledger, paid.operationId, 'hold') : paid
  const [memos, left, fee] = await Promise.all([
    findMemos(deps.db, written ? [written] : []),
    readReturnable(deps.ledger, toReturnable(paid)),
    findFee(deps.ledger, paid),
  ])
  return {
    ...toPayment(paid, fee, memos.get(paid.operationId)),
    id: paid.id,
    kind: paid.kind,
    holdId: isCapture ? paid.operationId : undefined,
    refundedMinor: paid.amountMinor - left,
  }
}
