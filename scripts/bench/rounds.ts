/** Alternating rounds: each measures everything once, every other one in reverse order. */
import type { LoadResult } from './load.ts'
import type { Usage } from './meter.ts'
import type { Latency, Pace } from './open-loop.ts'

/** Something that is measured. */
export interface Target {
  /** As in docs/benchmarks.md: a, a', b... */
  name: string
  title: string
  saturate(load: { seconds: number; connections: number }): Promise<LoadResult>
  pace(at: Pace, connections: number): Promise<Latency>
  usage(): Promise<Usage>
  /** Throws when the books do not say that `moved` payments have happened. */
  verify(moved: number): Promise<void>
  /** How many answers a payment takes; 0 when no money moves. */
  answersPerPayment: number
}

export interface Measurement {
  requestsPerSecond: number
  /** Processor time of the server's process. */
  cpuMsPerThousand: number
  p50Ms: number
  p99Ms: number
}

export type Round = Record<string, Measurement>

export interface RoundOptions {
  rounds: number
  connections: number
  /** Of saturation, and again of the fixed rate. */
  seconds: number
  ratePerSecond: number
}

/** Measures all targets in a round to warm up, which is thrown away, and in `rounds` that count. */
export async function runRounds(
  targets: readonly Target[],
  options: RoundOptions,
  progress: (line: string) => void,
): Promise<Round[]> {
  const rounds: Round[] = []
  for (let number = 0; number <= options.rounds; number += 1) {
    const round: Round = {}
    const order = number % 2 === 0 ? targets : targets.toReversed()
    for (const target of order) {
      round[target.name] = await measure(target, options).catch((error: Error) => {
        throw new Error(`${target.name} (${target.title}): ${error.message}`, { cause: error })
      })
    }
    if (number > 0) rounds.push(round)
    const rates = targets.map(({ name }) => `${name} ${Math.round(round[name]!.requestsPerSecond)}`)
    const label = number === 0 ? 'warm-up' : `round ${number} of ${options.rounds}`
    progress(`${label}: ${rates.join(', ')} per second; the books are right`)
  }
  return rounds
}

async function measure(target: Target, options: RoundOptions): Promise<Measurement> {
  const { seconds, connections, ratePerSecond } = options
  const before = await target.usage()
  const load = await target.saturate({ seconds, connections })
  const after = await target.usage()
  refuseFailures(load.failures)
  checkAnswers(target, load.answers, after.moved - before.moved, connections)
  const latency = await target.pace({ ratePerSecond, seconds }, connections)
  refuseFailures(latency.failures)
  const end = await target.usage()
  await target.verify(end.moved - before.moved)
  return {
    requestsPerSecond: load.answers / load.seconds,
    cpuMsPerThousand: (after.cpuMicroseconds - before.cpuMicroseconds) / load.answers,
    p50Ms: latency.p50Ms,
    p99Ms: latency.p99Ms,
  }
}

function refuseFailures(failures: number): void {
  if (failures > 0) throw new Error(`${failures} requests failed`)
}

/**
 * The server may have answered more than was counted: what was under way when the load ended. And on
 * each connection a payment may have been begun that was not finished.
 */
function checkAnswers(
  { answersPerPayment }: Target,
  counted: number,
  moved: number,
  connections: number,
): void {
  if (answersPerPayment === 0) return
  const answers = moved * answersPerPayment
  const begun = (answersPerPayment - 1) * connections
  if (answers >= counted - begun && answers <= counted + connections) return
  throw new Error(`${moved} payments were answered, ${counted} answers arrived`)
}
