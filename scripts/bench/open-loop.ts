/**
 * Latency at a fixed rate. The generator is open: it sends when a request is due, however many are
 * under way, and counts from when it was due. A closed one waits for answers, and so asks a server
 * that has stopped for nothing, and hides the stop.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { percentile } from './stats.ts'

export interface Pace {
  ratePerSecond: number
  seconds: number
}

export interface Latency {
  p50Ms: number
  p99Ms: number
  /** Requests that were not answered with success. */
  failures: number
}

/** Timers of Node come up to a millisecond late: so much is not the server's. */
const timerSlackMs = 1.5

/** More than this under way: the server does not keep up, and the queue would only grow. */
const underWayMax = 5_000

/** Sends at a fixed rate; `send` tells whether the answer was a success. */
export async function openLoop(pace: Pace, send: () => Promise<boolean>): Promise<Latency> {
  const total = Math.round(pace.ratePerSecond * pace.seconds)
  const intervalMs = 1_000 / pace.ratePerSecond
  const latenciesMs: number[] = []
  const underWay = new Set<Promise<void>>()
  let failures = 0

  const sendOne = async (fromMs: number): Promise<void> => {
    const succeeded = await send().catch(() => false)
    if (!succeeded) failures += 1
    latenciesMs.push(performance.now() - fromMs)
  }

  const startMs = performance.now()
  for (let sent = 0; sent < total; ) {
    const nowMs = performance.now()
    const dueMs = startMs + sent * intervalMs
    if (dueMs > nowMs) {
      await sleep(Math.ceil(dueMs - nowMs))
      continue
    }
    if (underWay.size >= underWayMax) {
      throw new Error(`${pace.ratePerSecond} requests a second are more than the server can do`)
    }
    const done: Promise<void> = sendOne(nowMs - dueMs <= timerSlackMs ? nowMs : dueMs).then(() => {
      underWay.delete(done)
    })
    underWay.add(done)
    sent += 1
  }
  await Promise.all(underWay)
  return {
    p50Ms: percentile(latenciesMs, 50),
    p99Ms: percentile(latenciesMs, 99),
    failures,
  }
}
