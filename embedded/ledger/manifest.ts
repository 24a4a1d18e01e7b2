import { crc32 } from 'node:zlib'
import { z } from 'zod'
import { formatVersion } from './file-head.ts'
import { DamageError, FormatError } from './storage.ts'

/**
 * The file `snapshot`: what a restart begins with. One line names the format, its version, and the
 * CRC-32 and size of the JSON that follows. It is replaced as a whole, so it is always complete.
 */
export const manifestName = 'snapshot'

const hex = z.string().regex(/^([0-9a-f]{2})*$/)
const manifestSchema = z.strictObject({
  /** The folder's id. */
  folder: hex.length(16),
  /** The last op in this snapshot, and the highest timestamp (nanoseconds) given until then. */
  op: z.int().nonnegative(),
  timestamp: z.string().regex(/^\d{1,20}$/),
  /** The journal from this segment on holds what came later; earlier segments are not needed. */
  segment: z.int().positive(),
  /** How much of the file `state` belongs to this snapshot. */
  stateBytes: z.int().nonnegative(),
  header: hex,
  sections: z.array(z.strictObject({ name: z.string(), bytes: z.int().nonnegative() })),
  /** Each client session's number and its last reply: the whole message, or of a read the head only. */
  sessions: z.array(z.strictObject({ number: z.string().regex(/^\d{1,20}$/), reply: hex })),
})
export type Manifest = z.infer<typeof manifestSchema>

const firstLine = /^kassa-ledger-snapshot (\d+) ([0-9a-f]{8}) (\d+)\n/

export function encodeManifest(manifest: Manifest): Uint8Array[] {
  const body = Buffer.from(JSON.stringify(manifest))
  const sum = crc32(body).toString(16).padStart(8, '0')
  return [Buffer.from(`kassa-ledger-snapshot ${formatVersion} ${sum} ${body.length}\n`), body]
}

/** Reads a manifest back. Throws DamageError, or FormatError for an unknown version. */
export function decodeManifest(bytes: Buffer): Manifest {
  const line = firstLine.exec(bytes.subarray(0, 100).toString('latin1'))
  if (line === null) throw new DamageError(manifestName, 0, 'it does not start as a snapshot does')
  const [start, version, sum, size] = line
  if (Number(version) !== formatVersion) {
    throw new FormatError(manifestName, `format version ${version} is not known here`)
  }
  const body = bytes.subarray(start.length)
  if (body.length !== Number(size) || crc32(body) !== Number.parseInt(sum!, 16)) {
    throw new DamageError(manifestName, start.length, 'its checksum or size is wrong')
  }
  return manifestSchema.parse(JSON.parse(body.toString()))
}
