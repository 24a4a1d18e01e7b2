/**
 * The few things that the ledger needs of a file system. The real one is `folder-storage.ts`; the
 * crash tests put one in its place that tears, reorders and loses whatever was not synced.
 */
export interface Storage {
  /** The names of all files. */
  list(): Promise<string[]>
  /**
   * Opens a file, made when it is not there. With `syncedWrites` every write is on disk when it
   * resolves, as if followed by fdatasync.
   */
  open(name: string, options?: { readonly syncedWrites?: boolean }): Promise<StorageFile>
  /** Replaces `to` by `from` in one step; durable after `sync`. */
  rename(from: string, to: string): Promise<void>
  remove(name: string): Promise<void>
  /** Makes creations, renames and removals durable. */
  sync(): Promise<void>
}

export interface StorageFile {
  size(): Promise<number>
  /** Reads at once, on the calling thread; returns how many bytes there were, 0 at the end. */
  read(target: Uint8Array, position: number): number
  /** Writes all of `bytes`, or rejects. Durable after `sync`. */
  write(bytes: Uint8Array, position: number): Promise<void>
  sync(): Promise<void>
  truncate(size: number): Promise<void>
  close(): Promise<void>
}

/** Reads until `target` is full or the file ends; returns the number of bytes. */
export function readFully(file: StorageFile, target: Uint8Array, position: number): number {
  let bytes = 0
  while (bytes < target.byteLength) {
    const got = file.read(target.subarray(bytes), position + bytes)
    if (got === 0) break
    bytes += got
  }
  return bytes
}

/** Reads a whole file, or returns null when there is none of that name. */
export async function readWhole(storage: Storage, name: string): Promise<Buffer | null> {
  if (!(await storage.list()).includes(name)) return null
  const file = await storage.open(name)
  try {
    const bytes = Buffer.alloc(await file.size())
    return bytes.subarray(0, readFully(file, bytes, 0))
  } finally {
    await file.close()
  }
}

/**
 * Writes a small file so that a crash leaves the old one or the new one: aside, synced, renamed, and
 * the folder synced.
 */
export async function replaceFile(
  storage: Storage,
  name: string,
  parts: readonly Uint8Array[],
): Promise<void> {
  const aside = name + asideSuffix
  const file = await storage.open(aside)
  try {
    await file.truncate(0)
    let position = 0
    for (const part of parts) {
      await file.write(part, position)
      position += part.byteLength
    }
    await file.sync()
  } finally {
    await file.close()
  }
  await storage.rename(aside, name)
  await storage.sync()
}

/** Files with this ending were being written when the process ended, and mean nothing. */
export const asideSuffix = '.new'

/** Something on disk is not what was written there. The ledger does not start on it. */
export class DamageError extends Error {
  readonly file: string
  readonly offset: number

  constructor(file: string, offset: number, what: string) {
    super(`${file} is damaged at byte ${offset}: ${what}`)
    this.name = 'DamageError'
    this.file = file
    this.offset = offset
  }
}

/** The files are of a version that this program does not read, or are not the ledger's. */
export class FormatError extends Error {
  constructor(file: string, what: string) {
    super(`${file}: ${what}`)
    this.name = 'FormatError'
  }
}
