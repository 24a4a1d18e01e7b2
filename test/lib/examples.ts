/**
 * Examples in documents are run as they stand there and compared with what they show. What differs
 * from run to run (ids, times, wallet numbers, drawn passwords) is recognised by its form; what was
 * shown for one of them stands for the real one in all later examples.
 */
import { readFile } from 'node:fs/promises'
import { assert } from './suite.ts'

/** Looked for in compact JSON. Wallet numbers have ten digits. */
const volatile = new RegExp(
  [
    '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
    '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z',
    // Of a statement: the rest of its number, and the checksum.
    '(?:-[0-9A-F]{4}){4}\\b',
    'sha256:[0-9a-f]{64}',
    '\\b[1-9]\\d{9}\\b',
    '(?<="number":)\\d+',
    '(?<="id":")\\d+(?=")',
    '(?<="(?:password|next_cursor)":")[\\w-]+',
  ].join('|'),
  'g',
)
/** Neither a time nor a small number names anything. */
const namesNothing = /T[\d:.]+Z$|^\d{1,9}$/

/** A document of the project. */
export function readDocument(path: string): Promise<string> {
  return readFile(new URL(`../../${path}`, import.meta.url), 'utf8')
}

export interface Bindings {
  /** What stands in the document as what is meant in this run. */
  resolve(text: string): string
  /** Says that `shown` stands for `real`. */
  bind(shown: string, real: string): void
  /** Compares JSON that is shown with JSON that was answered, and learns what stands for what. */
  match(shown: string, real: string, where: string): void
}

export function createBindings(): Bindings {
  const known = new Map<string, string>()

  function bind(shown: string, real: string): void {
    const before = known.get(shown)
    if (before !== undefined) assert.is(before, real, `${shown} stands for two things`)
    known.set(shown, real)
  }

  return {
    bind,
    resolve(text) {
      let resolved = text
      for (const [shown, real] of known) resolved = resolved.replaceAll(shown, real)
      return resolved
    },
    match(shown, real, where) {
      const [expected, actual] = [compact(shown), compact(real)]
      assert.is(actual.replace(volatile, '*'), expected.replace(volatile, '*'), where)
      const reals = actual.match(volatile) ?? []
      for (const [index, token] of (expected.match(volatile) ?? []).entries()) {
        if (!namesNothing.test(token)) bind(token, reals[index] ?? '')
      }
    },
  }
}

/** JSON without spaces, its numbers digit by digit. */
function compact(text: string): string {
  if (text.trim() === '') return ''
  return JSON.stringify(
    JSON.parse(text, (_name, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' ? JSON.rawJSON(context?.source ?? String(value)) : value,
    ),
  )
}
