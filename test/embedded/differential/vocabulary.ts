import type { Random } from '../lib/random.ts'
import type { TraceTimestamp } from '../lib/trace-file.ts'

/** An event or filter in the making: the fields of the client; what is left out is zero. */
export type Draft = Record<string, string | number | TraceTimestamp>

export const max128 = (1n << 128n) - 1n
const max64 = (1n << 64n) - 1n

/** Few values, so that searches find several objects, and the ends of each range. */
export const userData = {
  user_data_128: ['7', '8', String((1n << 64n) + 5n), String(max128)],
  user_data_64: ['1', '2', String(1n << 32n), String(max64)],
  user_data_32: [1, 2, 4294967295],
} as const
export const codes = [1, 2, 10, 65535]
export const ledgers = [1, 2, 700, 4294967295]
export const longTimeouts = [3600, 100_000, 4294967295]
export const limits = [1, 2, 3, 7, 50, 200, 8188, 8189, 0, 8190, 4294967295]

/** Timestamps that an event or a filter may not have, or hardly. */
export const oddTimestamps = [
  '1',
  '2',
  String(1n << 32n),
  String((1n << 63n) - 2n),
  String((1n << 63n) - 1n),
  String(1n << 63n),
  String(max64),
]

/** Amounts at which arithmetic in words goes wrong, if it does. */
export const edgeAmounts = [
  0n,
  1n,
  (1n << 32n) - 1n,
  1n << 32n,
  (1n << 64n) - 1n,
  1n << 64n,
  (1n << 96n) - 1n,
  1n << 127n,
  max128 - 1n,
  max128,
]

export function random128(random: Random): bigint {
  let value = 0n
  for (let word = 0; word < 4; word += 1) value = (value << 32n) | BigInt(random.below(2 ** 32))
  return value
}

/** One of the table's keys, each as likely as its weight says. */
export function weighted<Key extends string>(
  random: Random,
  weights: Readonly<Record<Key, number>>,
): Key {
  const entries = Object.entries<number>(weights) as [Key, number][]
  let at = random.below(1e9) * (entries.reduce((sum, [, weight]) => sum + weight, 0) / 1e9)
  for (const [key, weight] of entries) {
    at -= weight
    if (at < 0) return key
  }
  throw new Error('the weights are all zero')
}

/** Mostly one of the newest, so that things happen to the same objects. */
export function recent<T>(random: Random, list: readonly T[], newest = 10): T | undefined {
  if (list.length === 0) return undefined
  const from = random.chance(0.9) ? Math.max(0, list.length - newest) : 0
  return list[from + random.below(list.length - from)]
}

/** Gives a draft some of the fields that carry no rule. */
export function addUserData(random: Random, draft: Draft, probability = 0.5): void {
  for (const [field, values] of Object.entries(userData)) {
    if (random.chance(probability)) draft[field] = random.pick<string | number>(values)
  }
}
