import type { Measurement, Round, Target } from './rounds.ts'
import { median } from './stats.ts'

/** Requests per second of one target against another, and what it should be at least, if anything. */
interface RatioGoal {
  name: string
  over: [string, string]
  /** Against a real TigerBeetle, and against the embedded ledger. */
  real?: number
  embedded?: number
}

const goals: readonly RatioGoal[] = [
  { name: "b / a'", over: ['b', "a'"], real: 0.85, embedded: 0.65 },
  { name: 'b / a', over: ['b', 'a'], real: 0.7 },
  { name: 'c / b', over: ['c', 'b'], real: 0.95 },
  { name: 'b / d', over: ['b', 'd'], real: 1.3 },
  { name: 'c / d hot', over: ['c', 'd hot'], real: 4 },
  { name: 'f / b', over: ['f', 'b'] },
  { name: 'g / b', over: ['g', 'b'] },
  { name: 'h / b', over: ['h', 'b'], real: 0.9, embedded: 0.9 },
  { name: 'i / b', over: ['i', 'b'], real: 0.8, embedded: 0.8 },
]

export interface Ratio {
  name: string
  /** The median of the rounds' ratios: what disturbs a round disturbs both sides of it. */
  median: number
  min: number
  max: number
  /** Not given where none is set for this ledger. */
  goal: number | undefined
}

export interface Summary {
  medians: Record<string, Measurement>
  ratios: Ratio[]
}

/** Medians and ratios over the rounds. */
export function summarize(rounds: readonly Round[], ledger: 'real' | 'embedded'): Summary {
  const names = Object.keys(rounds[0] ?? {})
  const medians = Object.fromEntries(
    names.map((name): [string, Measurement] => {
      const middle = (key: keyof Measurement) => median(rounds.map((round) => round[name]![key]))
      return [
        name,
        {
          requestsPerSecond: middle('requestsPerSecond'),
          cpuMsPerThousand: middle('cpuMsPerThousand'),
          p50Ms: middle('p50Ms'),
          p99Ms: middle('p99Ms'),
        },
      ]
    }),
  )
  const ratios = goals
    .filter(({ over }) => over.every((name) => names.includes(name)))
    .map(({ name, over: [above, below], ...goal }) => {
      const each = rounds.map(
        (round) => round[above]!.requestsPerSecond / round[below]!.requestsPerSecond,
      )
      const [min, max] = [Math.min(...each), Math.max(...each)]
      return { name, median: median(each), min, max, goal: goal[ledger] }
    })
  return { medians, ratios }
}

/** The summary as lines for the terminal. */
export function render({ medians, ratios }: Summary, targets: readonly Target[]): string {
  const measured = targets.map(({ name, title }) => {
    const { requestsPerSecond, p50Ms, p99Ms, cpuMsPerThousand } = medians[name]!
    return [
      name,
      title,
      requestsPerSecond.toFixed(0),
      p50Ms.toFixed(2),
      p99Ms.toFixed(2),
      cpuMsPerThousand.toFixed(1),
    ]
  })
  const compared = ratios.map((ratio) => [
    ratio.name,
    ratio.median.toFixed(2),
    `${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}`,
    ratio.goal === undefined ? '' : `at least ${ratio.goal.toFixed(2)}`,
    ratio.goal === undefined ? '' : ratio.median >= ratio.goal ? 'reached' : 'missed',
  ])
  const tables = [table(['', '', 'req/s', 'p50 ms', 'p99 ms', 'CPU ms/1000'], measured, 2)]
  if (compared.length > 0)
    tables.push(table(['ratio', 'median', 'rounds', 'goal', ''], compared, 5))
  return tables.join('\n\n')
}

/** Columns from `numbersFrom` on are flush right. */
export function table(head: string[], rows: string[][], numbersFrom: number): string {
  const widths = head.map((text, column) =>
    Math.max(text.length, ...rows.map((row) => row[column]!.length)),
  )
  const line = (row: string[]) =>
    row
      .map((text, column) =>
        column < numbersFrom ? text.padEnd(widths[column]!) : text.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd()
  return [head, ...rows].map(line).join('\n')
}
