import { assetOfLedger } from '../../accounting/chart.ts'
import { findAttempted } from '../../accounting/history.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { findPaid, type Paid, toReturnable } from '../../accounting/paid.ts'
import { readReturnable } from '../../accounting/returnable.ts'
import { findMemos } from '../../db/descriptions.ts'
import type { Customer, Operator } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'

/** A payment or a capture that has happened. */
export interface Payment {
  id: Uuid
  kind: Paid['kind']
  fromWalletId: Uuid
  toWalletId: Uuid
  amountMinor: bigint
  currency: string
  /** Of a capture the hold's. */
  memo: string | null
  /** Undefined for what is no capture. */
  holdId: Uuid | undefined
  /** Nanoseconds since 1970. */
  timestamp: bigint
}

/** What was paid, as it is shown. */
export function toPayment(paid: Paid, memo: string | undefined): Payment {
  return {
    id: paid.id,
    kind: paid.kind,
    fromWalletId: paid.debitAccountId,
    toWalletId: paid.creditAccountId,
    amountMinor: paid.amountMinor,
    currency: assetOfLedger(paid.ledger).currency,
    memo: memo ?? null,
    holdId: paid.kind === 'capture' ? paid.operationId : undefined,
    timestamp: paid.timestamp,
  }
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
  if (!paid) throw new Refusal('transfer_not_found')
  const isParty = [paid.debitAccountId, paid.creditAccountId].some((walletId) =>
    speaksFor(caller, walletId),
  )
  if (!isParty) throw new Refusal('transfer_not_found')
  return paid
}

/** The same with what describes it, and how much of it was refunded. Refusal: transfer_not_found. */
export async function readPayment(
  deps: Pick<Deps, 'db' | 'ledger'>,
  caller: Customer,
  id: Uuid,
): Promise<Payment & { refundedMinor: bigint }> {
  const paid = await findVisiblePayment(deps, caller, id)
  const [memo, left] = await Promise.all([
    findMemo(deps, paid),
    readReturnable(deps.ledger, toReturnable(paid)),
  ])
  return { ...toPayment(paid, memo), refundedMinor: paid.amountMinor - left }
}

/** What the payer wrote, for a capture when it was held. */
async function findMemo(
  deps: Pick<Deps, 'db' | 'ledger'>,
  paid: Paid,
): Promise<string | undefined> {
  const { operationId } = paid
  const written =
    paid.kind === 'capture' ? await findAttempted(deps.ledger, operationId, 'hold') : paid
  return written && (await findMemos(deps.db, [written])).get(operationId)
}
