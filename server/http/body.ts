import type { IncomingMessage } from 'node:http'
import parse from 'co-body'
import { Refusal } from '../refusals.ts'
import { isStorable, parseJson } from './json.ts'

/** Bytes of a request body, unless its route says otherwise. */
const bodyLimitBytesDefault = 64 * 1024

export interface BodyOptions {
  /** Whether form fields are allowed as well. */
  form?: boolean
  bodyLimitBytes?: number
}

/**
 * Reads the body of a request: JSON, or form fields where they are allowed. A request without a
 * body gives undefined.
 * @throws Refusal `unsupported_media_type`, `body_too_large`, `malformed_body`
 */
export async function readBody(
  request: IncomingMessage,
  { form = false, bodyLimitBytes = bodyLimitBytesDefault }: BodyOptions,
): Promise<unknown> {
  const { headers } = request
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) {
    return undefined
  }
  const type = mediaTypeOf(request)
  if (type === 'application/json') return readJson(await readText(request, bodyLimitBytes))
  if (form && type === 'application/x-www-form-urlencoded') {
    return readForm(await readText(request, bodyLimitBytes))
  }
  const accepted = form ? 'application/json or form fields' : 'application/json'
  throw new Refusal('unsupported_media_type', `Send ${accepted}.`)
}

/** The media type without its parameters, in lower case; empty when none is told. */
function mediaTypeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

/**
 * The body of a request as it arrives, uncompressed. What is not read of it is skipped, so that an
 * answer to a part of it arrives as well.
 * @throws Refusal `unsupported_media_type`, `body_too_large`; while it is read also `request_timeout`,
 * when it does not arrive in time or the connection breaks
 */
export function readUpload(
  request: IncomingMessage,
  { contentType, limitBytes }: { contentType: string; limitBytes: number },
): AsyncIterable<Uint8Array> {
  const { headers } = request
  if (mediaTypeOf(request) !== contentType || headers['content-encoding'] !== undefined) {
    throw new Refusal('unsupported_media_type', `Send ${contentType}, uncompressed.`)
  }
  if (Number(headers['content-length'] ?? 0) > limitBytes) throw refuseTooLarge(limitBytes)
  return readBytes(request, limitBytes)
}

async function* readBytes(
  request: IncomingMessage,
  limitBytes: number,
): AsyncGenerator<Uint8Array, void> {
  let bytes = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length
      if (bytes > limitBytes) throw refuseTooLarge(limitBytes)
      yield chunk
    }
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal('request_timeout', 'The body ended early.')
  } finally {
    request.resume()
  }
}

async function readText(request: IncomingMessage, limitBytes: number): Promise<string> {
  try {
    return await parse.text(request, { limit: limitBytes, encoding: 'utf8' })
  } catch (error) {
    const status = error instanceof Error && 'status' in error ? error.status : undefined
    if (status === 413) throw refuseTooLarge(limitBytes)
    if (status === 415) throw new Refusal('unsupported_media_type', 'Send it uncompressed.')
    throw new Refusal('malformed_body', 'The body ended early or cannot be decompressed.')
  }
}

function refuseTooLarge(limitBytes: number): Refusal {
  return new Refusal('body_too_large', {
    detail: `A body has at most ${limitBytes} bytes.`,
    headers: { connection: 'close' },
  })
}

function readJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'it is nested too deeply'
    throw new Refusal('malformed_body', `This is not JSON: ${reason}`)
  }
}

function readForm(text: string): Record<string, string> {
  const fields: Record<string, string> = Object.create(null)
  for (const [name, value] of new URLSearchParams(text)) {
    if (name in fields) throw new Refusal('malformed_body', `The field ${name} is there twice.`)
    if (!isStorable(name) || !isStorable(value)) {
      throw new Refusal('malformed_body', 'A field has characters that are not text.')
    }
    fields[name] = value
  }
  return fields
}
