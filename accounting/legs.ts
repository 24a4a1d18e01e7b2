/**
 * How an operation's legs are written down as transfers. A chain of several is linked: all or nothing.
 */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import type { Asset, ControlCode, TransferCode } from './chart.ts'
import { computeUuid, toLedgerId, type Uuid } from './ids.ts'

/** One debit and one credit of the same amount. */
export interface Leg {
  debitAccountId: Uuid
  creditAccountId: Uuid
  /** Minor units; of a balancing leg the most that is moved. */
  amountMinor: bigint
  asset: Asset
  code: TransferCode | ControlCode
  /** Makes it a pending transfer, which ends by itself after this time; 0 for never. */
  timeoutSeconds?: number
  /**
   * Moves no more than the debit account has, and with `both` no more than the credit account lacks, be
   * it nothing, rather than fail (TigerBeetle's balancing_debit, and balancing_credit with it).
   */
  balancing?: 'debit' | 'both'
  /** Closes the credit account while the leg is pending. */
  isClosing?: true
  /**
   * Kept in the leg's `user_data_64` in place of the moment it happened outside: the number of the
   * rule that the leg follows (a fee schedule), for legs whose code says so.
   */
  ruleNumber?: bigint
  /** Gives the leg its id in place of its index in the chain, so that it can be looked up. */
  name?: string
}

/** The id of a further leg of a chain, by the principal leg's id: at this index, or of this name. */
export function legId(principalId: Uuid, leg: number | string): Uuid {
  return typeof leg === 'string'
    ? computeUuid('named leg', principalId, leg)
    : computeUuid('leg', principalId, leg)
}

/** Transfers that belong to one linked chain, in their order. */
export type Chain = readonly Transfer[]

/** What a leg carries besides. */
export interface LegNames {
  id: Uuid
  /** Kept in `user_data_128`. */
  operationId: Uuid
  /** Kept in `user_data_32`; never 0. */
  inputHash: number
  /** Kept in `user_data_64`; nanoseconds since 1970. */
  occurredAt?: bigint | undefined
}

const balancingFlags = {
  debit: TransferFlags.balancing_debit,
  both: TransferFlags.balancing_debit | TransferFlags.balancing_credit,
} as const satisfies Record<NonNullable<Leg['balancing']>, TransferFlags>

/** A leg as a transfer. */
export function toTransfer(leg: Leg, names: LegNames): Transfer {
  const id = toLedgerId(names.id)
  return {
    id,
    debit_account_id: toLedgerId(leg.debitAccountId),
    credit_account_id: toLedgerId(leg.creditAccountId),
    amount: leg.amountMinor,
    pending_id: 0n,
    user_data_128: names.operationId === names.id ? id : toLedgerId(names.operationId),
    user_data_64: leg.ruleNumber ?? names.occurredAt ?? 0n,
    user_data_32: names.inputHash,
    timeout: leg.timeoutSeconds ?? 0,
    ledger: leg.asset.ledger,
    code: leg.code,
    flags:
      (leg.timeoutSeconds === undefined ? TransferFlags.none : TransferFlags.pending) |
      (leg.balancing ? balancingFlags[leg.balancing] : TransferFlags.none) |
      (leg.isClosing ? TransferFlags.closing_credit : TransferFlags.none),
    timestamp: 0n,
  }
}

/** Legs that come after a principal leg in its chain, as transfers; `names` are the principal's. */
export function toFurtherTransfers(legs: readonly Leg[], names: LegNames): Transfer[] {
  return legs.map((leg, index) =>
    toTransfer(leg, { ...names, id: legId(names.id, leg.name ?? index + 1) }),
  )
}

/** How a pending transfer is resolved. What is not told is taken over from it. */
export interface Resolution {
  id: Uuid
  pendingId: Uuid
  /** Never 0: one that was taken over would not be known again in a repetition. */
  inputHash: number
}

/** Posts a part of a pending transfer (minor units); the rest goes back. */
export function toPost(resolution: Resolution, amountMinor: bigint): Transfer {
  return resolve(resolution, TransferFlags.post_pending_transfer, amountMinor)
}

/** Gives all of a pending transfer back. */
export function toVoid(resolution: Resolution): Transfer {
  return resolve(resolution, TransferFlags.void_pending_transfer, 0n)
}

function resolve({ id, pendingId, inputHash }: Resolution, flags: number, amount: bigint) {
  return {
    id: toLedgerId(id),
    debit_account_id: 0n,
    credit_account_id: 0n,
    amount,
    pending_id: toLedgerId(pendingId),
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: inputHash,
    timeout: 0,
    ledger: 0,
    code: 0,
    flags,
    timestamp: 0n,
  }
}

/** Transfers as one chain: all of them happen, or none does. */
export function link(transfers: readonly Transfer[]): Transfer[] {
  const last = transfers.length - 1
  return transfers.map((transfer, index) =>
    index === last ? transfer : { ...transfer, flags: transfer.flags | TransferFlags.linked },
  )
}
