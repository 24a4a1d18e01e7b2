import { viewOf } from './checksum.ts'
import { type EntryHead, entryAt, entryHeadBytes, readOp, recordBytes } from './entry.ts'
import { sealRecord } from './record.ts'

const groupBytes = 64 * 1024
const groupBytesKept = 8 * 1024 * 1024

/** Records that are written together, one after the other as they stand in the journal. */
export class Group {
  lastOp = 0
  /** What its newest record says to be durable. */
  stated = 0
  bytes = 0
  #buffer: Buffer = Buffer.alloc(groupBytes)
  #view = viewOf(this.#buffer)

  get content(): Uint8Array {
    return this.#buffer.subarray(0, this.bytes)
  }

  add(head: EntryHead, body: Uint8Array, durable: number, folder: DataView): void {
    const size = entryHeadBytes + body.byteLength
    const end = this.bytes + recordBytes(size)
    if (end > this.#buffer.byteLength) this.#grow(end)
    for (let i = 0; i < entryHeadBytes; i += 4) {
      this.#view.setInt32(this.bytes + i, head.getInt32(i, true), true)
    }
    this.#buffer.set(body, this.bytes + entryHeadBytes)
    this.#buffer.fill(0, this.bytes + size, end)
    sealRecord(this.#view, this.bytes, size, durable, folder)
    this.bytes = end
    this.lastOp = readOp(head, entryAt.op)
    this.stated = durable
  }

  clear(): void {
    this.bytes = 0
    if (this.#buffer.byteLength > groupBytesKept) this.#use(Buffer.alloc(groupBytes))
  }

  #grow(bytes: number): void {
    const larger = Buffer.alloc(Math.max(bytes, 2 * this.#buffer.byteLength))
    larger.set(this.content)
    this.#use(larger)
  }

  #use(buffer: Buffer): void {
    this.#buffer = buffer
    this.#view = viewOf(buffer)
  }
}
