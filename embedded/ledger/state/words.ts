/**
 * Unsigned 64- and 128-bit integers as little-endian 32-bit words inside a Uint32Array: the form
 * they have in requests and records. Plain numbers need no allocation, bigints would, and every
 * transfer takes some twenty of these steps. Words are named by their array and first index.
 */

const wordRange = 0x1_0000_0000
const wordMax = 0xffff_ffff

export function isZero128(a: Uint32Array, i: number): boolean {
  return (a[i]! | a[i + 1]! | a[i + 2]! | a[i + 3]!) === 0
}

export function isMax128(a: Uint32Array, i: number): boolean {
  return (a[i]! & a[i + 1]! & a[i + 2]! & a[i + 3]!) === -1
}

export function equal128(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  return a[i] === b[j] && a[i + 1] === b[j + 1] && a[i + 2] === b[j + 2] && a[i + 3] === b[j + 3]
}

/** Negative when a < b, zero when equal, positive when a > b. */
export function compare128(a: Uint32Array, i: number, b: Uint32Array, j: number): number {
  for (let word = 3; word > 0; word -= 1) {
    if (a[i + word] !== b[j + word]) return a[i + word]! - b[j + word]!
  }
  return a[i]! - b[j]!
}

export function copy128(to: Uint32Array, i: number, from: Uint32Array, j: number): void {
  to[i] = from[j]!
  to[i + 1] = from[j + 1]!
  to[i + 2] = from[j + 2]!
  to[i + 3] = from[j + 3]!
}

/** to += a, modulo 2^128. Returns whether it overflowed. */
export function add128(to: Uint32Array, i: number, a: Uint32Array, j: number): boolean {
  let carry = 0
  for (let word = 0; word < 4; word += 1) {
    const sum = to[i + word]! + a[j + word]! + carry
    to[i + word] = sum
    carry = sum > wordMax ? 1 : 0
  }
  return carry === 1
}

/** to -= a, modulo 2^128. Returns whether it went below zero. */
export function subtract128(to: Uint32Array, i: number, a: Uint32Array, j: number): boolean {
  let borrow = 0
  for (let word = 0; word < 4; word += 1) {
    const difference = to[i + word]! - a[j + word]! - borrow
    to[i + word] = difference
    borrow = difference < 0 ? 1 : 0
  }
  return borrow === 1
}

/** Whether a + b is 2^128 or more. */
export function sumOverflows128(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  let carry = 0
  for (let word = 0; word < 4; word += 1) {
    carry = a[i + word]! + b[j + word]! + carry > wordMax ? 1 : 0
  }
  return carry === 1
}

/** Negative when a < b, zero when equal, positive when a > b. */
export function compare64(a: Uint32Array, i: number, b: Uint32Array, j: number): number {
  return a[i + 1] === b[j + 1] ? a[i]! - b[j]! : a[i + 1]! - b[j + 1]!
}

export function isZero64(a: Uint32Array, i: number): boolean {
  return (a[i]! | a[i + 1]!) === 0
}

export function write64(to: Uint32Array, i: number, value: bigint): void {
  to[i] = Number(value & 0xffff_ffffn)
  to[i + 1] = Number(value >> 32n)
}

export function read64(a: Uint32Array, i: number): bigint {
  return (BigInt(a[i + 1]!) << 32n) | BigInt(a[i]!)
}

export function increment64(a: Uint32Array, i: number): void {
  const low = a[i]! + 1
  a[i] = low
  if (low === wordRange) a[i + 1] = a[i + 1]! + 1
}

/** TigerBeetle's timestamps (nanoseconds) are 1 to 2^63 - 1. */
export function isTimestamp(a: Uint32Array, i: number): boolean {
  return !isZero64(a, i) && a[i + 1]! <= 0x7fff_ffff
}

/** A well-mixed hash of `width` words: 1, 2 or 4. */
export function hashWords(a: Uint32Array, i: number, width: number): number {
  let hash = Math.imul(a[i]!, 0x9e37_79b1)
  for (let word = 1; word < width; word += 1) {
    hash = Math.imul((hash ^ (hash >>> 15)) + a[i + word]!, 0x85eb_ca6b)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
