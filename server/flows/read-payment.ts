import { type Exchange, type Exchanged, readExchange } from '../../accounting/exchange.ts'
import { findFee } from '../../accounting/fees.ts'
import { findAttempted } from '../../accounting/history.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { findPaid, type Paid, toReturnable } from '../../accounting/paid.ts'
import { readReturnable } from '../../accounting/returnable.ts'
import { findMemos } from '../../db/descriptions.ts'
import { type Customer, type Operator, speaksFor } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { toExchangePayment } from './exchange.ts'
import { type Payment, toPayment } from './send.ts'

/** A payment, a capture or an exchange, and what has become of it. */
export interface PaymentInFull extends Payment {
  kind: Paid['kind'] | 'exchange'
  /** What an exchange has turned the amount into. */
  received: Exchanged | undefined
  /** Of a capture. */
  holdId: Uuid | undefined
  /** How much of it was refunded. */
  refundedMinor: bigint
}

type Visible = { paid: Paid } | { exchange: Exchange }

/** What one of the caller's wallets has sent or received; any for an operator. Refusal: transfer_not_found. */
async function findVisible(
  { ledger }: Pick<Deps, 'ledger'>,
  caller: Customer | Operator,
  id: Uuid,
): Promise<Visible> {
  const paid = await findPaid(ledger, id)
  if (paid) {
    const { debitAccountId, creditAccountId } = paid
    if (speaksFor(caller, debitAccountId) || speaksFor(caller, creditAccountId)) return { paid }
    throw new Refusal('transfer_not_found')
  }
  const exchange = await readExchange(ledger, id)
  const isParty =
    exchange && (speaksFor(caller, exchange.fromWalletId) || speaksFor(caller, exchange.toWalletId))
  if (!isParty) throw new Refusal('transfer_not_found')
  return { exchange }
}

/**
 * A payment or capture that one of the caller's wallets has sent or received; any one for an operator.
 * Refusals: transfer_not_found, also for other people's; exchange_not_refundable.
 */
export async function findVisiblePayment(
  deps: Pick<Deps, 'ledger'>,
  caller: Customer | Operator,
  id: Uuid,
): Promise<Paid> {
  const found = await findVisible(deps, caller, id)
  if ('exchange' in found) throw new Refusal('exchange_not_refundable')
  return found.paid
}

/** What was paid, with what describes it: of a capture the hold's memo. Refusal: transfer_not_found. */
export async function readPayment(
  deps: Pick<Deps, 'db' | 'ledger'>,
  caller: Customer | Operator,
  id: Uuid,
): Promise<PaymentInFull> {
  const found = await findVisible(deps, caller, id)
  if ('exchange' in found) {
    const { exchange } = found
    const { inputHash } = exchange
    const memos = await findMemos(deps.db, [{ operationId: id, inputHash }])
    const payment = toExchangePayment(exchange, memos.get(id))
    return { ...payment, kind: 'exchange', holdId: undefined, refundedMinor: 0n }
  }
  const { paid } = found
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
    received: undefined,
    refundedMinor: paid.amountMinor - left,
  }
}
