import { checksumInto } from './checksum.ts'

/**
 * TigerBeetle's 256-byte message header, little endian, as the 0.17 client speaks it. A header is read
 * and written in place by offset: no object is made for a message.
 */
export const headerBytes = 256
/** The largest message, header included. */
export const messageBytesMax = 1024 * 1024
/** The largest message body: what registration tells the client as its batch size limit. */
export const bodyBytesMax = messageBytesMax - headerBytes

/** Offsets of the fields that every message has. */
export const at = {
  checksum: 0,
  checksumPadding: 16,
  checksumBody: 32,
  checksumBodyPadding: 48,
  nonce: 64,
  cluster: 80,
  size: 96,
  epoch: 100,
  view: 104,
  release: 108,
  protocol: 112,
  command: 114,
  replica: 115,
  reserved: 116,
} as const

/** Offsets of a request's own fields. */
export const requestAt = {
  parent: 128,
  parentPadding: 144,
  client: 160,
  session: 176,
  timestamp: 184,
  request: 192,
  operation: 196,
  padding: 197,
  reserved: 204,
} as const

/** Offsets of a reply's own fields. */
export const replyAt = {
  requestChecksum: 128,
  context: 160,
  client: 192,
  op: 208,
  commit: 216,
  timestamp: 224,
  request: 232,
  operation: 236,
} as const

/** Offsets of the own fields of a client's ping, of its pong and of an eviction. */
export const pingAt = { client: 128, monotonic: 144, session: 152, reserved: 160 } as const
export const pongAt = { monotonic: 128 } as const
export const evictionAt = { client: 128, reason: 255 } as const

export const commands = {
  pingClient: 3,
  pongClient: 4,
  request: 5,
  reply: 8,
  eviction: 18,
} as const

/** Operations of the protocol itself; numbers from 128 up belong to the state machine. */
export const protocolOperations = { register: 2, noop: 6, firstOfStateMachine: 128 } as const

/** Why a client is told to end its session, with the real server's numbers. */
export const evictionReasons = {
  noSession: 1,
  releaseTooLow: 2,
  releaseTooHigh: 3,
  invalidOperation: 4,
  invalidBody: 5,
  invalidBodySize: 6,
  sessionTooLow: 7,
  releaseMismatch: 8,
} as const
export type EvictionReason = keyof typeof evictionReasons

/** Releases are major.minor.patch in 16, 8 and 8 bits, so they compare as numbers. */
export const release = (0 << 16) | (17 << 8) | 9
/** 0.16 clients use other operation numbers and results. */
export const releaseOldest = (0 << 16) | (17 << 8) | 0

const scratch = new Int32Array(4)

/** Whether the header at `offset` carries its own checksum. */
export function headerChecksumValid(view: DataView, offset: number): boolean {
  checksumInto(scratch, view, offset + 16, headerBytes - 16)
  return checksumEquals(view, offset + at.checksum)
}

/** Whether the body that follows the header at `offset` has the checksum that the header says. */
export function bodyChecksumValid(view: DataView, offset: number, size: number): boolean {
  checksumInto(scratch, view, offset + headerBytes, size - headerBytes)
  return checksumEquals(view, offset + at.checksumBody)
}

/** Writes the checksum of the body and then the one of the header, which covers it. */
export function setChecksums(view: DataView, offset: number, size: number): void {
  setBodyChecksum(view, offset, size)
  setHeaderChecksum(view, offset, at.checksum)
}

/** Writes the checksum of the body that follows the header at `offset`; `size` covers both. */
export function setBodyChecksum(view: DataView, offset: number, size: number): void {
  checksumInto(scratch, view, offset + headerBytes, size - headerBytes)
  writeScratch(view, offset + at.checksumBody)
}

/** Writes the checksum of the header at `offset`, as it stands, into its field `field`. */
export function setHeaderChecksum(view: DataView, offset: number, field: number): void {
  checksumInto(scratch, view, offset + 16, headerBytes - 16)
  writeScratch(view, offset + field)
}

/** Whether 16 bytes are the same in two places. */
export function equal16(a: DataView, aOffset: number, b: DataView, bOffset: number): boolean {
  for (let i = 0; i < 16; i += 4) {
    if (a.getInt32(aOffset + i, true) !== b.getInt32(bOffset + i, true)) return false
  }
  return true
}

/** Whether `length` bytes from `offset` are all zero. */
export function isZero(view: DataView, offset: number, length: number): boolean {
  let bits = 0
  let i = 0
  for (; i + 4 <= length; i += 4) bits |= view.getInt32(offset + i, true)
  for (; i < length; i++) bits |= view.getUint8(offset + i)
  return bits === 0
}

/**
 * Why the frame of a header with a valid checksum is not one that a client of this cluster may send,
 * or null when it is. The rules are those of TigerBeetle's `message_header.zig`.
 */
export function invalidFrame(view: DataView, o: number): string | null {
  const size = view.getUint32(o + at.size, true)
  if (size < headerBytes || size > messageBytesMax) return 'size'
  if (!isZero(view, o + at.checksumPadding, 16)) return 'checksum padding'
  if (!isZero(view, o + at.checksumBodyPadding, 32)) return 'body checksum padding or nonce'
  if (!isZero(view, o + at.cluster, 16)) return 'cluster'
  if (view.getUint32(o + at.epoch, true) !== 0) return 'epoch'
  if (view.getUint16(o + at.protocol, true) !== 0) return 'protocol version'
  if (!isZero(view, o + at.reserved, 12)) return 'reserved bytes'
  const command = view.getUint8(o + at.command)
  if (command === commands.request) return invalidRequest(view, o, size)
  if (command === commands.pingClient) return invalidPing(view, o, size)
  return 'command'
}

function invalidPing(view: DataView, o: number, size: number): string | null {
  if (size !== headerBytes) return 'ping size'
  if (view.getUint32(o + at.release, true) === 0) return 'ping release'
  if (view.getUint32(o + at.view, true) !== 0) return 'ping view'
  if (view.getUint8(o + at.replica) !== 0) return 'ping replica'
  if (isZero(view, o + pingAt.client, 16)) return 'ping client'
  if (!isZero(view, o + pingAt.reserved, 96)) return 'ping reserved bytes'
  return null
}

function invalidRequest(view: DataView, o: number, size: number): string | null {
  if (view.getUint32(o + at.release, true) === 0) return 'request release'
  if (view.getUint8(o + at.replica) !== 0) return 'request replica'
  if (!isZero(view, o + requestAt.parentPadding, 16)) return 'request parent padding'
  if (!isZero(view, o + requestAt.padding, 3)) return 'request padding'
  if (!isZero(view, o + requestAt.reserved, 52)) return 'request reserved bytes'
  if (isZero(view, o + requestAt.client, 16)) return 'request client'
  const sessionZero = isZero(view, o + requestAt.session, 8)
  const request = view.getUint32(o + requestAt.request, true)
  const operation = view.getUint8(o + requestAt.operation)
  if (operation === protocolOperations.register) {
    if (!sessionZero || request !== 0) return 'register session or request number'
    if (!isZero(view, o + requestAt.parent, 16)) return 'register parent'
    if (size !== headerBytes && size !== headerBytes + 256) return 'register size'
    return null
  }
  if (sessionZero || request === 0) return 'request session or number'
  if (operation === protocolOperations.noop) return size === headerBytes ? null : 'noop size'
  return operation < protocolOperations.firstOfStateMachine ? 'reserved operation' : null
}

function checksumEquals(view: DataView, offset: number): boolean {
  for (let i = 0; i < 4; i++) {
    if (view.getInt32(offset + i * 4, true) !== scratch[i]) return false
  }
  return true
}

function writeScratch(view: DataView, offset: number): void {
  for (let i = 0; i < 4; i++) view.setInt32(offset + i * 4, scratch[i]!, true)
}
