/** Load over HTTP: as much as a server takes, or at a fixed rate. */
import { Pool } from 'undici'
import { runAutocannon } from './cannon.ts'
import { type Latency, openLoop, type Pace } from './open-loop.ts'
import { createScript, textOf, type Workload } from './workload.ts'
import { hasWrk, runWrk } from './wrk.ts'

export interface Load {
  /** Connections, each with one request under way at any time. */
  connections: number
  seconds: number
}

export interface LoadResult {
  /** Requests that were answered while the load ran. */
  answers: number
  seconds: number
  /** Answers that were no success, and connections that broke. */
  failures: number
}

export type Saturate = (workload: Workload, load: Load) => Promise<LoadResult>

/** wrk where it is installed, else autocannon. */
export async function findLoadGenerator(): Promise<{ name: string; saturate: Saturate }> {
  return (await hasWrk())
    ? { name: 'wrk', saturate: runWrk }
    : { name: 'autocannon', saturate: runAutocannon }
}

/** Latency of a server at a fixed rate. */
export async function pace(workload: Workload, connections: number, at: Pace): Promise<Latency> {
  const pool = new Pool(workload.url, { connections })
  const script = createScript(workload)
  try {
    return await openLoop(at, async () => {
      const { statusCode, headers, body } = await pool.request({ method: 'POST', ...script.next() })
      await body.dump()
      script.answered({
        location: textOf(headers.location),
        requestId: textOf(headers['x-request-id']),
      })
      return statusCode < 300
    })
  } finally {
    await pool.close()
  }
}
