import { encodeFileHead, type FileIdentity, fileHeadBytes } from './file-head.ts'
import { asideSuffix, type Storage, type StorageFile } from './storage.ts'

/**
 * The journal is a row of segment files. A segment starts with a head; the records follow, and after
 * them zeros up to the size that was prepared: overwriting zeros syncs faster than growing a file.
 */
export const segmentHeadBytes = fileHeadBytes
/** A segment of this many bytes (32 MiB) is followed by the next one, and by a snapshot. */
export const segmentBytesDefault = 32 * 1024 * 1024

const zeros = new Uint8Array(1024 * 1024)

export function segmentName(number: number): string {
  return `journal-${String(number).padStart(8, '0')}`
}

export function segmentIdentity(folder: Uint8Array, number: number): FileIdentity {
  return { magic: 'KASSAJNL', number, folder }
}

/** The numbers of the segments among the file names `names`, rising. */
export function segmentNumbers(names: readonly string[]): number[] {
  const numbers: number[] = []
  for (const name of names) {
    const match = /^journal-(\d{8})$/.exec(name)
    if (match !== null) numbers.push(Number(match[1]))
  }
  return numbers.sort((a, b) => a - b)
}

/**
 * Makes an empty segment of `bytes` zeros, so that a crash leaves all of it or nothing, and opens it
 * for synced writes. The zeros are written in slices: this runs beside commits.
 */
export async function createSegment(
  storage: Storage,
  folder: Uint8Array,
  number: number,
  bytes: number,
): Promise<StorageFile> {
  const name = segmentName(number)
  const file = await storage.open(name + asideSuffix)
  try {
    await file.truncate(0)
    await file.write(encodeFileHead(segmentIdentity(folder, number)), 0)
    for (let at = segmentHeadBytes; at < bytes; at += zeros.byteLength) {
      await file.write(zeros.subarray(0, Math.min(zeros.byteLength, bytes - at)), at)
      await file.sync()
    }
  } finally {
    await file.close()
  }
  await storage.rename(name + asideSuffix, name)
  await storage.sync()
  return storage.open(name, { syncedWrites: true })
}
