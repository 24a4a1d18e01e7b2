import { randomInt, randomUUID } from 'node:crypto'
import { type Operation, renderBody, type Step } from './operations.ts'

/** Who pays whom. Every payment moves one minor unit, so that the books count them. */
export interface Wallets {
  /** Ids of wallets; equally many belong to each user, in the order of the users. */
  wallets: readonly string[]
  /** Whether all pay from the first wallet. */
  hot: boolean
}

/** What the load generators send: an operation, each time between other people under a new key. */
export interface Workload extends Wallets {
  url: string
  operation: Operation
  /** The `Cookie` header of each user. */
  cookies: readonly string[]
}

/** A `POST`. */
export interface Request {
  path: string
  headers: Record<string, string>
  body: string
}

/** The headers of an answer that tell what comes next. */
export interface AnswerHeaders {
  location: string | undefined
  requestId: string | undefined
}

/** A header that is there once. */
export const textOf = (header: unknown): string | undefined =>
  typeof header === 'string' ? header : undefined

/** Requests one after the other. wrk.ts says the same in Lua. */
export interface Script {
  /** One that follows an answer, where there is one to follow; else a first one. */
  next(): Request
  /** Hears of an answer; only needed when the operation has a second request. */
  answered(headers: AnswerHeaders): void
}

/** Two wallets by their places in the list. */
interface Pair {
  from: number
  to: number
}

/** Two different wallets at random. */
export function pickPair({ wallets, hot }: Wallets): Pair {
  const from = hot ? 0 : randomInt(wallets.length)
  const to = (from + 1 + randomInt(wallets.length - 1)) % wallets.length
  return { from, to }
}

/** The requests of a workload; one script is for all connections of a load. */
export function createScript(workload: Workload): Script {
  const { operation, wallets, cookies } = workload
  const { path, first, second } = operation
  const userOf = (place: number) => Math.floor((place * cookies.length) / wallets.length)
  /** What a first request has made, until its second one is sent. */
  const waiting: { location: string; pair: Pair }[] = []

  function pickPeople(): Pair {
    const pair = pickPair(workload)
    return userOf(pair.from) === userOf(pair.to) ? pickPeople() : pair
  }

  function toRequest(step: Step, address: string, { from, to }: Pair): Request {
    const values = { from: wallets[from]!, to: wallets[to]!, payer: `payer_${userOf(from)}` }
    const headers = {
      'content-type': 'application/json',
      cookie: cookies[userOf(step.by === 'payer' ? from : to)]!,
      'idempotency-key': randomUUID(),
    }
    return { path: address, headers, body: renderBody(step, (name) => values[name]) }
  }

  return {
    next() {
      const made = waiting.pop()
      if (made && second) return toRequest(second, made.location + second.ending, made.pair)
      const pair = pickPeople()
      const request = toRequest(first, path, pair)
      if (second) request.headers['x-request-id'] = `${pair.from}-${pair.to}`
      return request
    },
    answered({ location, requestId }) {
      if (!second || !location?.startsWith(`${path}/`)) return
      const [from = 0, to = 0] = requestId?.split('-').map(Number) ?? []
      waiting.push({ location, pair: { from, to } })
    },
  }
}
