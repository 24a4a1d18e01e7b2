import { request } from 'undici'
import { type RateProvider, ratesBytesMax, readRates } from './provider.ts'

/** Rates that another server answers as JSON. Redirections are not followed. */
export function createHttpRates(url: string): RateProvider {
  const { origin, pathname } = new URL(url)
  return {
    name: `${origin}${pathname}`,
    async read(signal) {
      const { statusCode, body } = await request(url, {
        signal,
        headers: { accept: 'application/json' },
      })
      let text = ''
      const decoder = new TextDecoder('utf-8', { fatal: true })
      let bytes = 0
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length
        if (bytes > ratesBytesMax) throw new Error(`it answers more than ${ratesBytesMax} bytes`)
        text += decoder.decode(chunk, { stream: true })
      }
      if (statusCode !== 200) throw new Error(`it answers ${statusCode}`)
      return readRates(text + decoder.decode())
    },
  }
}
