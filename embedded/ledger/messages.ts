import { viewOf } from './checksum.ts'
import { copy16, type EntryHead, entryAt } from './entry.ts'
import {
  at,
  bodyBytesMax,
  commands,
  type EvictionReason,
  evictionAt,
  evictionReasons,
  headerBytes,
  pingAt,
  pongAt,
  release,
  replyAt,
  setBodyChecksum,
  setChecksums,
  setHeaderChecksum,
} from './header.ts'

const registerResultBytes = 64

/** The body of the reply to a registration: the largest body (bytes) that the client may send. */
export const registerResult = new Uint8Array(registerResultBytes)
viewOf(registerResult).setUint32(0, bodyBytesMax, true)

/**
 * The whole reply message to a committed entry; `body` is copied. The same entry and body give the
 * same bytes, which is why replies need no place in the journal.
 */
export function makeReply(entry: EntryHead, body: Uint8Array): Uint8Array {
  const size = headerBytes + body.byteLength
  const bytes = Buffer.allocUnsafe(size)
  bytes.fill(0, 0, headerBytes)
  bytes.set(body, headerBytes)
  const view = viewOf(bytes)
  writeFrame(view, commands.reply, size, entry.getUint32(entryAt.release, true))
  copy16(view, replyAt.requestChecksum, entry, entryAt.requestChecksum)
  copy16(view, replyAt.client, entry, entryAt.client)
  const op = entry.getBigUint64(entryAt.op, true)
  view.setBigUint64(replyAt.op, op, true)
  view.setBigUint64(replyAt.commit, op, true)
  view.setBigUint64(replyAt.timestamp, entry.getBigUint64(entryAt.timestamp, true), true)
  view.setUint32(replyAt.request, entry.getUint32(entryAt.request, true), true)
  view.setUint8(replyAt.operation, entry.getUint8(entryAt.operation))
  setBodyChecksum(view, 0, size)
  // The context chains requests to replies: it is the checksum of the header while it is still zero.
  setHeaderChecksum(view, 0, replyAt.context)
  setHeaderChecksum(view, 0, at.checksum)
  return bytes
}

/** The answer to the client's ping whose header stands at `offset`. */
export function makePong(ping: DataView, offset: number): Uint8Array {
  const bytes = new Uint8Array(headerBytes)
  const view = viewOf(bytes)
  writeFrame(view, commands.pongClient, headerBytes, release)
  const monotonic = ping.getBigUint64(offset + pingAt.monotonic, true)
  view.setBigUint64(pongAt.monotonic, monotonic, true)
  setChecksums(view, 0, headerBytes)
  return bytes
}

/** Tells the client whose id stands at `offset` that it has no session any more, and why. */
export function makeEviction(client: DataView, offset: number, reason: EvictionReason): Uint8Array {
  const bytes = new Uint8Array(headerBytes)
  const view = viewOf(bytes)
  writeFrame(view, commands.eviction, headerBytes, release)
  copy16(view, evictionAt.client, client, offset)
  view.setUint8(evictionAt.reason, evictionReasons[reason])
  setChecksums(view, 0, headerBytes)
  return bytes
}

function writeFrame(view: DataView, command: number, size: number, messageRelease: number): void {
  view.setUint32(at.size, size, true)
  view.setUint32(at.release, messageRelease, true)
  view.setUint8(at.command, command)
}
