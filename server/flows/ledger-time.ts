/** TigerBeetle counts nanoseconds since 1970; outside there are RFC 3339 texts with milliseconds. */

const nsPerMs = 1_000_000n

/** The time that was shown last: what happens in one batch mostly has the same. */
let last = { ms: 0, text: new Date(0).toISOString() }

/** A time of the ledger as RFC 3339 in UTC. */
export function showLedgerTime(timestamp: bigint): string {
  const ms = Number(timestamp / nsPerMs)
  if (ms !== last.ms) last = { ms, text: fromLedgerTime(timestamp).toISOString() }
  return last.text
}

/** Milliseconds since 1970 as a time of the ledger. */
export function toLedgerTime(ms: number): bigint {
  return BigInt(ms) * nsPerMs
}

/** A time of the ledger to the millisecond. */
export function fromLedgerTime(timestamp: bigint): Date {
  return new Date(Number(timestamp / nsPerMs))
}
