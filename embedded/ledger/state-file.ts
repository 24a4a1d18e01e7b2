import { crc32 } from 'node:zlib'
import { viewOf } from './checksum.ts'
import { readOp, writeOp } from './entry.ts'
import { checkFileHead, encodeFileHead, type FileIdentity, fileHeadBytes } from './file-head.ts'
import type { SnapshotSection } from './state-machine.ts'
import { DamageError, readFully, type Storage, type StorageFile } from './storage.ts'

/**
 * The file `state` holds the rows of all snapshots so far. The state machine's sections only ever
 * grow, so a snapshot appends blocks with the new rows, and a manifest says how far the file counts;
 * what lies behind that is an unfinished snapshot, to be overwritten.
 */
export const stateFileName = 'state'
const blockHeadBytes = 32
const blockBytesMax = 1024 * 1024
/** Syncing now and then keeps the last sync short. */
const syncBytes = 8 * 1024 * 1024
const blockAt = { sum: 0, bytes: 4, section: 8, start: 16, headSum: 28 } as const

interface Block {
  readonly section: number
  readonly start: number
  readonly bytes: number
  readonly position: number
  readonly sum: number
}

/** Opens the state file. A new one lasts only when the folder is synced. */
export async function openStateFile(storage: Storage, folder: Uint8Array): Promise<StateFile> {
  const identity: FileIdentity = { magic: 'KASSASTA', number: 1, folder }
  return new StateFile(await storage.open(stateFileName), identity)
}

export class StateFile {
  readonly #file: StorageFile
  readonly #identity: FileIdentity
  /** Bytes of the file that the newest durable manifest counts; 0 before the first one. */
  #bytes = 0
  /** Bytes saved of each section. */
  #saved: number[] = []
  constructor(file: StorageFile, identity: FileIdentity) {
    this.#file = file
    this.#identity = identity
  }

  /**
   * Appends what the sections have grown by, and syncs it. Returns what to call when the manifest
   * that counts it is durable; until then a new attempt overwrites this one.
   */
  async append(
    sections: readonly SnapshotSection[],
  ): Promise<{ readonly bytes: number; readonly accept: () => void }> {
    let position = this.#bytes
    if (position === 0) {
      await this.#file.write(encodeFileHead(this.#identity), 0)
      position = fileHeadBytes
    }
    let unsynced = 0
    for (const [index, section] of sections.entries()) {
      for (const block of this.#blocks(index, section)) {
        await this.#file.write(block, position)
        position += block.byteLength
        unsynced += block.byteLength
        if (unsynced >= syncBytes) {
          await this.#file.sync()
          unsynced = 0
        }
      }
    }
    await this.#file.sync()
    const accept = () => {
      this.#bytes = position
      this.#saved = sections.map((section) => section.byteLength)
    }
    return { bytes: position, accept }
  }

  /**
   * Finds the blocks of a saved snapshot; its rows are read and checked when `section` is asked.
   * Throws DamageError with the place.
   */
  load(
    stateBytes: number,
    sections: readonly { readonly name: string; readonly bytes: number }[],
  ): (name: string) => Iterable<Uint8Array> {
    const head = new Uint8Array(fileHeadBytes)
    readFully(this.#file, head, 0)
    checkFileHead(stateFileName, head, this.#identity)
    const blocks = this.#findBlocks(stateBytes, sections.length)
    const saved = sections.map(() => 0)
    for (const block of blocks) {
      if (block.start !== saved[block.section]) {
        throw new DamageError(
          stateFileName,
          block.position,
          'a block does not follow the one before',
        )
      }
      saved[block.section] = block.start + block.bytes
    }
    for (const [index, section] of sections.entries()) {
      if (saved[index] !== section.bytes) {
        throw new DamageError(stateFileName, stateBytes, `section ${section.name} is not complete`)
      }
    }
    this.#bytes = stateBytes
    this.#saved = saved
    return (name) => {
      const index = sections.findIndex((section) => section.name === name)
      return this.#read(blocks.filter((block) => block.section === index))
    }
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  *#blocks(index: number, section: SnapshotSection): Generator<Uint8Array> {
    let start = this.#saved[index] ?? 0
    const room = Math.min(blockBytesMax, section.byteLength - start)
    if (room === 0) return
    const block = Buffer.allocUnsafe(blockHeadBytes + room)
    let filled = 0
    for (const slice of section.slices(start, section.byteLength)) {
      for (let at = 0; at < slice.byteLength; ) {
        const part = slice.subarray(at, at + room - filled)
        block.set(part, blockHeadBytes + filled)
        at += part.byteLength
        filled += part.byteLength
        if (filled === room) {
          yield seal(block, index, start)
          start += filled
          filled = 0
        }
      }
    }
    if (filled > 0) yield seal(block.subarray(0, blockHeadBytes + filled), index, start)
  }

  #findBlocks(stateBytes: number, sections: number): Block[] {
    const blocks: Block[] = []
    const head = Buffer.alloc(blockHeadBytes)
    const view = viewOf(head)
    for (let at = fileHeadBytes; at < stateBytes; ) {
      const got = readFully(this.#file, head, at)
      const sum = crc32(head.subarray(0, blockAt.headSum))
      if (got < blockHeadBytes || sum !== view.getUint32(blockAt.headSum, true)) {
        throw new DamageError(stateFileName, at, 'the head of a block is wrong')
      }
      const bytes = view.getUint32(blockAt.bytes, true)
      const section = view.getUint16(blockAt.section, true)
      const position = at + blockHeadBytes
      at = position + bytes
      if (bytes > blockBytesMax || section >= sections || at > stateBytes) {
        throw new DamageError(stateFileName, position, 'a block is too large or of no section')
      }
      const start = readOp(view, blockAt.start)
      blocks.push({ section, start, bytes, position, sum: view.getUint32(blockAt.sum, true) })
    }
    return blocks
  }

  *#read(blocks: readonly Block[]): Generator<Uint8Array> {
    for (const block of blocks) {
      const bytes = new Uint8Array(block.bytes)
      const got = readFully(this.#file, bytes, block.position)
      if (got < block.bytes || crc32(bytes) !== block.sum) {
        throw new DamageError(stateFileName, block.position, 'the checksum of a block is wrong')
      }
      yield bytes
    }
  }
}

/** Writes the head of a block whose rows are there. */
function seal(block: Buffer, section: number, start: number): Buffer {
  const view = viewOf(block)
  block.fill(0, 0, blockHeadBytes)
  const rows = block.subarray(blockHeadBytes)
  view.setUint32(blockAt.sum, crc32(rows), true)
  view.setUint32(blockAt.bytes, rows.byteLength, true)
  view.setUint16(blockAt.section, section, true)
  writeOp(view, blockAt.start, start)
  view.setUint32(blockAt.headSum, crc32(block.subarray(0, blockAt.headSum)), true)
  return block
}
