import autocannon from 'autocannon'
import type { Load, LoadResult } from './load.ts'
import { createScript, textOf, type Workload } from './workload.ts'

/** Saturates a server by autocannon: for machines without wrk. It needs more of the processor. */
export async function runAutocannon(workload: Workload, load: Load): Promise<LoadResult> {
  const script = createScript(workload)
  const listening: Pick<autocannon.Request, 'onResponse'> = {
    onResponse: (_status, _body, _context, headers = {}) =>
      script.answered({
        location: textOf(headers.Location),
        requestId: textOf(headers['X-Request-Id']),
      }),
  }
  const result = await autocannon({
    url: workload.url,
    connections: load.connections,
    duration: load.seconds,
    requests: [
      {
        method: 'POST',
        setupRequest: (request) => ({ ...request, ...script.next() }),
        ...(workload.operation.second ? listening : {}),
      },
    ],
  })
  const { errors, timeouts, non2xx } = result
  return { answers: result['2xx'], seconds: result.duration, failures: errors + timeouts + non2xx }
}
