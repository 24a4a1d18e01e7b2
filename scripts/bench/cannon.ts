import autocannon from 'autocannon'
import type { Load, LoadResult } from './load.ts'
import { nextRequest, type Workload } from './workload.ts'

/** Saturates a server by autocannon: for machines without wrk. It needs more of the processor. */
export async function runAutocannon(workload: Workload, load: Load): Promise<LoadResult> {
  const result = await autocannon({
    url: workload.url + workload.path,
    connections: load.connections,
    duration: load.seconds,
    requests: [
      {
        method: 'POST',
        setupRequest: (request) => ({ ...request, ...nextRequest(workload) }),
      },
    ],
  })
  const { errors, timeouts, non2xx } = result
  return { answers: result['2xx'], seconds: result.duration, failures: errors + timeouts + non2xx }
}
