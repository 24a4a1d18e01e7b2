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
  chargeable: Chargeable,
): Promise<PlannedFee> {
  return chargeFee(await provideSchedule(deps, chargeable), chargeable)
}

/** The schedule in force for an operation. Sees to the account that its fees are credited to. */
export async function provideSchedule(
  deps: Pick<Deps, 'ledger' | 'settings' | 'nowMs'>,
  what: Pick<Chargeable, 'operation' | 'asset'>,
): Promise<FeeSchedule | undefined> {
  const schedule = await findInForce(deps, what)
  if (schedule) await provideFeeIncome(deps.ledger, what.asset)
  return schedule
}

/** What an operation costs by a schedule; without one nothing. */
export function chargeFee(schedule: FeeSchedule | undefined, chargeable: Chargeable): PlannedFee {
  const found = reckonFee(schedule, chargeable.amountMinor)
  if (!found) return { fee: undefined, legs: [] }
  const { operation, asset, senderWalletId, recipientWalletId } = chargeable
  const { amountMinor, bearer, ruleNumber } = found
  const walletId = bearer === 'sender' ? senderWalletId : recipientWalletId
  if (!walletId) throw new Error(`fee schedule ${ruleNumber}: no ${bearer} in ${operation}`)
  const legs = [toFeeLeg({ amountMinor, ruleNumber }, { walletId, asset })]
  return { fee: { amountMinor, bearer }, legs }
}

/** What an operation costs by the schedule in force; undefined when it costs nothing. */
export async function findFeeInForce(
  deps: Pick<Deps, 'settings' | 'nowMs'>,
  what: Pick<Chargeable, 'operation' | 'asset' | 'amountMinor'>,
): Promise<(Fee & { ruleNumber: bigint }) | undefined> {
  return reckonFee(await findInForce(deps, what), what.amountMinor)
}

function reckonFee(
  schedule: FeeSchedule | undefined,
  movedMinor: bigint,
): (Fee & { ruleNumber: bigint }) | undefined {
  if (!schedule) return undefined
  const amountMinor = computeFee(schedule, movedMinor)
  if (amountMinor === 0n) return undefined
  return { amountMinor, bearer: schedule.bearer, ruleNumber: schedule.number }
}

async function findInForce(
  { settings, nowMs }: Pick<Deps, 'settings' | 'nowMs'>,
  { operation, asset }: Pick<Chargeable, 'operation' | 'asset'>,
): Promise<FeeSchedule | undefined> {
  const { feeSchedules } = await settings.read()
  const schedules = feeSchedules.get(`${operation} ${asset.currency}`)
  const atMs = nowMs()
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
