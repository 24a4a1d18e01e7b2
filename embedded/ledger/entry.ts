import { bodyBytesMax } from './header.ts'

/**
 * Terminology
 * - op: the number of a committed operation: 1, 2, 3... without gaps in the journal.
 * - entry: what has to be known to commit an operation again: a 128-byte head, and for a request its
 *   body. An entry in the journal is called a record.
 * - session: the op of the registration that opened it.
 */
export const entryHeadBytes = 128

/** Offsets of the fields of an entry's head, little endian. */
export const entryAt = {
  /** Of the head from byte 16 on. */
  checksum: 0,
  bodyChecksum: 16,
  client: 32,
  requestChecksum: 48,
  op: 64,
  /** Nanoseconds. */
  timestamp: 72,
  /** The highest op that was known to be on disk when this record was written. */
  durable: 80,
  /** Head and body, bytes. */
  size: 88,
  request: 92,
  release: 96,
  operation: 100,
  /** Eight random bytes: which data folder the record belongs to. */
  folder: 104,
  /** In a registration: the client whose session it ended, or zero. */
  evicted: 112,
} as const

/** The operation of an entry that expires pending transfers; TigerBeetle's number for it. */
export const expireOperation = 4
/** A record that is no entry: it only says in `durable` what is on disk, and has the last op. */
export const markOperation = 1

/** A head to be filled, or one read from a journal. */
export type EntryHead = DataView

/** Reads an op number; op numbers stay far below 2^53. */
export function readOp(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 0x100000000 + view.getUint32(offset, true)
}

export function writeOp(view: DataView, offset: number, op: number): void {
  view.setUint32(offset, op >>> 0, true)
  view.setUint32(offset + 4, Math.floor(op / 0x100000000), true)
}

/** Copies 16 bytes from one view to another. */
export function copy16(target: DataView, to: number, source: DataView, from: number): void {
  for (let i = 0; i < 16; i += 4) {
    target.setInt32(to + i, source.getInt32(from + i, true), true)
  }
}

/** Whether 8 bytes are the same in two places. */
export function equal8(a: DataView, aOffset: number, b: DataView, bOffset: number): boolean {
  return (
    a.getInt32(aOffset, true) === b.getInt32(bOffset, true) &&
    a.getInt32(aOffset + 4, true) === b.getInt32(bOffset + 4, true)
  )
}

/** Bytes that a record takes in the journal: records start at multiples of 128. */
export function recordBytes(size: number): number {
  return Math.ceil(size / entryHeadBytes) * entryHeadBytes
}

/** The largest record: a head and the largest request body. */
export const recordBytesMax = recordBytes(entryHeadBytes + bodyBytesMax)
