import type { Answer, TraceTimestamp } from './trace-file.ts'

/** Timestamps below this (before 1973) can only be given by an imported event of a trace. */
const absoluteBelow = 10n ** 17n
const clockToleranceNanoseconds = 600n * 10n ** 9n

/** One result of a create call, in the client's words. */
export interface NamedResult {
  readonly status: string
  readonly timestamp: bigint
}

/** One event of a create call. */
export interface NamedEvent {
  readonly id: bigint
  readonly timestamp: bigint
  readonly imported: boolean
}

/**
 * Two runs never have the same clock, so answers speak of times by name: what was created then
 * ("transfer:7"), or how far they are from the time of their batch.
 */
export class TraceTimes {
  private readonly timestamps = new Map<string, bigint>()
  private readonly names = new Map<bigint, string>()
  private newest = 0n

  /** A timestamp of the trace in nanoseconds; 0 for what was never created. */
  resolve(given: TraceTimestamp): bigint {
    if (typeof given === 'string') return BigInt(given)
    const timestamp = this.timestamps.get(given.ts)
    return timestamp === undefined ? 0n : timestamp + BigInt(given.plus ?? 0)
  }

  show(timestamp: bigint): string {
    if (timestamp < absoluteBelow) return String(timestamp)
    return this.names.get(timestamp) ?? 'unknown'
  }

  /** The results of a create call, and what is odd about the server's clock. */
  showResults(
    kind: 'account' | 'transfer',
    events: readonly NamedEvent[],
    results: readonly NamedResult[],
  ): Pick<Answer, 'results' | 'clock'> {
    // A result's time is the server's for that event, unless it is an older object's or was given.
    const isGiven = (index: number): boolean =>
      events[index]?.imported === true && events[index].timestamp === results[index]!.timestamp
    const firstOwn = results.findIndex(
      ({ status }, index) => status !== 'exists' && index < events.length && !isGiven(index),
    )
    const base = firstOwn < 0 ? null : results[firstOwn]!.timestamp - BigInt(firstOwn)
    const clock = base === null ? null : this.clockFault(results[firstOwn]!.timestamp)
    const shown = results.map((result, index) =>
      this.showResult(kind, events[index], result, isGiven(index), base, index),
    )
    return clock === null ? { results: shown } : { results: shown, clock }
  }

  private clockFault(first: bigint): string | null {
    if (first <= this.newest) return 'not after the previous timestamps'
    const distance = first - BigInt(Date.now()) * 1_000_000n
    const far = distance > clockToleranceNanoseconds || distance < -clockToleranceNanoseconds
    return far ? 'not within ten minutes of the wall clock' : null
  }

  private showResult(
    kind: string,
    event: NamedEvent | undefined,
    { status, timestamp }: NamedResult,
    given: boolean,
    base: bigint | null,
    index: number,
  ): string {
    if (!event) return `${status} (more results than events)`
    const relative = (): string =>
      base === null ? 'unknown' : `now${timestamp < base ? '' : '+'}${timestamp - base}`
    if (status === 'created') {
      const name = `${kind}:${event.id}`
      this.timestamps.set(name, timestamp)
      if (!this.names.has(timestamp)) this.names.set(timestamp, name)
    }
    if (status === 'exists') {
      // In a chain this may be an object that was taken back right after: it has no name.
      const name = this.show(timestamp)
      return `exists ${name === 'unknown' ? relative() : name}`
    }
    if (given) return `${status} ${timestamp < absoluteBelow ? timestamp : 'given'}`
    if (timestamp > this.newest) this.newest = timestamp
    return base !== null && timestamp - base === BigInt(index) ? status : `${status} ${relative()}`
  }
}
