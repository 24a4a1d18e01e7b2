import type { z } from 'zod'
import { type FieldError, Refusal } from '../refusals.ts'
import { isLongNumber, isStorable } from './json.ts'

/** How many faults of one request are told. */
const errorsMax = 20

/**
 * Validates a part of a request by its schema; without a schema nothing of it is read.
 * @throws Refusal `invalid_request` with an error for each field
 */
export function parseInput<S extends z.ZodType>(
  schema: S | undefined,
  value: unknown,
  part?: 'path' | 'query',
): z.output<S> {
  if (!schema) return (part ? {} : undefined) as z.output<S>
  if (part) checkStorable(value, part)
  const result = schema.safeParse(value, { error: tellPlainly })
  if (result.success) return result.data
  throw new Refusal('invalid_request', {
    errors: result.error.issues.flatMap((issue) => toFieldErrors(issue, part)).slice(0, errorsMax),
  })
}

/**
 * In place of zod's own message, where a schema has none: a value that is not there is not a wrong one, and a
 * number such as 1.5 or 1e3 is one, though not for a count.
 */
function tellPlainly({ input, expected }: { input: unknown; expected?: unknown }) {
  if (input === undefined) return 'is missing'
  return isLongNumber(input) && expected === 'number' ? wholeNumber : undefined
}

const wholeNumber = 'must be a whole number, in plain digits and not too large'

/** What came in the URL as text that PostgreSQL could not even be asked about. */
function checkStorable(parameters: unknown, part: 'path' | 'query'): void {
  const message = 'has characters that are not text'
  const errors = Object.entries(parameters ?? {})
    .filter(([, value]) => typeof value === 'string' && !isStorable(value))
    .map(([pointer]) => ({ in: part, pointer, message }))
  if (errors.length > 0) throw new Refusal('invalid_request', { errors })
}

function toFieldErrors(issue: z.core.$ZodIssue, part: 'path' | 'query' | undefined): FieldError[] {
  const paths =
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => [...issue.path, key])
      : [issue.path]
  const message = issue.code === 'unrecognized_keys' ? 'is not known here' : issue.message
  return paths.map((path) =>
    part ? { in: part, pointer: path.join('.'), message } : { pointer: toPointer(path), message },
  )
}

/** JSON Pointer, RFC 6901. */
function toPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
