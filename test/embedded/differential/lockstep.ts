import { setTimeout as wait } from 'node:timers/promises'
import type { Random } from '../lib/random.ts'
import { firstDifference } from '../lib/trace-difference.ts'
import type { Answer, TraceStep } from '../lib/trace-file.ts'
import type { Coverage } from './coverage.ts'
import { ExpiryWindows } from './expiry-windows.ts'
import { startEmbedded, startTigerbeetle } from './servers.ts'
import { Side } from './side.ts'

export interface PairOptions {
  readonly binary: string
  /** How many clients on each side take turns. */
  readonly clients: number
  /** The embedded ledger writes to disk, and is killed in one of this many steps; 0 is never. */
  readonly killOneIn: number
}

export interface Outcome {
  /** The steps that were played, and what TigerBeetle answered. */
  readonly steps: TraceStep[]
  readonly answers: Answer[]
  /** The first difference, or ''. */
  readonly difference: string
  /** A difference may come from a machine that was too slow. */
  readonly uncertain: boolean
  readonly kills: number
}

/** Plays a trace on two new servers at the same time, up to the first difference. */
export async function compareOnce(
  trace: AsyncIterable<TraceStep> | Iterable<TraceStep>,
  options: PairOptions,
  random: Random,
  coverage?: Coverage,
): Promise<Outcome> {
  const durable = options.killOneIn > 0
  const [real, embedded] = await Promise.all([
    startTigerbeetle(options.binary),
    startEmbedded(durable),
  ])
  const sides = [new Side(real, options.clients), new Side(embedded, options.clients)] as const
  try {
    return await play(trace, sides, options.killOneIn, random, coverage)
  } finally {
    await Promise.all(sides.map((side) => side.close()))
  }
}

async function play(
  trace: AsyncIterable<TraceStep> | Iterable<TraceStep>,
  [real, embedded]: readonly [Side, Side],
  killOneIn: number,
  random: Random,
  coverage?: Coverage,
): Promise<Outcome> {
  const steps: TraceStep[] = []
  const answers: Answer[] = []
  const windows = new ExpiryWindows()
  let kills = 0
  const end = (difference: string): Outcome => {
    const place = difference === '' ? '' : `step ${steps.length}: ${difference}`
    return { steps, answers, difference: place, uncertain: windows.uncertain, kills }
  }
  for await (const step of trace) {
    steps.push(step)
    const from = performance.now()
    const played = [
      real.play(step).catch((error: Error) => `TigerBeetle: ${error.message}`),
      embedded.play(step).catch((error: Error) => `embedded ledger: ${error.message}`),
    ] as const
    if (killOneIn > 0 && random.below(killOneIn) === 0) {
      // Before the call has arrived, while it is carried out, or when it is answered.
      await wait(random.below(8))
      await embedded.server.restart()
      kills += 1
    }
    const [expected, actual] = await Promise.all(played)
    if (typeof expected === 'string') return end(expected)
    if (typeof actual === 'string') return end(actual)
    const unsent = [expected, ...(expected.calls ?? [])].find(({ error }) => error && !error.code)
    if (unsent) return end(`the client does not send this: ${unsent.error?.message}`)
    windows.note(step, expected, from, performance.now())
    coverage?.add(step, expected)
    answers.push(expected)
    const difference = firstDifference([step], [expected], [actual])
    if (difference !== '') return end(difference)
  }
  return end('')
}
