/**
 * What an operator sets, and when. A change holds in every process within a second, and until then in
 * some: which was meant is told by the answers.
 */
import type { Currency } from './amounts.ts'
import { type Limits, readLimit, setLimit } from './budgets.ts'
import type { Exchange } from './exchange.ts'
import type { Schedule } from './fees.ts'
import type { Rate } from './quotes.ts'

/** A value, and the request that has set it. */
interface Setting<Value> {
  readonly value: Value
  readonly id: string
  /** Milliseconds since 1970; of two from the same time the one with the higher number holds. */
  readonly validFrom: number
  readonly number: number
  readonly sentAt: number
  readonly answeredAt: number
}

/** Values one after the other; before the first there was none. */
type Timeline<Value> = readonly Setting<Value>[]

/** What was set over time, by what it is about. */
export interface Settings {
  /** By `operation currency`. */
  readonly schedules: ReadonlyMap<string, Timeline<Schedule>>
  /** Of the two currencies of a market. */
  readonly rates: Timeline<Rate>
  /** All limits together; of two that are set at once nobody would know which is the later. */
  readonly limits: Timeline<Limits>
}

export const noSettings: Settings = { schedules: new Map(), rates: [], limits: [] }

/** So long a process may go on with what held before. */
const lagMs = 1_000

type Span = Pick<Exchange, 'sentAt' | 'answeredAt'>

/** What may have held for an exchange; undefined is nothing. */
function inForce<Value>(timeline: Timeline<Value> = [], span: Span): (Value | undefined)[] {
  const isKnown = (next: Setting<Value> | undefined) =>
    next !== undefined && next.answeredAt + lagMs < span.sentAt
  const values = timeline
    .filter(({ sentAt }, at) => sentAt <= span.answeredAt && !isKnown(timeline[at + 1]))
    .map(({ value }) => value)
  return isKnown(timeline[0]) ? values : [undefined, ...values]
}

/** The settings with what was set by some exchanges. */
export function learn(settings: Settings, exchanges: readonly Exchange[]): Settings {
  const schedules = new Map(settings.schedules)
  let { rates, limits } = settings
  for (const { request, answer, sentAt, answeredAt } of exchanges) {
    if (answer.code !== undefined) continue
    if (request.kind === 'rate') {
      const { id, created_at } = answer.body
      const made = { id, number: 0, validFrom: Date.parse(created_at), value: request.rate }
      rates = insert(rates, { ...made, sentAt, answeredAt })
    }
    if (request.kind === 'limit' || request.kind === 'default limit') {
      const { currency, window, amount, key } = request
      const whose = request.kind === 'limit' ? request.userId : request.limited
      const minor = readLimit(amount, currency) as bigint | 'none' | 'default'
      const value = setLimit(limits.at(-1)?.value ?? new Map(), whose, currency, window, minor)
      // Under the same key it is set once, and told again.
      limits = insert(limits, {
        id: key,
        number: 0,
        validFrom: answeredAt,
        value,
        sentAt,
        answeredAt,
      })
    }
    if (request.kind !== 'schedule') continue
    const name = `${request.operation} ${request.currency}`
    const { id, number, valid_from } = answer.body
    const setting = { id, number, validFrom: Date.parse(valid_from) }
    const made = { ...setting, value: request.schedule, sentAt, answeredAt }
    schedules.set(name, insert(schedules.get(name) ?? [], made))
  }
  return { schedules, rates, limits }
}

/** A timeline with another setting in its place, unless it is there already. */
function insert<Value>(timeline: Timeline<Value>, setting: Setting<Value>): Timeline<Value> {
  if (timeline.some(({ id }) => id === setting.id)) return timeline
  return [...timeline, setting].sort((a, b) => a.validFrom - b.validFrom || a.number - b.number)
}

/** The schedules by which an operation may cost something; undefined is none. */
export function schedulesFor(
  { schedules }: Settings,
  span: Span,
  operation: string,
  currency: Currency,
): (Schedule | undefined)[] {
  return inForce(schedules.get(`${operation} ${currency}`), span)
}

/** The rates at which a quote may be; undefined is none. */
export const ratesFor = ({ rates }: Settings, span: Span): (Rate | undefined)[] =>
  inForce(rates, span)

/** The limits that there may be; undefined is none at all. */
export const limitsFor = ({ limits }: Settings, span: Span): (Limits | undefined)[] =>
  inForce(limits, span)

/** Whether every process knows of the last limit that was set. */
export const areLimitsKnown = ({ limits }: Settings): boolean =>
  (limits.at(-1)?.answeredAt ?? 0) + lagMs < Date.now()
