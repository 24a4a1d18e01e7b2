/** Keys that sign the chain of evidence: Ed25519, each named by a hash of its public half. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

export interface PublicEvidenceKey {
  /** The first 16 hexadecimal digits of the SHA-256 of the public key's 32 bytes. */
  id: string
  publicKey: KeyObject
}

export interface EvidenceKey extends PublicEvidenceKey {
  privateKey: KeyObject
}

const rawBytes = 32
const idDigits = 16
/** What RFC 8410 puts before the 32 bytes of a private and of a public key. */
const pkcs8Beginning = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiBeginning = Buffer.from('302a300506032b6570032100', 'hex')

/** A private key in base64: 32 random bytes, or PKCS #8. Undefined when it is none of Ed25519. */
export function readEvidenceKey(text: string): EvidenceKey | undefined {
  const der = toDer(text, pkcs8Beginning)
  if (!der) return undefined
  try {
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    const named = nameKey(createPublicKey(privateKey))
    return named && { ...named, privateKey }
  } catch {
    return undefined
  }
}

/** A public key in base64: its 32 bytes, or SubjectPublicKeyInfo. Undefined when it is none of Ed25519. */
export function readPublicEvidenceKey(text: string): PublicEvidenceKey | undefined {
  const der = toDer(text, spkiBeginning)
  if (!der) return undefined
  try {
    return nameKey(createPublicKey({ key: der, format: 'der', type: 'spki' }))
  } catch {
    return undefined
  }
}

/** The same in base64, as SubjectPublicKeyInfo. */
export function writePublicEvidenceKey({ publicKey }: PublicEvidenceKey): string {
  return publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
}

const base64Text = /^[\w+/-]+={0,2}$/

function toDer(text: string, beginning: Buffer): Buffer | undefined {
  if (!base64Text.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === rawBytes ? Buffer.concat([beginning, bytes]) : bytes
}

function nameKey(publicKey: KeyObject): PublicEvidenceKey | undefined {
  if (publicKey.asymmetricKeyType !== 'ed25519') return undefined
  const bytes = publicKey.export({ format: 'der', type: 'spki' }).subarray(-rawBytes)
  const id = createHash('sha256').update(bytes).digest('hex').slice(0, idDigits)
  return { id, publicKey }
}
