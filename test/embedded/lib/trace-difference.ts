import { isDeepStrictEqual } from 'node:util'
import type { Answer, TraceCall, TraceStep } from './trace-file.ts'

/**
 * Where two replays of a trace first part, with the event behind it; '' when they agree. Only the
 * first difference says anything: what was created wrongly makes everything after it differ.
 */
export function firstDifference(
  steps: readonly TraceStep[],
  expected: readonly Answer[],
  actual: readonly Answer[],
): string {
  for (const [index, wanted] of expected.entries()) {
    const got = actual[index]
    if (isDeepStrictEqual(wanted, got)) continue
    return `call ${index + 1} of ${expected.length}: ${describe(steps[index]!, wanted, got)}`
  }
  return actual.length === expected.length
    ? ''
    : `${actual.length} answers instead of ${expected.length}`
}

function describe(step: TraceStep, wanted: Answer, got: Answer | undefined): string {
  if (step.op === 'sleep' || step.op === 'reconnect' || !got) return lines(step, wanted, got)
  if (step.op !== 'parallel') return describeCall(step, wanted, got)
  const index = wanted.calls!.findIndex((call, at) => !isDeepStrictEqual(call, got.calls?.[at]))
  const calls = [wanted.calls![index]!, got.calls?.[index]] as const
  return `parallel call ${index}: ${describeCall(step.calls[index]!, ...calls)}`
}

function describeCall(call: TraceCall, wanted: Answer, got: Answer | undefined): string {
  for (const list of ['results', 'objects'] as const) {
    const [a, b] = [wanted[list], got?.[list]]
    if (!a || !b) continue
    const length = Math.max(a.length, b.length)
    for (let index = 0; index < length; index += 1) {
      if (isDeepStrictEqual(a[index], b[index])) continue
      const input = call.events?.[index] ?? call.filter ?? call.ids
      return `${call.op} ${list}[${index}] of ${a.length}${lines(input, a[index], b[index])}`
    }
  }
  return `${call.op}${lines(call.filter ?? call.ids, wanted, got)}`
}

function lines(input: unknown, wanted: unknown, got: unknown): string {
  const brief = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 600)
  return `\n  input:    ${brief(input)}\n  expected: ${brief(wanted)}\n  actual:   ${brief(got)}`
}
