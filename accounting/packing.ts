/**
 * Packs the calls of one turn of the event loop into one request. The client's own packing starts
 * behind its native boundary, which each call crosses twice, waking a thread: under load that was a
 * third of the processor time of a payment.
 */

/** Sends events as one request, which stands for this many calls; a result for each event. */
export type SendPack<E, R> = (events: E[], calls: number) => Promise<R[]>

export interface PackingOptions {
  /** A pack with more events than this is not made; a single call may have more. */
  eventsMax: number
  /** Whether this error says that one of the calls was impossible, so that nothing was sent. */
  isFaultOfOne: (error: unknown) => boolean
}

interface Call<E, R> {
  events: E[]
  resolve: (results: R[]) => void
  reject: (error: unknown) => void
}

/**
 * A function that sends a call's events together with those of other calls, in the order of the
 * calls. The last event of a call must not be linked to what follows.
 */
export function createPacker<E, R>(
  send: SendPack<E, R>,
  { eventsMax, isFaultOfOne }: PackingOptions,
): (events: E[]) => Promise<R[]> {
  let calls: Call<E, R>[] = []
  let eventCount = 0

  function dispatch(): void {
    const pack = calls
    if (pack.length === 0) return
    calls = []
    eventCount = 0
    send(
      pack.flatMap(({ events }) => events),
      pack.length,
    ).then(
      (results) => distribute(pack, results),
      (error: unknown) => {
        if (pack.length > 1 && isFaultOfOne(error)) for (const call of pack) sendAlone(call)
        else for (const { reject } of pack) reject(error)
      },
    )
  }

  /** For a call that was counted with its pack already. */
  function sendAlone({ events, resolve, reject }: Call<E, R>): void {
    send(events, 0).then(resolve, reject)
  }

  return (events) =>
    new Promise((resolve, reject) => {
      if (eventCount + events.length > eventsMax) dispatch()
      if (calls.length === 0) setImmediate(dispatch)
      calls.push({ events, resolve, reject })
      eventCount += events.length
    })
}

function distribute<E, R>(pack: readonly Call<E, R>[], results: readonly R[]): void {
  let start = 0
  for (const { events, resolve } of pack) {
    resolve(results.slice(start, start + events.length))
    start += events.length
  }
}
