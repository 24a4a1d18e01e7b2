import { open } from 'node:fs/promises'
import { type RateProvider, ratesBytesMax, readRates } from './provider.ts'

/** Rates in a JSON file. To change them, put a new file in its place. */
export function createFileRates(path: string): RateProvider {
  return {
    name: `file ${path}`,
    async read(signal) {
      await using file = await open(path)
      const { size } = await file.stat()
      if (size > ratesBytesMax) throw new Error(`${path} has ${size} bytes`)
      return readRates(await file.readFile({ encoding: 'utf8', signal }))
    },
  }
}
