/** What a run of the model has covered: how often each request was answered how. */
import type { Sent } from './exchange.ts'
import { kinds } from './step.ts'

export interface Tally {
  /** Counts an exchange. */
  add(exchange: Sent): void
  /** All exchanges so far, and those of which the first answer was lost or in doubt. */
  readonly count: number
  readonly resolved: number
  /** A line for each kind of request, with how often it was done, replayed and refused for which reason. */
  table(): string
}

export function startTally(): Tally {
  const outcomes = new Map<string, Map<string, number>>(kinds.map((kind) => [kind, new Map()]))
  let count = 0
  let resolved = 0
  return {
    add({ request, answer, isDoubtful }) {
      count += 1
      if (isDoubtful) resolved += 1
      const outcome = answer.code ?? (answer.isReplay ? 'replayed' : 'done')
      const ofKind = outcomes.get(request.kind)
      ofKind?.set(outcome, (ofKind.get(outcome) ?? 0) + 1)
    },
    get count() {
      return count
    },
    get resolved() {
      return resolved
    },
    table() {
      const width = Math.max(...kinds.map(({ length }) => length))
      return [...outcomes]
        .map(([kind, ofKind]) => {
          const byCount = [...ofKind].sort(([, a], [, b]) => b - a)
          const cells = byCount.map(([outcome, times]) => `${outcome} ${times}`)
          return `${kind.padEnd(width)}  ${cells.join(', ') || 'never'}`
        })
        .join('\n')
    },
  }
}
