/**
 * Fees: what an operation costs the person who bears it. A fee is a leg of its own in the operation's
 * chain, debit the bearer's wallet, credit the house's fee income: so neither happens without the other.
 * It carries the number of the rule that it was taken by, and its id is computed from the principal
 * leg's, so that the fee of an operation is read from the ledger and nowhere else.
 */
import type { Transfer } from 'tigerbeetle-node'
import { feeIncomeAccount, provideAccounts } from './accounts.ts'
import { type Asset, TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import { toLedgerId, toUuid, type Uuid } from './ids.ts'
import { type Leg, legId } from './legs.ts'
import { lookUpTransfers } from './lookup.ts'
import { amountMaxMinor } from './money.ts'
import type { StoredOperation } from './transfers.ts'

/** What can cost a fee. */
export type FeeOperation = 'deposit' | 'payment' | 'withdrawal' | 'capture' | 'exchange'

/** Whose wallet a fee is taken from: on top of what is sent, or out of what arrives. */
export type FeeBearer = 'sender' | 'recipient'

/** How a fee is reckoned. All amounts in minor units. */
export interface FeeRule {
  /** Kept in the fee leg's `user_data_64`; more than 0. */
  number: bigint
  fixedMinor: bigint
  /** Hundredths of a percent of the amount, 0 to 10,000. */
  basisPoints: number
  minMinor: bigint | null
  maxMinor: bigint | null
  bearer: FeeBearer
}

/** A fee that was taken, or is going to be. */
export interface Fee {
  /** More than 0, minor units. */
  amountMinor: bigint
  bearer: FeeBearer
}

/** A fee as the ledger has it. */
export interface StoredFee extends Fee {
  /** Whose wallet it was taken from. */
  walletId: Uuid
  ruleNumber: bigint
}

const basisPointsOfAll = 10_000n

/**
 * The fee on an amount, both in minor units: the fixed part and the basis points of the amount, these
 * rounded up to the next minor unit; then at least the minimum and at most the maximum. A fee that the
 * recipient bears is never more than the amount, and none is more than the largest amount there is.
 */
export function computeFee(rule: FeeRule, amountMinor: bigint): bigint {
  const { fixedMinor, basisPoints, minMinor, maxMinor, bearer } = rule
  const hundredths = amountMinor * BigInt(basisPoints)
  const part = (hundredths + basisPointsOfAll - 1n) / basisPointsOfAll
  let feeMinor = fixedMinor + part
  if (minMinor !== null && feeMinor < minMinor) feeMinor = minMinor
  if (maxMinor !== null && feeMinor > maxMinor) feeMinor = maxMinor
  const mostMinor = bearer === 'recipient' ? amountMinor : amountMaxMinor
  return feeMinor < mostMinor ? feeMinor : mostMinor
}

/**
 * How much of a fee goes back with a part of what it was taken for; all in minor units, rounded down. As
 * the parts together are never more than the whole, what goes back is never more than the fee.
 */
export function computeFeeRefund(
  feeMinor: bigint,
  { partMinor, wholeMinor }: { partMinor: bigint; wholeMinor: bigint },
): bigint {
  return (feeMinor * partMinor) / wholeMinor
}

/** The leg of a fee (minor units): debit the wallet that bears it, credit fee income. */
export function toFeeLeg(
  { amountMinor, ruleNumber }: { amountMinor: bigint; ruleNumber: bigint },
  { walletId, asset }: { walletId: Uuid; asset: Asset },
): Leg {
  return {
    debitAccountId: walletId,
    creditAccountId: feeIncomeAccount(asset).id,
    amountMinor,
    asset,
    code: TransferCode.fee,
    ruleNumber,
    name: feeName,
  }
}

/** The leg by which a part (minor units) of a fee goes back: debit fee income, credit the same wallet. */
export function toFeeRefundLeg(fee: StoredFee, amountMinor: bigint, asset: Asset): Leg {
  return {
    debitAccountId: feeIncomeAccount(asset).id,
    creditAccountId: fee.walletId,
    amountMinor,
    asset,
    code: TransferCode.fee_refund,
    ruleNumber: fee.ruleNumber,
    name: feeRefundName,
  }
}

const feeName = 'fee'
const feeRefundName = 'fee refund'

/** Sees to the account that fees are credited to; costs nothing once this process has seen it. */
export function provideFeeIncome(ledger: Ledger, asset: Asset): Promise<void> {
  return provideAccounts(ledger, [feeIncomeAccount(asset)])
}

/** What a chain takes as a fee from the wallet that its principal leg debits, in minor units. */
export function feeOnTopMinor(legs: readonly Leg[], { debitAccountId }: Leg): bigint {
  const leg = legs.find(
    (it) => it.code === TransferCode.fee && it.debitAccountId === debitAccountId,
  )
  return leg?.amountMinor ?? 0n
}

/** The principal leg of something that may have cost a fee. */
type Principal = Pick<StoredOperation, 'transferId' | 'debitAccountId'>

/**
 * The fees of operations, by the id of their principal leg; one that cost none is missing.
 */
export async function findFees(
  ledger: Ledger,
  principals: readonly Principal[],
): Promise<Map<Uuid, StoredFee>> {
  const legs = await findNamedLegs(ledger, principals, feeName)
  const fees = new Map<Uuid, StoredFee>()
  for (const { transferId, debitAccountId } of principals) {
    const leg = legs.get(transferId)
    if (leg) fees.set(transferId, toStoredFee(leg, toLedgerId(debitAccountId)))
  }
  return fees
}

/** The fee of one operation. */
export async function findFee(
  ledger: Ledger,
  principal: Principal,
): Promise<StoredFee | undefined> {
  return (await findFees(ledger, [principal])).get(principal.transferId)
}

/** A fee's transfer as a fee; the principal leg has debited this account. */
export function toStoredFee(transfer: Transfer, principalDebitAccountId: bigint): StoredFee {
  const isSender = transfer.debit_account_id === principalDebitAccountId
  return {
    amountMinor: transfer.amount,
    bearer: isSender ? 'sender' : 'recipient',
    walletId: toUuid(transfer.debit_account_id),
    ruleNumber: transfer.user_data_64,
  }
}

/** What refunds gave back of fees, in minor units, by the id of the refund's principal leg. */
export async function findFeeRefunds(
  ledger: Ledger,
  refunds: readonly Principal[],
): Promise<Map<Uuid, bigint>> {
  const legs = await findNamedLegs(ledger, refunds, feeRefundName)
  return new Map([...legs].map(([id, { amount }]) => [id, amount]))
}

async function findNamedLegs(
  ledger: Ledger,
  principals: readonly Principal[],
  name: string,
): Promise<Map<Uuid, Transfer>> {
  const principalOf = new Map(
    principals.map(({ transferId }) => [toLedgerId(legId(transferId, name)), transferId]),
  )
  const legs = await lookUpTransfers(ledger, [...principalOf.keys()])
  return new Map([...legs].map(([id, leg]) => [principalOf.get(id)!, leg]))
}
