import { isIPv6 } from 'node:net'
import type { AttemptLimit } from '../../db/attempts.ts'
import { Refusal } from '../refusals.ts'

/** Counts attempts, each before it is made. Refusal: too_many_attempts, for the longest wait. */
export async function takeAttempts(...taken: [limit: AttemptLimit, key: string][]): Promise<void> {
  const waits = await Promise.all(taken.map(([limit, key]) => limit.take(key)))
  const retryAfterSeconds = Math.max(...waits)
  if (retryAfterSeconds > 0) throw new Refusal('too_many_attempts', { retryAfterSeconds })
}

/** An IPv4 address, or the /64 network of an IPv6 address: a household has that many of those. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1]) return mapped[1]
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing =
    tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const all = [
    ...groups,
    ...Array.from({ length: missing }, () => '0'),
    ...(tail?.split(':') ?? []),
  ]
  return all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}
