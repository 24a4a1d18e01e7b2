/**
 * Time that moves. When something runs out is decided by the ledger's clock, and Kassa looks at its own
 * clock besides: around the deadline "open" and "expired" are both right, and whichever was answered
 * decides what is right from then on. After that time only "expired" is.
 */
import type { Exchange } from './exchange.ts'
import { type Deadline, type Model, put } from './state.ts'

/** Clocks may differ by so much. */
export const earlyMs = 100
/** The ledger gives money back within this time, on a busy machine behind a slow network. */
const lateMs = 5_000
const msPerSecond = 1_000

/** What is held again after a part was captured is held for whole seconds. */
const earliest = ({ at, isSplit }: Deadline) => at - earlyMs - (isSplit ? msPerSecond : 0)

export const isPerhapsOver = (deadline: Deadline, now: number): boolean => now >= earliest(deadline)

const isSurelyOver = ({ at }: Deadline, now: number): boolean => now > at + lateMs

/** The deadline that was told, when it can be right: so many seconds after it was asked for. */
export function readDeadline(
  { answer, sentAt, answeredAt }: Exchange,
  seconds: number,
): Deadline | undefined {
  const at = Date.parse(answer.body.expires_at)
  const isRight =
    at >= sentAt + seconds * msPerSecond - earlyMs &&
    at <= answeredAt + seconds * msPerSecond + earlyMs
  return isRight ? { at, isSplit: false, isTold: false } : undefined
}

export const told = (deadline: Deadline): Deadline => ({ ...deadline, isTold: true })

/** The model after everything has run out that surely has by now. */
export function expire(model: Model, now: number): Model {
  let next = model
  for (const hold of model.holds.values()) {
    if (hold.state === 'open' && isSurelyOver(hold.deadline, now)) next = releaseHold(next, hold.id)
  }
  for (const request of model.requests.values()) {
    if (request.state === 'open' && isSurelyOver(request.deadline, now)) {
      next = put(next, 'requests', { ...request, state: 'expired' })
    }
  }
  for (const quote of model.quotes.values()) {
    if (quote.state === 'open' && isSurelyOver(quote.deadline, now)) {
      next = put(next, 'quotes', { ...quote, state: 'expired' })
    }
  }
  return next
}

/** The model after a hold has run out: its money is available again. */
export function releaseHold(model: Model, id: string): Model {
  const hold = model.holds.get(id)
  if (!hold) throw new Error(`the model has no hold ${id}`)
  return put(model, 'holds', { ...hold, state: 'expired' })
}

/** Open holds of which nobody knows at this time whether they have run out. */
export function uncertainHolds({ holds }: Model, now: number): string[] {
  return [...holds.values()]
    .filter(({ state, deadline }) => state === 'open' && isPerhapsOver(deadline, now))
    .map(({ id }) => id)
}
