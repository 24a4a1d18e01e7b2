import { viewOf } from './checksum.ts'
import { type EntryHead, entryHeadBytes } from './entry.ts'
import { Group } from './group.ts'
import { fillMark } from './record.ts'
import type { EntryLog } from './replica.ts'
import { createSegment, segmentHeadBytes } from './segment.ts'
import type { Storage, StorageFile } from './storage.ts'

/** How long (milliseconds) nothing is written before a mark tells what is durable. */
const quietMs = 100

interface Segment {
  readonly number: number
  readonly file: StorageFile
}

/** Where the next record goes. */
export interface JournalPlace extends Segment {
  readonly offset: number
}

export interface JournalOptions {
  readonly storage: Storage
  /** The eight bytes that tell this data folder from others. */
  readonly folder: Uint8Array
  readonly place: JournalPlace
  /** The last op before that place. All up to it is on disk. */
  readonly lastOp: number
  /** From this size (bytes) on, a segment is followed by a new one. */
  readonly segmentBytes: number
  /** How long (milliseconds) to wait before a write to a full disk is tried again. */
  readonly fullDiskRetryMs: number
  /** Clear lines for people. */
  readonly report: (line: string) => void
  /** The disk failed: nothing is acknowledged any more and the process has to end. */
  readonly onFailure: (error: Error) => void
}

/**
 * Makes entries durable. What arrives while a write is under way is written together with the next
 * one (group commit), so the disk's latency is shared and never queued up.
 */
export class Journal implements EntryLog {
  durable: number
  onDurable: () => void = () => {}
  /**
   * Called when a segment is full and all entries up to now go to it or before: the moment for a
   * snapshot, which makes segments before number `next` needless.
   */
  onRoll: (next: number) => void = () => {}
  readonly #options: JournalOptions
  readonly #folder: DataView
  #filling = new Group()
  #writing = new Group()
  #segment: Segment
  #offset: number
  #next: Segment | null = null
  #preparing: Promise<void> | null = null
  #busy: Promise<void> | null = null
  #stated: number
  #quiet: NodeJS.Timeout | undefined
  #failed = false
  #closing = false

  constructor(options: JournalOptions) {
    this.#options = options
    this.#folder = viewOf(options.folder)
    this.#segment = options.place
    this.#offset = options.place.offset
    this.durable = options.lastOp
    this.#stated = 0
  }

  append(head: EntryHead, body: Uint8Array): void {
    this.#add(head, body)
  }

  #add(head: EntryHead, body: Uint8Array): void {
    this.#filling.add(head, body, this.durable, this.#folder)
    this.#busy ??= this.#work()
  }

  /** Resolves when all that was appended is durable (or the disk has failed). */
  async settle(): Promise<void> {
    while (this.#busy !== null) await this.#busy
  }

  /** Writes what is left, states that it is all there, and closes the files. */
  async close(): Promise<void> {
    this.#closing = true
    clearTimeout(this.#quiet)
    await this.settle()
    this.#mark()
    await this.settle()
    await this.#preparing
    await this.#next?.file.close()
    await this.#segment.file.close()
  }

  async #work(): Promise<void> {
    // Entries from other sockets that are readable now join the first group.
    await new Promise(setImmediate)
    clearTimeout(this.#quiet)
    while (this.#filling.bytes > 0 && !this.#failed) {
      const group = this.#filling
      this.#filling = this.#writing
      this.#writing = group
      const next = this.#offset + group.bytes >= this.#options.segmentBytes ? this.#next : null
      if (next !== null) this.onRoll(next.number)
      await this.#write(group.content)
      if (this.#failed) break
      this.#stated = group.stated
      this.durable = group.lastOp
      group.clear()
      this.onDurable()
      if (next !== null) await this.#roll(next)
      this.#prepare()
    }
    this.#busy = null
    if (this.#failed || this.#closing) return
    this.#quiet = setTimeout(() => this.#mark(), quietMs)
    this.#quiet.unref()
  }

  /** Without this the newest group could be damaged later and pass for one never acknowledged. */
  #mark(): void {
    if (this.#busy !== null || this.#failed || this.#stated >= this.durable) return
    const head = new DataView(new ArrayBuffer(entryHeadBytes))
    fillMark(head, this.durable)
    this.#add(head, new Uint8Array(0))
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let full = false; ; full = true) {
      try {
        await this.#segment.file.write(bytes, this.#offset)
        if (full) this.#options.report('there is room on the disk again: going on')
        this.#offset += bytes.byteLength
        return
      } catch (error) {
        if (!isFull(error)) return this.#fail(error)
        if (this.#closing) return this.#fail(new Error('the disk is still full'))
        if (!full) this.#options.report('the disk is full: waiting, and acknowledging nothing')
        await new Promise((resolve) => setTimeout(resolve, this.#options.fullDiskRetryMs))
      }
    }
  }

  async #roll(next: Segment): Promise<void> {
    const full = this.#segment.file
    this.#segment = next
    this.#offset = segmentHeadBytes
    this.#next = null
    await full.close().catch((error) => this.#fail(error))
  }

  /** Makes the next segment in time, beside commits. When that fails, this one simply grows. */
  #prepare(): void {
    const { storage, folder, segmentBytes } = this.#options
    if (this.#next !== null || this.#preparing !== null || this.#closing) return
    if (this.#offset < segmentBytes / 2) return
    const number = this.#segment.number + 1
    this.#preparing = createSegment(storage, folder, number, segmentBytes)
      .then((file) => {
        this.#next = { number, file }
      })
      .catch((error) => this.#options.report(`the next journal segment has to wait: ${error}`))
      .finally(() => {
        this.#preparing = null
      })
  }

  #fail(error: unknown): void {
    this.#failed = true
    this.#options.onFailure(error instanceof Error ? error : new Error(String(error)))
  }
}

function isFull(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error)) return false
  return error.code === 'ENOSPC' || error.code === 'EDQUOT'
}
