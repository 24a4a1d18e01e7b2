/**
 * Answers to requests that were on their way together are right when there is an order of the requests
 * in which the model answers the same (linearizability). Several orders may fit, and what is seen later
 * tells which was meant: so the search can go back, over several rounds, until it is settled.
 */
import { createHash } from 'node:crypto'
import { toParts } from './batches.ts'
import type { Circumstances, Exchange, Sent } from './exchange.ts'
import type { Model } from './state.ts'
import { step } from './step.ts'

/** What a search may cost: more steps of the model are not tried. */
const stepsMax = 200_000

/** After so many steps a search remembers where it has been: before, to look it up would cost more. */
const easySteps = 2_000

/** Makes the models that may follow one. */
type Expand = (before: Model) => Iterator<Model>

export interface Search {
  /** The model that fits everything so far. */
  readonly model: Model
  /** Goes on by a round; false when in no order these are the model's answers. */
  advance(exchanges: readonly Sent[], circumstances: Circumstances): boolean
  /** Goes on with models that are as was observed; false when there is none. */
  observe(isObserved: (model: Model) => boolean): boolean
  /** Goes on with something that happened outside the rounds. */
  change(alter: (model: Model) => Model): void
  /** Takes the model for certain: what came before is not looked at again. */
  settle(): void
}

/** Starts with one model. After a false answer there is nothing to go on with. */
export function startSearch(initial: Model): Search {
  let model = initial
  let layers: { expand: Expand; models: Iterator<Model> }[] = []
  let budget = 0

  /** The next model that fits up to a layer; undefined when there are no more. */
  function next(index: number): Model | undefined {
    const layer = layers[index]
    if (!layer) return undefined
    for (;;) {
      const { value, done } = layer.models.next()
      if (!done) return value
      const before = next(index - 1)
      if (before === undefined) return undefined
      layer.models = layer.expand(before)
    }
  }

  function add(expand: Expand): boolean {
    budget = stepsMax
    layers.push({ expand, models: expand(model) })
    const found = next(layers.length - 1)
    if (found !== undefined) model = found
    return found !== undefined
  }

  /** Models after the exchanges, in orders that fit the times they were sent and answered. */
  function* linearize(
    before: Model,
    exchanges: readonly Exchange[],
    circumstances: Circumstances,
    isVisited: IsVisited,
  ): Generator<Model> {
    if (exchanges.length === 0) yield before
    const firstAnswer = Math.min(...exchanges.map(({ answeredAt }) => answeredAt))
    for (const [position, exchange] of exchanges.entries()) {
      if (exchange.sentAt > firstAnswer) continue
      if (exchange.after && exchanges.includes(exchange.after)) continue
      const others = exchanges.toSpliced(position, 1)
      for (const after of step(before, exchange, circumstances)) {
        budget -= 1
        if (budget < 0) return
        if (budget < stepsMax - easySteps && isVisited(after, others)) continue
        yield* linearize(after, others, circumstances, isVisited)
      }
    }
  }

  return {
    get model() {
      return model
    },
    advance(exchanges, circumstances) {
      const parts = exchanges.flatMap(toParts)
      const byAnswer = parts.toSorted((a, b) => a.answeredAt - b.answeredAt)
      return add((before) =>
        distinct(linearize(before, byAnswer, circumstances, startVisits(byAnswer))),
      )
    },
    observe: (isObserved) =>
      add((before) => [before].filter((candidate) => isObserved(candidate)).values()),
    change(alter) {
      add((before) => [alter(before)].values())
    },
    settle() {
      layers = []
    },
  }
}

/** Tells whether a model with these exchanges left was reached before, in another order. */
type IsVisited = (model: Model, left: readonly Exchange[]) => boolean

function startVisits(all: readonly Exchange[]): IsVisited {
  const visited = new Set<string>()
  return (model, left) => {
    const numbers = left.map((exchange) => all.indexOf(exchange))
    const place = createHash('sha1')
      .update(`${numbers} ${textOf(model)}`)
      .digest('base64')
    const isVisited = visited.has(place)
    visited.add(place)
    return isVisited
  }
}

/** Many orders end the same: each end once. */
function* distinct(models: Iterable<Model>): Generator<Model> {
  let first: Model | undefined
  const seen = new Set<string>()
  for (const model of models) {
    if (first === undefined) {
      first = model
      yield model
      continue
    }
    if (seen.size === 0) seen.add(textOf(first))
    const text = textOf(model)
    if (!seen.has(text)) yield model
    seen.add(text)
  }
}

/** A model as text, for comparing and for people. */
export function textOf(model: object): string {
  return JSON.stringify(model, (_key, value: unknown) => {
    if (typeof value === 'bigint') return String(value)
    return value instanceof Map || value instanceof Set ? [...value].sort() : value
  })
}

/** Kassa and the model have parted; `model` is the one before. */
export class Difference extends Error {
  readonly model: Model
  /** What was answered before, as far as whoever catches it has kept that. */
  history: readonly Sent[] = []

  constructor(what: string, lines: readonly string[], model: Model) {
    super([`${what}:`, ...lines].join('\n'))
    this.model = model
  }
}
