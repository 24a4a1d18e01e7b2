/** A pending transfer as a replay of the ledger has it, and what may resolve it. */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import { deadlineOf } from './clock.ts'
import type { Expiring } from './deadlines.ts'
import type { ReplayedAccount } from './replayed-account.ts'

/** A pending transfer that is open, or was when it was asked for. */
export interface OpenTransfer extends Expiring {
  readonly id: bigint
  /** `user_data_128`. */
  readonly operationId: bigint
  readonly debit: ReplayedAccount
  readonly credit: ReplayedAccount
  readonly amount: bigint
  readonly ledger: number
  readonly code: number
  readonly flags: number
  readonly timestamp: bigint
  /** When it runs out, ns since 1970; 0 for never. */
  readonly deadline: bigint
  /** Of the right to let money out of suspense: how much money (minor units). */
  backing: bigint | undefined
}

/** A pending transfer at the moment that it is made. */
export function toOpen(
  transfer: Transfer,
  debit: ReplayedAccount,
  credit: ReplayedAccount,
): OpenTransfer {
  const { id, user_data_128, amount, ledger, code, flags, timestamp, timeout } = transfer
  return {
    id,
    operationId: user_data_128 === id ? id : user_data_128,
    debit,
    credit,
    amount,
    ledger,
    code,
    flags,
    timestamp,
    deadline: timeout === 0 ? 0n : deadlineOf(transfer),
    isOpen: true,
    backing: undefined,
  }
}

/** Why a post or void is impossible, as the end of a sentence; undefined when it is possible. */
export function findResolutionFault(
  transfer: Transfer,
  pending: OpenTransfer | undefined,
): string | undefined {
  if (!pending) return 'which was not pending then'
  const { debit_account_id, credit_account_id, ledger, code, amount, flags } = transfer
  const isSame =
    debit_account_id === pending.debit.id &&
    credit_account_id === pending.credit.id &&
    ledger === pending.ledger &&
    code === pending.code
  if (!isSame) return 'which has other accounts, another ledger or another code'
  const isVoid = (flags & TransferFlags.void_pending_transfer) !== 0
  if (isVoid ? amount === pending.amount : amount <= pending.amount) return undefined
  return `of which ${pending.amount} minor units were pending, with ${amount}`
}
