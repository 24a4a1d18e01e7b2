import type { TraceCall, TraceStep } from '../lib/trace-file.ts'

type Differs = (steps: readonly TraceStep[]) => Promise<boolean>

/**
 * Leaves out of a trace what its difference does not need: whole steps, then events. Stops after
 * `tries` runs, each of which takes two new servers.
 */
export async function shrink(
  steps: readonly TraceStep[],
  differs: Differs,
  tries: number,
): Promise<TraceStep[]> {
  let left = tries
  const tryOnce = async (candidate: readonly TraceStep[]): Promise<boolean> => {
    left -= 1
    return differs(candidate)
  }
  const last = steps.at(-1)!
  const isWrite = (step: TraceStep): boolean =>
    step === last || JSON.stringify(step).includes('"op":"create_') || step.op === 'sleep'
  const writes = steps.filter(isWrite)
  let best: readonly TraceStep[] = (await tryOnce(writes)) ? writes : steps
  best = await reduce(best, async (candidate) => left > 0 && (await tryOnce(candidate)))
  for (let index = best.length - 1; index >= 0; index -= 1) {
    const step = best[index]!
    if (!('events' in step) || !step.events || step.events.length < 2) continue
    const withEvents = (events: TraceCall['events']): TraceStep[] =>
      best.map((one, at) => (at === index ? { ...step, events: events ?? [] } : one))
    const events = await reduce(
      step.events,
      async (candidate) => left > 0 && (await tryOnce(withEvents(candidate))),
    )
    best = withEvents(events)
  }
  return [...best]
}

/** Removes halves, quarters, and so on down to single items, as long as `keeps` says so. */
async function reduce<Item>(
  items: readonly Item[],
  keeps: (candidate: readonly Item[]) => Promise<boolean>,
): Promise<readonly Item[]> {
  let best = items
  for (
    let size = Math.ceil(best.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let at = 0; at < best.length && best.length > 1; ) {
      const candidate = [...best.slice(0, at), ...best.slice(at + size)]
      if (candidate.length > 0 && (await keeps(candidate))) best = candidate
      else at += size
    }
  }
  return best
}
