/** The newest record as a file, to be kept where nobody who has the key can change it. */
import { z } from 'zod'
import type { EvidenceRecord } from '../../db/evidence.ts'
import { type PublicEvidenceKey, readPublicEvidenceKey, writePublicEvidenceKey } from './keys.ts'
import { toRecordText, verifyText } from './record.ts'

/** A record that was exported, and the key that has signed it. */
export interface ExportedHead {
  number: bigint
  hash: Buffer
  key: PublicEvidenceKey
}

const file = z.object({
  number: z.string().regex(/^\d{1,19}$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  signature: z.base64(),
  public_key: z.string(),
  record: z.string(),
})

/** JSON, with the record's text, so that hash and signature can be checked by the file alone. */
export function writeHead(record: EvidenceRecord, key: PublicEvidenceKey): string {
  const content: z.output<typeof file> = {
    number: String(record.number),
    sha256: record.hash.toString('hex'),
    signature: record.signature.toString('base64'),
    public_key: writePublicEvidenceKey(key),
    record: toRecordText(record),
  }
  return `${JSON.stringify(content, undefined, 2)}\n`
}

/** Reads such a file. Throws when it is none, or when hash or signature are not those of its record. */
export function readHeadFile(text: string): ExportedHead {
  const { number, sha256, signature, public_key, record } = file.parse(JSON.parse(text))
  const key = readPublicEvidenceKey(public_key)
  const hash = Buffer.from(sha256, 'hex')
  if (!key) throw new Error('its public key is none of Ed25519')
  if (!verifyText(record, { hash, signature: Buffer.from(signature, 'base64') }, key)) {
    throw new Error('its hash or its signature is not that of its record')
  }
  if (JSON.parse(record).number !== number) throw new Error('its number is not that of its record')
  return { number: BigInt(number), hash, key }
}
