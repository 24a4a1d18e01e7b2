let millisecond = 0
let millisecondSeen = 0n

/**
 * The wall clock in nanoseconds. The system gives whole milliseconds; within one, the time since it
 * was first seen is added, so that two requests in a row have times of their own to give.
 */
export function wallClock(): bigint {
  const now = Date.now()
  const fine = process.hrtime.bigint()
  if (now !== millisecond) {
    millisecond = now
    millisecondSeen = fine
  }
  const within = fine - millisecondSeen
  return BigInt(now) * 1_000_000n + (within < 999_999n ? within : 999_999n)
}
