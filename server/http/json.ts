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

/** Whether a parsed value is a JSON number that was kept as its text. */
export const isLongNumber = (value: unknown): boolean => value instanceof JsonNumber

/** The text of a JSON string, or of a JSON number exactly as it was sent. */
export const textOrNumber = z
  .union(
    [z.string(), z.int(), z.instanceof(JsonNumber).meta({ type: 'number' })],
    'must be a string or a number',
  )
  .transform((value) => (value instanceof JsonNumber ? value.source : String(value)))

/** Where a JSON text may have a number: a string with a digit only if it looks the same. */
const numberStart = /(?:^|[[,:])\s*-?\d/

/** How deeply a value may be nested: far more than anything that Kassa reads. */
const depthMax = 32

/**
 * Parses a JSON text without losing a digit of any number. Text with NUL or with half a surrogate
 * pair is refused, because PostgreSQL cannot store it. Looking at each value takes twenty times as long
 * as parsing, so it is done only to a text that has numbers, or escapes: without these, strings have no
 * such characters if the text has none.
 * @throws SyntaxError or RangeError
 */
export function parseJson(text: string): unknown {
  const isPlain = !text.includes('\\') && text.isWellFormed() && !numberStart.test(text)
  const value = isPlain ? JSON.parse(text) : parseEachValue(text)
  checkDepth(value, depthMax)
  return value
}

function checkDepth(value: unknown, depthLeft: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depthLeft === 0) throw new RangeError(`a value is nested more than ${depthMax} times`)
  for (const part of Object.values(value)) checkDepth(part, depthLeft - 1)
}

function parseEachValue(text: string): unknown {
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
