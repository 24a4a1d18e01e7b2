/**
 * Deposits as the ledger has them. All transfers of one carry its id in `user_data_128`: into the
 * wallet, or into suspense and out of it again. So how it stands is read from the ledger alone.
 */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import { ControlCode, TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import { computeUuid, hashInput, toUuid, type Uuid } from './ids.ts'
import { readTrail } from './trail.ts'
import { type StoredOperation, toStored } from './transfers.ts'

export type SuspenseState =
  /** Nobody knows yet whose the money is. */
  | 'open'
  /** An operator has found the wallet it is for. */
  | 'assigned'
  /** It went back to where it came from. */
  | 'returned'
  /** The house itself has sent it back, from its bank account. */
  | 'paid_out'

/** How a deposit stands, or stood, in suspense. */
export interface Suspense {
  state: SuspenseState
  /** The pending transfer whose resolution lets the money out. */
  rightId: Uuid
  /** When it was let out, ns since 1970; undefined while it is open. */
  changedAt: bigint | undefined
}

export interface BookedDeposit {
  /** The transfer out of the clearing account: into the wallet, or into suspense. */
  operation: StoredOperation
  /** The wallet it was for in the end; undefined while there is none, or there never will be. */
  walletId: Uuid | undefined
  /** Undefined when it went to a wallet at once. */
  suspense: Suspense | undefined
}

/** A deposit that is in suspense, or was. */
export type SuspendedDeposit = BookedDeposit & { suspense: Suspense }

export function wasSuspended(deposit: BookedDeposit): deposit is SuspendedDeposit {
  return deposit.suspense !== undefined
}

/** The id of the deposit that a payment system means by a reference of its own. */
export function depositId(paymentSystemNumber: number, reference: string): Uuid {
  return computeUuid('deposit', paymentSystemNumber, reference)
}

/** What a payment system has told: a wallet's id, or the name of none, and an amount in minor units. */
export interface DepositTerms {
  walletName: string
  currency: string
  amountMinor: bigint
}

/** Tells a deposit that is told again from another one under the same reference. */
export function hashDeposit({ walletName, currency, amountMinor }: DepositTerms): number {
  return hashInput('deposit', walletName, currency, amountMinor)
}

/** The deposit of an id, whatever attempt it took; undefined when there is none. */
export async function readDeposit(ledger: Ledger, id: Uuid): Promise<BookedDeposit | undefined> {
  return foldDeposit(await readTrail(ledger, id))
}

/** A deposit by its transfer out of the clearing account; it is read again only when it is in suspense. */
export async function readDepositOf(
  ledger: Ledger,
  operation: StoredOperation,
): Promise<BookedDeposit> {
  if (operation.code === TransferCode.deposit) return intoWallet(operation)
  const deposit = await readDeposit(ledger, operation.operationId)
  if (!deposit) throw new Error(`deposit ${operation.operationId} was booked and is not there`)
  return deposit
}

const intoWallet = (operation: StoredOperation): BookedDeposit => ({
  operation,
  walletId: operation.creditAccountId,
  suspense: undefined,
})

/** What a deposit's transfers amount to. Pure. */
function foldDeposit(transfers: readonly Transfer[]): BookedDeposit | undefined {
  const find = (code: number) => transfers.find((transfer) => transfer.code === code)
  const deposited = find(TransferCode.deposit)
  if (deposited) return intoWallet(toStored(deposited))
  const suspended = find(TransferCode.suspense)
  if (!suspended) return undefined
  const right = find(ControlCode.suspense_release)
  if (!right || !(right.flags & TransferFlags.pending)) {
    throw new Error(`deposit ${toUuid(suspended.user_data_128)} is in suspense without a way out`)
  }
  const out = transfers.find(({ code }) => waysOut.has(code))
  const state = out ? waysOut.get(out.code)! : 'open'
  return {
    operation: toStored(suspended),
    walletId: out && state === 'assigned' ? toUuid(out.credit_account_id) : undefined,
    suspense: { state, rightId: toUuid(right.id), changedAt: out?.timestamp },
  }
}

/** The transfers that let money out of suspense, and how it stands after each. */
const waysOut = new Map<number, SuspenseState>([
  [TransferCode.suspense_assignment, 'assigned'],
  [TransferCode.suspense_return, 'returned'],
  [TransferCode.suspense_payout, 'paid_out'],
])
