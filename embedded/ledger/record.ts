import { checksumInto } from './checksum.ts'
import {
  copy16,
  type EntryHead,
  entryAt,
  entryHeadBytes,
  equal8,
  markOperation,
  readOp,
  recordBytesMax,
  writeOp,
} from './entry.ts'

const sum = new Int32Array(4)
const sumView = new DataView(sum.buffer)

/**
 * Turns the entry's head at `offset` into the head of a record: size, what is durable, whose folder,
 * and the checksum over all that. The body's checksum came with the request that brought it.
 */
export function sealRecord(
  view: DataView,
  offset: number,
  size: number,
  durable: number,
  folder: DataView,
): void {
  view.setUint32(offset + entryAt.size, size, true)
  writeOp(view, offset + entryAt.durable, durable)
  view.setInt32(offset + entryAt.folder, folder.getInt32(0, true), true)
  view.setInt32(offset + entryAt.folder + 4, folder.getInt32(4, true), true)
  checksumInto(sum, view, offset + 16, entryHeadBytes - 16)
  copy16(view, offset + entryAt.checksum, sumView, 0)
}

/** Why the 128 bytes at `offset` are not a record's head of this folder, or null when they are. */
export function invalidHead(view: DataView, offset: number, folder: DataView): string | null {
  checksumInto(sum, view, offset + 16, entryHeadBytes - 16)
  if (!equalSum(view, offset + entryAt.checksum)) return 'the checksum of a record is wrong'
  if (!equal8(view, offset + entryAt.folder, folder, 0)) return 'a record is of another data folder'
  const size = view.getUint32(offset + entryAt.size, true)
  if (size < entryHeadBytes || size > recordBytesMax) return 'a record has an impossible size'
  return null
}

/** Why the whole record (its head is valid) is not the one that follows op `lastOp`, or null. */
export function invalidRecord(record: DataView, lastOp: number): string | null {
  const size = record.getUint32(entryAt.size, true)
  const op = readOp(record, entryAt.op)
  const mark = record.getUint8(entryAt.operation) === markOperation
  if (op !== (mark ? lastOp : lastOp + 1)) return `op ${op} follows op ${lastOp}`
  if (readOp(record, entryAt.durable) > lastOp) return `op ${op} says that it is durable itself`
  if (size === entryHeadBytes) return null
  checksumInto(sum, record, entryHeadBytes, size - entryHeadBytes)
  return equalSum(record, entryAt.bodyChecksum) ? null : 'the checksum of a record body is wrong'
}

/** Fills `head` as a mark after op `lastOp`. */
export function fillMark(head: EntryHead, lastOp: number): void {
  for (let i = 0; i < entryHeadBytes; i += 4) head.setInt32(i, 0, true)
  writeOp(head, entryAt.op, lastOp)
  head.setUint8(entryAt.operation, markOperation)
}

function equalSum(view: DataView, offset: number): boolean {
  for (let i = 0; i < 4; i++) if (view.getInt32(offset + i * 4, true) !== sum[i]) return false
  return true
}
