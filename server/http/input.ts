import type { z } from 'zod'
import { type FieldError, Refusal } from '../refusals.ts'
import { isStorable } from './json.ts'

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
  const result = schema.safeParse(value, { error: tellFault })
  if (result.success) return result.data
  throw new Refusal('invalid_request', {
    errors: result.error.issues.flatMap((issue) => toFieldErrors(issue, part)).slice(0, errorsMax),
  })
}

/** In place of zod's own messages, where a schema has none: what a value has to be. */
function tellFault(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return 'is missing'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `must be ${listChoices(issue.values)}`
    case 'invalid_union':
      return Array.isArray(issue.options) ? `must be ${listChoices(issue.options)}` : undefined
    case 'too_big':
      return tellBound(issue.origin, `at most ${issue.maximum}`)
    case 'too_small':
      if (issue.origin in units && issue.minimum === 1) return 'must not be empty'
      return tellBound(issue.origin, `at least ${issue.minimum}`)
    default:
      return undefined
  }
}

/** A number that is not whole is another type here (json.ts). */
const typeNames: Readonly<Record<string, string>> = {
  number: 'a whole number',
  int: 'a whole number',
  string: 'a string',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

const listChoices = (choices: readonly unknown[]): string =>
  choices.map((choice) => JSON.stringify(choice)).join(' or ')

/** What is counted of a value that has a size. */
const units: Readonly<Record<string, string>> = { string: 'characters', array: 'items' }

function tellBound(origin: string, bound: string): string {
  const unit = units[origin]
  return unit === undefined ? `must be ${bound}` : `must have ${bound} ${unit}`
}

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
