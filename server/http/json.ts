import { z } from 'zod'

/**
 * A JSON number that a JavaScript number cannot hold without changing its text: 115.60, 1e3, -0,
 * 9007199254740993. Only a safe integer in its plain form becomes a JavaScript number.
 */
class JsonNumber {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }
}

/** The text of a JSON string, or of a JSON number exactly as it was sent. */
export const textOrNumber = z
  .union(
    [z.string(), z.int(), z.instanceof(JsonNumber).meta({ type: 'number' })],
    'must be a string or a number',
  )
  .transform((value) => (value instanceof JsonNumber ? value.source : String(value)))

/**
 * Parses a JSON text without losing a digit of any number. Text with NUL or with half a surrogate
 * pair is refused, because PostgreSQL cannot store it.
 * @throws SyntaxError or RangeError
 */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (key: string, value: unknown, context?: { source?: string }) => {
    if (!isStorable(key)) throw new SyntaxError('a name has characters that are not text')
    if (typeof value === 'string' && !isStorable(value)) {
      throw new SyntaxError('a string has characters that are not text')
    }
    if (typeof value !== 'number') return value
    const source = context?.source ?? String(value)
    return Number.isSafeInteger(value) && String(value) === source ? value : new JsonNumber(source)
  })
}

declare global {
  interface JSON {
    /** ECMAScript's JSON.parse source text access, which TypeScript does not describe yet. */
    rawJSON(text: string): RawJson
  }
}

/** A piece of JSON that JSON.stringify writes as it is. */
export interface RawJson {
  readonly rawJSON: string
}

/** Decimal text as a JSON number with the same digits: no JavaScript number is on the way. */
export const writeNumber = (decimal: string): RawJson => JSON.rawJSON(decimal)

/** Whether PostgreSQL can store the text as it is. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}
