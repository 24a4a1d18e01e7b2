/**
 * Where withdrawals go, encrypted at rest: AES-256-GCM with a random nonce for each, and with the
 * withdrawal's id as additional data, so that one cannot be put in the place of another.
 *
 * Stored are: the length of the key's id, the key's id, the nonce, the tag, what is encrypted.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Uuid } from '../accounting/ids.ts'

export interface DestinationKey {
  /** Stored with what the key encrypts, so that keys can be rotated. At most 255 bytes. */
  id: string
  /** 32 bytes. */
  key: Buffer
}

export interface Destinations {
  encrypt(withdrawalId: Uuid, destination: string): Buffer
  /** Throws when the key is not there, or when the bytes were changed or are another withdrawal's. */
  decrypt(withdrawalId: Uuid, stored: Buffer): string
  /** What everything begins with that the newest key has encrypted. */
  readonly beginning: Buffer
}

const algorithm = 'aes-256-gcm'
export const destinationKeyBytes = 32
const nonceBytes = 12
const authTagLength = 16

/** Encrypts with the first of the keys, decrypts with any. */
export function createDestinations(
  keys: readonly [DestinationKey, ...DestinationKey[]],
): Destinations {
  const [newest] = keys
  const byBeginning = new Map(keys.map((key) => [beginningOf(key).toString('hex'), key.key]))
  const beginning = beginningOf(newest)
  return {
    beginning,
    encrypt(withdrawalId, destination) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv(algorithm, newest.key, nonce, { authTagLength })
      cipher.setAAD(Buffer.from(withdrawalId))
      const encrypted = Buffer.concat([cipher.update(destination, 'utf8'), cipher.final()])
      return Buffer.concat([beginning, nonce, cipher.getAuthTag(), encrypted])
    },
    decrypt(withdrawalId, stored) {
      const nonceAt = 1 + (stored[0] ?? 0)
      const tagAt = nonceAt + nonceBytes
      const encryptedAt = tagAt + authTagLength
      const key = byBeginning.get(stored.toString('hex', 0, nonceAt))
      if (!key) {
        const id = stored.toString('utf8', 1, nonceAt)
        throw new Error(`DESTINATION_KEYS has no key ${id}, which a destination was encrypted with`)
      }
      const nonce = stored.subarray(nonceAt, tagAt)
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength })
      decipher.setAAD(Buffer.from(withdrawalId))
      decipher.setAuthTag(stored.subarray(tagAt, encryptedAt))
      const decrypted = [decipher.update(stored.subarray(encryptedAt)), decipher.final()]
      return Buffer.concat(decrypted).toString('utf8')
    },
  }
}

function beginningOf({ id }: DestinationKey): Buffer {
  const bytes = Buffer.from(id)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

const hintCharactersMax = 4

/**
 * What of a destination may be shown: its last four characters that are no blanks, and never more than a
 * quarter of them.
 */
export function maskDestination(destination: string): string {
  const characters = Array.from(destination.replace(/\s/g, ''))
  const shown = Math.min(hintCharactersMax, Math.floor(characters.length / 4))
  return `…${characters.slice(characters.length - shown).join('')}`
}
