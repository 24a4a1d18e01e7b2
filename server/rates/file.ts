import { open } from 'node:fs/promises'
import { type RateProvider, ratesBytesMax, readRates } from './provider.ts'

/** Rates in a JSON file. To change them, put a new file in its place. */
export function createFileRates(path: string): RateProvider {
  let isBeingRead = false

  async function readText(signal: AbortSignal): Promise<string> {
    await using file = await open(path)
    const { size } = await file.stat()
    if (size > ratesBytesMax) throw new Error(`${path} has ${size} bytes`)
    // Awaited here: then it is closed.
    return await file.readFile({ encoding: 'utf8', signal })
  }

  return {
    name: `file ${path}`,
    async read(signal) {
      // Opening a file that does not answer cannot be given up: each try would keep a thread for good.
      if (isBeingRead) throw new Error(`${path} does not answer since it was read last`)
      isBeingRead = true
      try {
        return readRates(await readText(signal))
      } finally {
        isBeingRead = false
      }
    },
  }
}
