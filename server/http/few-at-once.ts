import type { Readable } from 'node:stream'
import { Refusal } from '../refusals.ts'

/**
 * Lets each caller have so many downloads at once, from when they are asked for until the last byte is sent
 * or nobody waits for it any more: making one takes its turns of the process from everybody else.
 * Refusal: busy, for one more.
 */
export function createFewAtOnce(max: number) {
  const counts = new Map<string, number>()

  function leave(userId: string): void {
    const count = counts.get(userId)! - 1
    if (count > 0) counts.set(userId, count)
    else counts.delete(userId)
  }

  return async function take<File extends { content: Readable }>(
    userId: string,
    make: () => Promise<File>,
  ): Promise<File> {
    const count = counts.get(userId) ?? 0
    if (count >= max) throw new Refusal('busy', { retryAfterSeconds: 1 })
    counts.set(userId, count + 1)
    try {
      const file = await make()
      file.content.once('close', () => leave(userId))
      return file
    } catch (error) {
      leave(userId)
      throw error
    }
  }
}
