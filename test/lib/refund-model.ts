/**
 * A plain model of what is answered to a payee and an operator who refund payments, while the payee
 * also spends. It knows dollars and none of the product's code.
 */
import { canonicalAmount, readMinor } from './model/amounts.ts'

export type RefundRequest =
  | { kind: 'pay'; amount: string }
  | { kind: 'spend'; amount: string }
  | {
      kind: 'refund'
      by: 'payee' | 'operator'
      paymentId: string
      amount: string | undefined
      reason: string | undefined
      key: string | undefined
    }

type Refunding = Extract<RefundRequest, { kind: 'refund' }>

/** What was answered: what has happened, or why not. */
export interface RefundAnswer {
  id: string | undefined
  minor: bigint | undefined
  code: string | undefined
  isReplay: boolean
  /** Whether other requests were under way. */
  isAmongOthers: boolean
}

/** What happened under a key: an id, or a decline that is final. */
interface Remembered {
  input: string
  id?: string
  declined?: string
}

export interface RefundModel {
  /** What the payee has. */
  readonly minor: bigint
  /** What is left to refund, by payment. */
  readonly left: ReadonlyMap<string, bigint>
  readonly remembered: ReadonlyMap<string, Remembered>
}

export const emptyRefundModel: RefundModel = { minor: 0n, left: new Map(), remembered: new Map() }

/** The model after the request, or undefined when the answer is not the model's. */
export function stepRefund(
  model: RefundModel,
  request: RefundRequest,
  answer: RefundAnswer,
): RefundModel | undefined {
  if (request.kind === 'refund') return stepRefunding(model, request, answer)
  const minor = readMinor(request.amount, 'USD')
  if (typeof minor === 'string') throw new Error('only refunds have amounts that are wrong')
  if (request.kind === 'spend') {
    if (minor > model.minor) return answer.code === 'insufficient_funds' ? model : undefined
    return answer.id === undefined ? undefined : { ...model, minor: model.minor - minor }
  }
  if (answer.id === undefined) return undefined
  const left = new Map(model.left).set(answer.id, minor)
  return { ...model, minor: model.minor + minor, left }
}

function stepRefunding(
  model: RefundModel,
  request: Refunding,
  answer: RefundAnswer,
): RefundModel | undefined {
  const { by, paymentId, amount, reason, key } = request
  const when = (holds: boolean) => (holds ? model : undefined)
  const given = amount === undefined ? undefined : readMinor(amount, 'USD')
  if (typeof given === 'string') return when(answer.code === given)
  const canonical = amount === undefined ? undefined : canonicalAmount(amount)
  const input = JSON.stringify([paymentId, canonical, reason])
  const name = key === undefined ? undefined : `${by} ${key}`
  const known = name === undefined ? undefined : model.remembered.get(name)
  if (known?.id !== undefined) {
    if (known.input !== input) return when(answer.code === 'idempotency_key_reused')
    return when(answer.id === known.id && answer.isReplay)
  }
  const left = model.left.get(paymentId) ?? 0n
  const minor = given ?? (left > 0n ? left : 1n)
  const declined = declineOf(model, { minor, left, isAll: given === undefined }, answer)
  if (known?.declined !== undefined) {
    // Two at once can be declined by different legs, each before it hears of the other.
    if (answer.isAmongOthers && !answer.isReplay && answer.code === declined) return model
    // The reason is kept after the decline: another copy at the same time may not know it.
    if (answer.code === 'declined') return when(answer.isReplay)
    if (known.input !== input) return when(answer.code === 'idempotency_key_reused')
    return when(answer.code === known.declined && answer.isReplay)
  }
  const remember = (what: Omit<Remembered, 'input'>) =>
    name === undefined ? model.remembered : new Map(model.remembered).set(name, { input, ...what })
  if (declined !== undefined) {
    if (answer.code !== declined || answer.isReplay) return undefined
    return { ...model, remembered: remember({ declined }) }
  }
  const { id } = answer
  if (id === undefined || answer.isReplay || answer.minor !== minor) return undefined
  return {
    minor: model.minor - minor,
    left: new Map(model.left).set(paymentId, left - minor),
    remembered: remember({ id }),
  }
}

function declineOf(
  model: RefundModel,
  { minor, left, isAll }: { minor: bigint; left: bigint; isAll: boolean },
  { code, isAmongOthers }: RefundAnswer,
): string | undefined {
  if (minor > left) return 'refund_too_large'
  // All that was left is looked up first: another refund can come in between.
  if (isAll && isAmongOthers && code === 'refund_too_large') return code
  return minor > model.minor ? 'insufficient_funds' : undefined
}
