import { viewOf } from './checksum.ts'
import {
  entryAt,
  entryHeadBytes,
  markOperation,
  readOp,
  recordBytes,
  recordBytesMax,
} from './entry.ts'
import { isZero } from './header.ts'
import { invalidHead, invalidRecord } from './record.ts'
import { segmentHeadBytes, segmentName } from './segment.ts'
import { DamageError, readFully, type StorageFile } from './storage.ts'

export interface OpenSegment {
  readonly number: number
  readonly file: StorageFile
  readonly bytes: number
}

/** Where the records end: the next one belongs at `offset` of the segment at `index`. */
export interface JournalEnd {
  readonly index: number
  readonly offset: number
  readonly lastOp: number
  /** True when something unfinished follows: what was being written when the process ended. */
  readonly torn: boolean
}

export type TakeEntry = (head: DataView, body: Uint8Array) => void

/**
 * Gives every entry after op `lastOp` to `take`, in order, and returns where they end. What follows
 * the last valid record is either unfinished (never acknowledged, so it may be cut off) or damage:
 * damage exactly when a later record says that the missing op was on disk. Then it is a DamageError.
 */
export function readJournal(
  segments: readonly OpenSegment[],
  folder: DataView,
  lastOp: number,
  take: TakeEntry,
): JournalEnd {
  let end: JournalEnd = { index: 0, offset: segmentHeadBytes, lastOp, torn: false }
  for (const [index, segment] of segments.entries()) {
    const window = new Window(segment)
    let offset = segmentHeadBytes
    let record = readRecord(window, offset, folder, end.lastOp)
    while (typeof record !== 'string') {
      offset += recordBytes(record.byteLength)
      const mark = record.getUint8(entryAt.operation) === markOperation
      end = { index, offset, lastOp: end.lastOp + (mark ? 0 : 1), torn: false }
      if (!mark) take(record, bodyOf(record))
      record = readRecord(window, offset, folder, end.lastOp)
    }
    if (window.isZeroFrom(offset)) continue
    const found = segments.slice(index).some((later) => {
      return provesDurable(later, later === segment ? offset : segmentHeadBytes, folder, end.lastOp)
    })
    if (found) throw damage(segments, end, { index, offset }, record)
    return { ...end, torn: true }
  }
  return end
}

/** The record at `offset`, or why there is none that follows op `lastOp`. */
function readRecord(
  window: Window,
  offset: number,
  folder: DataView,
  lastOp: number,
): DataView | string {
  const head = window.at(offset, entryHeadBytes)
  if (head === null) return 'the file ends'
  const wrong = invalidHead(head, 0, folder)
  if (wrong !== null) return wrong
  const record = window.at(offset, head.getUint32(entryAt.size, true))
  if (record === null) return 'the file ends within a record'
  return invalidRecord(record, lastOp) ?? record
}

/** Whether any record from `offset` on says that an op after `lastOp` was on disk. */
function provesDurable(
  segment: OpenSegment,
  offset: number,
  folder: DataView,
  lastOp: number,
): boolean {
  const window = new Window(segment)
  for (let at = offset; ; at += entryHeadBytes) {
    const head = window.at(at, entryHeadBytes)
    if (head === null) return false
    if (isZero(head, 0, entryHeadBytes) || invalidHead(head, 0, folder) !== null) continue
    if (readOp(head, entryAt.durable) > lastOp) return true
  }
}

/** When the next record is intact but too new, the damage is where the records before it ended. */
function damage(
  segments: readonly OpenSegment[],
  end: JournalEnd,
  fault: { index: number; offset: number },
  what: string,
): DamageError {
  const place = what.startsWith('op ') ? end : fault
  const name = segmentName(segments[place.index]!.number)
  const missing = `op ${end.lastOp + 1} was acknowledged and cannot be read (${what})`
  return new DamageError(name, place.offset, missing)
}

function bodyOf(record: DataView): Uint8Array {
  const bytes = record.byteLength - entryHeadBytes
  return new Uint8Array(record.buffer, record.byteOffset + entryHeadBytes, bytes)
}

const windowBytes = 4 * recordBytesMax

/** Reads a file forward through one buffer. */
class Window {
  readonly #segment: OpenSegment
  readonly #buffer: Buffer
  #start = 0
  #bytes = 0

  constructor(segment: OpenSegment) {
    this.#segment = segment
    this.#buffer = Buffer.allocUnsafe(Math.min(windowBytes, segment.bytes))
  }

  /** A view on `bytes` bytes at `offset`, good until the next call; null when the file is shorter. */
  at(offset: number, bytes: number): DataView | null {
    if (offset + bytes > this.#segment.bytes) return null
    if (offset < this.#start || offset + bytes > this.#start + this.#bytes) this.#fill(offset)
    const from = offset - this.#start
    return from + bytes > this.#bytes ? null : viewOf(this.#buffer.subarray(from, from + bytes))
  }

  isZeroFrom(offset: number): boolean {
    for (let at = offset; at < this.#segment.bytes; at += this.#bytes) {
      this.#fill(at)
      if (this.#bytes === 0) return true
      if (!isZero(viewOf(this.#buffer), 0, this.#bytes)) return false
    }
    return true
  }

  #fill(offset: number): void {
    this.#start = offset
    this.#bytes = readFully(this.#segment.file, this.#buffer, offset)
  }
}
