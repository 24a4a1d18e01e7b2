import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'

/**
 * Writes a file as it is made, under another name until it is complete; there is none when it fails.
 * Answers its SHA-256 in hexadecimal digits.
 */
export async function writeFileWhole(
  path: string,
  content: AsyncIterable<string | Uint8Array>,
): Promise<string> {
  const unfinished = `${path}.unfinished`
  const hash = createHash('sha256')
  async function* hashed(): AsyncGenerator<string | Uint8Array, void> {
    for await (const part of content) {
      hash.update(part)
      yield part
    }
  }
  try {
    await pipeline(hashed, createWriteStream(unfinished))
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
  return hash.digest('hex')
}
