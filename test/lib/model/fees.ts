/** Fees: what an operation costs by the schedule in force, and what a refund gives back of it. */
import type { Json } from '../http.ts'
import { type Currency, showMinor } from './amounts.ts'
import { decide, keyOf, when } from './decide.ts'
import type { Answer, Circumstances, Exchange, Step } from './exchange.ts'
import { addHouse, book } from './money.ts'
import { schedulesFor } from './settings.ts'
import { type Model, type ModelFee, walletOf } from './state.ts'

export const operations = ['deposit', 'payment', 'withdrawal', 'capture', 'exchange'] as const
export type Operation = (typeof operations)[number]

/** How a fee is reckoned; amounts in minor units. */
export interface Schedule {
  readonly fixed: bigint
  readonly basisPoints: number
  readonly min?: bigint | undefined
  readonly max?: bigint | undefined
  readonly bearer: 'sender' | 'recipient'
  readonly refund: 'none' | 'proportional'
}

/** Who alone can bear the fee of an operation; of a payment both can. */
export const bearers: Partial<Record<Operation, Schedule['bearer']>> = {
  deposit: 'recipient',
  capture: 'recipient',
  withdrawal: 'sender',
  exchange: 'sender',
}

/** What there are refunds of. */
export const refundable: readonly Operation[] = ['payment', 'capture']

const basisPointsOfAll = 10_000n

/** The fee on an amount, rounded up; undefined when there is none. */
function reckon(schedule: Schedule, minor: bigint): ModelFee | undefined {
  const { fixed, basisPoints, min, max, bearer, refund } = schedule
  const product = minor * BigInt(basisPoints)
  const part = product / basisPointsOfAll + (product % basisPointsOfAll > 0n ? 1n : 0n)
  const atLeast = min !== undefined && fixed + part < min ? min : fixed + part
  const atMost = max !== undefined && atLeast > max ? max : atLeast
  const fee = bearer === 'recipient' && atMost > minor ? minor : atMost
  return fee === 0n ? undefined : { minor: fee, bearer, refund }
}

/** What an operation may cost: more than one when a schedule has just been changed. */
export function feesOf(
  exchange: Exchange,
  { settings }: Circumstances,
  { operation, currency, minor }: { operation: Operation; currency: Currency; minor: bigint },
): (ModelFee | undefined)[] {
  const fees = schedulesFor(settings, exchange, operation, currency).map(
    (schedule) => schedule && reckon(schedule, minor),
  )
  // That two of them differ in what goes back is seen only by a refund, which may come much later.
  const textOf = (fee: ModelFee | undefined) => fee && `${fee.minor} ${fee.bearer}`
  const byText = Map.groupBy(fees, textOf).values()
  return [...byText].map(([fee, ...others]) =>
    fee && others.some((other) => other?.refund !== fee.refund)
      ? { ...fee, refund: 'unknown' }
      : fee,
  )
}

/** A fee as it may be, each way in which refunds can treat it. */
export function certainFees(fee: ModelFee | undefined): (ModelFee | undefined)[] {
  if (fee?.refund !== 'unknown') return [fee]
  return [
    { ...fee, refund: 'none' },
    { ...fee, refund: 'proportional' },
  ]
}

/** Whether an answer tells of what it is about the fee that the model has, now and whenever it is repeated. */
export function isFeeTold(model: Model, { code, body }: Answer): boolean {
  if (code !== undefined) return true
  const { id, currency } = body
  const found = model.paid.get(id) ?? model.deposits.get(id) ?? model.withdrawals.get(id)
  return !found || isSameFee(body.fee, found.fee, currency)
}

/** Whether a fee is shown as the model has it. */
export function isSameFee(shown: Json, fee: ModelFee | undefined, currency: Currency): boolean {
  if (!fee) return shown === undefined
  return shown?.amount === showMinor(fee.minor, currency) && shown.borne_by === fee.bearer
}

/** What comes on top of an amount for who sends it. */
export const onTop = (fee: ModelFee | undefined): bigint =>
  fee?.bearer === 'sender' ? fee.minor : 0n

/** Takes a fee from the wallet of who bears it. */
export function takeFee(
  model: Model,
  fee: ModelFee | undefined,
  wallets: { sender?: string; recipient?: string },
): Model {
  if (!fee) return model
  const walletId = wallets[fee.bearer]
  if (walletId === undefined) throw new Error(`nobody is the ${fee.bearer} of a fee`)
  const { currency } = walletOf(model, walletId)
  const taken = book(model, walletId, { kind: 'fee', direction: 'out', minor: fee.minor })
  return addHouse(taken, 'fees', currency, fee.minor)
}

/** What goes back of a fee with a part of what it was taken for, rounded down. */
export function givenBack(fee: ModelFee | undefined, part: bigint, whole: bigint): bigint {
  return fee?.refund === 'proportional' ? (fee.minor * part) / whole : 0n
}

/** An operator sets what an operation costs from now on; what that is then is told by `settings`. */
export const schedule: Step<'schedule'> = (model, exchange, circumstances) => {
  const { operation, currency, schedule, key } = exchange.request
  const { body } = exchange.answer
  const text = scheduleText(schedule, currency)
  const keyed = keyOf('operator schedule', key, operation, currency, text)
  return decide(model, exchange, circumstances, {
    keyed,
    happens: () => {
      const told = { ...body.fee_schedule, ...body }
      const isRight = Object.entries(text).every(([name, value]) => told[name] === value)
      return when(isRight && told.operation === operation, model)
    },
  })
}

/** A schedule as the API writes it. */
export function scheduleText(schedule: Schedule, currency: Currency) {
  const { fixed, basisPoints, min, max, bearer, refund } = schedule
  const show = (minor: bigint | undefined) => minor !== undefined && showMinor(minor, currency)
  return {
    fixed: showMinor(fixed, currency),
    basis_points: basisPoints,
    ...(min === undefined ? {} : { min: show(min) }),
    ...(max === undefined ? {} : { max: show(max) }),
    borne_by: bearer,
    refund,
  }
}
