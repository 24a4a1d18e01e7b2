/** A record of the chain as text, which is what is hashed and signed. */
import { createHash, sign, verify } from 'node:crypto'
import type { EvidenceRecord, IntervalRecord } from '../../db/evidence.ts'
import type { EvidenceKey, PublicEvidenceKey } from './keys.ts'

/** What the first record has in place of the hash of a record before it. */
export const noHash = Buffer.alloc(32)

/** JSON without blanks, the fields in this order; whole numbers as decimal text, hashes in hexadecimal. */
export function toRecordText(record: IntervalRecord): string {
  return JSON.stringify({
    format: 'kassa evidence 1',
    number: String(record.number),
    from: String(record.fromTime),
    to: String(record.toTime),
    transfers: String(record.transferCount),
    transfers_sha256: record.transfersHash.toString('hex'),
    facts: String(record.factCount),
    facts_sha256: record.factsHash.toString('hex'),
    previous_sha256: record.previousHash.toString('hex'),
    key: record.keyId,
  })
}

/** Hashes and signs what is said of an interval. */
export function signRecord(
  interval: Omit<IntervalRecord, 'keyId'>,
  { id: keyId, privateKey }: EvidenceKey,
): EvidenceRecord {
  const record = { ...interval, keyId }
  const text = toRecordText(record)
  return { ...record, hash: hashText(text), signature: sign(null, Buffer.from(text), privateKey) }
}

/** Whether the hash is that of the text of a record, and the signature that of this key on it. */
export function verifyText(
  text: string,
  { hash, signature }: Pick<EvidenceRecord, 'hash' | 'signature'>,
  { publicKey }: PublicEvidenceKey,
): boolean {
  return hashText(text).equals(hash) && verify(null, Buffer.from(text), publicKey, signature)
}

const hashText = (text: string): Buffer => createHash('sha256').update(text).digest()
