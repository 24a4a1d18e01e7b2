import { checksumInto, viewOf } from './checksum.ts'
import { copy16, equal8 } from './entry.ts'
import { DamageError, FormatError } from './storage.ts'

/** Every binary file of the ledger starts with a head of this many bytes. */
export const fileHeadBytes = 128
/** The version of all formats on disk. */
export const formatVersion = 1

const headAt = { magic: 0, version: 8, number: 12, folder: 16, checksum: 112 } as const

/** Which file it is: eight letters for its kind, a number among its kind, and the folder's id. */
export interface FileIdentity {
  readonly magic: string
  readonly number: number
  /** Eight random bytes, the same in all files of a data folder. */
  readonly folder: Uint8Array
}

/** The first 128 bytes of a file. */
export function encodeFileHead(identity: FileIdentity): Uint8Array {
  const head = new Uint8Array(fileHeadBytes)
  const view = viewOf(head)
  head.set(Buffer.from(identity.magic), headAt.magic)
  view.setUint32(headAt.version, formatVersion, true)
  view.setUint32(headAt.number, identity.number, true)
  head.set(identity.folder, headAt.folder)
  copy16(view, headAt.checksum, checksumOf(view), 0)
  return head
}

/**
 * Checks the head of the file `name`. Throws DamageError when it is damaged, FormatError when it is
 * of an unknown version or belongs elsewhere.
 */
export function checkFileHead(name: string, head: Uint8Array, identity: FileIdentity): void {
  if (head.byteLength < fileHeadBytes) throw new DamageError(name, 0, 'its head is cut off')
  const view = viewOf(head)
  if (Buffer.from(head.subarray(0, 8)).toString('latin1') !== identity.magic) {
    throw new DamageError(name, headAt.magic, `it does not start with ${identity.magic}`)
  }
  const version = view.getUint32(headAt.version, true)
  if (version !== formatVersion) {
    throw new FormatError(name, `format version ${version} is not known here`)
  }
  const sum = checksumOf(view)
  if (!equal8(view, headAt.checksum, sum, 0) || !equal8(view, headAt.checksum + 8, sum, 8)) {
    throw new DamageError(name, headAt.checksum, 'the checksum of its head is wrong')
  }
  if (view.getUint32(headAt.number, true) !== identity.number) {
    throw new FormatError(name, `it is number ${view.getUint32(headAt.number, true)} of its kind`)
  }
  if (!equal8(view, headAt.folder, viewOf(identity.folder), 0)) {
    throw new FormatError(name, 'it belongs to another data folder')
  }
}

/** The folder id in a file head, not checked yet. */
export function folderOf(head: Uint8Array): Uint8Array {
  return head.slice(headAt.folder, headAt.folder + 8)
}

function checksumOf(head: DataView): DataView {
  const sum = new Int32Array(4)
  checksumInto(sum, head, 0, headAt.checksum)
  return new DataView(sum.buffer)
}
