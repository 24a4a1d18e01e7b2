import bcrypt from 'bcrypt'
import type { Config } from './config.ts'
import { Refusal } from './refusals.ts'

/** bcrypt reads no more than this many bytes, so a longer password is refused. */
export const passwordBytesMax = 72
/** Of UTF-8. */
export const passwordBytesMin = 8

/**
 * Password hashes by bcrypt in its thread pool, a few at once: they would otherwise hold all threads
 * that Node has for files and names. Refusal of both: busy, when too many wait.
 */
export interface Passwords {
  hash(password: string): Promise<string>
  /** Without a hash to compare with, takes as long and answers false. */
  matches(password: string, hash: string | undefined): Promise<boolean>
}

/** Makes the hash that nobody has, for comparing with when there is none. */
export async function createPasswords(
  config: Pick<Config, 'bcryptCost' | 'bcryptConcurrency' | 'bcryptQueueLimit'>,
): Promise<Passwords> {
  const { bcryptCost, bcryptConcurrency, bcryptQueueLimit } = config
  const nobodysHash = await bcrypt.hash('the password of nobody', bcryptCost)
  const waiting: (() => void)[] = []
  let running = 0

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= bcryptConcurrency) {
      if (waiting.length >= bcryptQueueLimit) throw new Refusal('busy', { retryAfterSeconds: 5 })
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else {
      running += 1
    }
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }

  return {
    hash: (password) => inTurn(() => bcrypt.hash(password, bcryptCost)),
    async matches(password, hash) {
      const fits = Buffer.byteLength(password) <= passwordBytesMax
      const equal = await inTurn(() => bcrypt.compare(password, hash ?? nobodysHash))
      return equal && fits && hash !== undefined
    },
  }
}
