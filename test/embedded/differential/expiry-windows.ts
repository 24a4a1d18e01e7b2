import type { Answer, TraceStep } from '../lib/trace-file.ts'

/** Timeouts (seconds) up to this long may run out while a trace is played. */
const shortSeconds = 600
/** How much (milliseconds) two servers may be apart in expiring the same transfer. */
const slackMs = 400

/**
 * Knows when what happens depends on how fast the machine is: while a pending transfer may already
 * have expired on one server and not yet on the other.
 */
export class ExpiryWindows {
  private readonly windows: { from: number; to: number }[] = []
  /** Whether a call was made in such a moment: differences since then prove nothing. */
  uncertain = false

  /** Notes a step that ran from `from` to `to` (milliseconds). */
  note(step: TraceStep, answer: Answer, from: number, to: number): void {
    if (step.op === 'sleep') return
    this.uncertain ||= this.windows.some((window) => from < window.to && window.from < to)
    const calls = step.op === 'parallel' ? step.calls : [step]
    for (const [index, call] of calls.entries()) {
      if (call.op !== 'create_transfers') continue
      const results = (answer.calls?.[index] ?? answer).results ?? []
      for (const [at, event] of (call.op === 'create_transfers'
        ? (call.events ?? [])
        : []
      ).entries()) {
        const seconds = Number(event.timeout ?? 0)
        if (seconds === 0 || seconds > shortSeconds || results[at] !== 'created') continue
        this.windows.push({ from: from + seconds * 1000, to: to + seconds * 1000 + slackMs })
      }
    }
  }
}
