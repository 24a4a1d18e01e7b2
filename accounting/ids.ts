/**
 * 128-bit ids, which are RFC 9562 UUIDs outside and `bigint` in TigerBeetle.
 *
 * Version 7 for what is minted once (wallets above all), version 8 for what is computed from
 * something else. So the two are told apart by the id alone: an id that arrives from outside as a
 * wallet and is not version 7 can only be a system account or an operation, and is refused.
 */
import { hash } from 'node:crypto'

/** Lower-case UUID text, as stored in PostgreSQL and shown outside. */
export type Uuid = string

const uuidText = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const versionIndex = 14
const placeIndex = 28

/** Whether a text is a lower-case RFC 9562 UUID of this version. */
export function isUuid(text: string, version: 7 | 8): boolean {
  return uuidText.test(text) && text[versionIndex] === String(version)
}

/** The TigerBeetle id of a UUID. */
export function toLedgerId(uuid: Uuid): bigint {
  const [first, second, third] = [uuid.slice(0, 8), uuid.slice(9, 13), uuid.slice(14, 18)]
  return BigInt(`0x${first}${second}${third}${uuid.slice(19, 23)}${uuid.slice(24)}`)
}

/** The UUID of a TigerBeetle id. */
export function toUuid(id: bigint): Uuid {
  const hex = id.toString(16).padStart(32, '0')
  const [first, second, third] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16)]
  return `${first}-${second}-${third}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/**
 * A version 8 UUID computed from a name and its parts by SHA-256. The parts are length-prefixed, so
 * that no two lists of parts give the same bytes ("ab","c" against "a","bc").
 */
export function computeUuid(name: string, ...parts: (string | number | bigint)[]): Uuid {
  const hex = digest(name, parts)
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3]
  const [first, second, third] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16)]
  return `${first}-${second}-8${third}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** The id of what has this place, from 0, in something with a computed id: ends with the place in 32 bits. */
export function placeId(id: Uuid, place: number): Uuid {
  return id.slice(0, placeIndex) + place.toString(16).padStart(8, '0')
}

/**
 * 32 bits of a SHA-256 over a caller's canonical input, kept in `user_data_32` of each leg: it tells
 * a repeated request from another one that uses the same key. Never 0, because 0 would make a post
 * or void inherit the pending transfer's value.
 */
export function hashInput(...parts: (string | number | bigint | null)[]): number {
  const bits = digest(
    'input',
    parts.map((part) => (part === null ? 'null' : `=${part}`)),
  )
  return Number.parseInt(bits.slice(0, 8), 16) || 1
}

function digest(name: string, parts: (string | number | bigint)[]): string {
  let text = `kassa:${name}`
  for (const part of parts) {
    const value = String(part)
    text += `|${value.length}:${value}`
  }
  return hash('sha256', text, 'hex')
}
