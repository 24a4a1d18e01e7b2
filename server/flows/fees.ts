import type { Asset } from '../../accounting/chart.ts'
import {
  computeFee,
  type Fee,
  type FeeOperation,
  provideFeeIncome,
  toFeeLeg,
} from '../../accounting/fees.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { Leg } from '../../accounting/legs.ts'
import type { FeeSchedule } from '../../db/fee-schedules.ts'
import type { Deps } from '../deps.ts'
import type { Settings } from '../settings.ts'
import { showAmount } from './amount.ts'

/** An operation as far as its fee is concerned. */
export interface Chargeable {
  operation: FeeOperation
  asset: Asset
  /** What is moved, minor units. */
  amountMinor: bigint
  /** Whose wallet can bear the fee; one that the operation does not have is left out. */
  senderWalletId?: Uuid
  recipientWalletId?: Uuid
}

/** What an operation is going to cost, if anything. */
export interface PlannedFee {
  fee: Fee | undefined
  /** One leg, or none; it comes after the principal leg of the same chain. */
  legs: Leg[]
}

/**
 * What an operation costs by the schedule in force, which is in memory. Sees to the account that the fee
 * is credited to.
 */
export async function planFee(
  deps: Pick<Deps, 'ledger' | 'settings' | 'nowMs'>,
  { senderWalletId, recipientWalletId, ...what }: Chargeable,
): Promise<PlannedFee> {
  const found = await findFeeInForce(deps, what)
  if (!found) return { fee: undefined, legs: [] }
  const { amountMinor, bearer, ruleNumber } = found
  const walletId = bearer === 'sender' ? senderWalletId : recipientWalletId
  if (!walletId) throw new Error(`fee schedule ${ruleNumber}: no ${bearer} in ${what.operation}`)
  const { asset } = what
  await provideFeeIncome(deps.ledger, asset)
  const legs = [toFeeLeg({ amountMinor, ruleNumber }, { walletId, asset })]
  return { fee: { amountMinor, bearer }, legs }
}

/** What an operation costs by the schedule in force; undefined when it costs nothing. */
export async function findFeeInForce(
  { settings, nowMs }: Pick<Deps, 'settings' | 'nowMs'>,
  { operation, asset, amountMinor }: Pick<Chargeable, 'operation' | 'asset' | 'amountMinor'>,
): Promise<(Fee & { ruleNumber: bigint }) | undefined> {
  const schedule = findInForce(await settings.read(), operation, asset.currency, nowMs())
  const feeMinor = schedule ? computeFee(schedule, amountMinor) : 0n
  if (!schedule || feeMinor === 0n) return undefined
  return { amountMinor: feeMinor, bearer: schedule.bearer, ruleNumber: schedule.number }
}

/** The schedule in force at a moment (ms since 1970) for an operation in a currency. */
function findInForce(
  { feeSchedules }: Settings,
  operation: FeeOperation,
  currency: string,
  atMs: number,
): FeeSchedule | undefined {
  const schedules = feeSchedules.get(`${operation} ${currency}`)
  return schedules?.find(({ validFrom }) => validFrom.getTime() <= atMs)
}

/** A fee as it is shown. */
export function showFee(
  fee: Fee | undefined,
  currency: string,
): { fee?: { amount: string; borne_by: Fee['bearer'] } } {
  if (!fee) return {}
  return { fee: { amount: showAmount(fee.amountMinor, currency), borne_by: fee.bearer } }
}
