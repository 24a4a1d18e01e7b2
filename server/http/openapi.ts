import { z } from 'zod'
import type { RefusalCode } from '../refusals.ts'
import { problemKinds } from './errors.ts'
import type { ResponseSpec, Route, RouteSpec } from './route.ts'

type JsonObject = Record<string, unknown>

const problemBody = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: 'Stable: programs decide by it' }),
    detail: z.string().optional(),
    request_id: z.string(),
    errors: z
      .array(
        z.object({
          in: z.enum(['path', 'query', 'header']).optional(),
          pointer: z.string().meta({ description: 'JSON Pointer into the body, or a name' }),
          message: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' })

/** What holds for all routes, in Markdown. */
const introduction = `A double-entry wallet backend: people hold money, are paid by payment systems
and pay each other.

- **Signing in**: keep the cookie of \`POST /v1/users\` or \`POST /v1/sessions\`, or send HTTP Basic
  with any request.
- **Amounts** are decimal text in major units, \`"115.60"\`. Nothing is rounded.
- **Once**: send an \`Idempotency-Key\` with what moves money, and the same again when you got no answer.
- **Lists** are \`{data, next_cursor}\`: send \`next_cursor\` as \`cursor\` to go on.
- **Refusals** are problem documents (RFC 9457). Programs decide by \`code\`.`

/** Every code that a route can refuse with: its own, and those of what it is made of. */
export function refusalsOf(spec: RouteSpec): RefusalCode[] {
  const codes: RefusalCode[] = [...spec.refusals]
  if (spec.body) {
    codes.push('malformed_body', 'body_too_large', 'unsupported_media_type', 'invalid_request')
  }
  if (spec.params || spec.query || spec.idempotent) codes.push('invalid_request')
  if (spec.method !== 'GET') codes.push('cross_origin')
  if (spec.caller !== 'anyone') {
    codes.push('not_signed_in', 'role_not_allowed')
    codes.push('wrong_credentials', 'too_many_attempts', 'busy')
  }
  codes.push('database_unavailable', 'internal_error')
  return [...new Set(codes)]
}

/** The OpenAPI 3.1 document of the routes, made of the schemas that validate. */
export function toOpenApi(routes: readonly Route[], cookieName: string): JsonObject {
  const components: JsonObject = {}
  const paths: Record<string, JsonObject> = {}
  for (const { spec } of routes) {
    if (spec.hidden) continue
    paths[spec.path] = {
      ...paths[spec.path],
      [spec.method.toLowerCase()]: toOperation(spec, components),
    }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Kassa',
      version: '1',
      description: introduction,
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: cookieName },
        basic: { type: 'http', scheme: 'basic' },
      },
    },
  }
}

function toOperation(spec: RouteSpec, components: JsonObject): JsonObject {
  const { summary, description, tags, caller, params, query, body, form } = spec
  const roles = caller === 'anyone' ? [] : [caller].flat()
  const content = body && { schema: toSchema(body, components) }
  return {
    summary,
    ...(description === undefined ? {} : { description }),
    operationId: nameOperation(spec),
    tags,
    security: roles.length > 0 ? [{ session: [] }, { basic: [] }] : [],
    ...(roles.length > 0 ? { 'x-roles': roles } : {}),
    parameters: [
      ...toParameters(params, 'path', components),
      ...toParameters(query, 'query', components),
      ...(spec.idempotent ? [{ ...idempotencyKey, required: spec.idempotent === 'required' }] : []),
    ],
    ...(content
      ? {
          requestBody: {
            required: true,
            content: {
              [spec.upload?.contentType ?? 'application/json']: content,
              ...(form ? { 'application/x-www-form-urlencoded': content } : {}),
            },
          },
        }
      : {}),
    responses: { ...toResponses(spec, components), ...toProblems(spec, components) },
  }
}

/** `GET /v1/wallets/{id}` is getV1WalletsId. */
function nameOperation({ method, path }: RouteSpec): string {
  const words = path.split(/[^a-z0-9]+/i).filter((word) => word !== '')
  const capitalized = words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
  return [method.toLowerCase(), ...capitalized].join('')
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Chosen by you; the same key again answers what happened the first time',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
}

function toParameters(
  schema: z.ZodObject | undefined,
  place: 'path' | 'query',
  components: JsonObject,
): JsonObject[] {
  return Object.entries(schema?.shape ?? {}).map(([name, parameter]) => {
    const { description, ...rest } = toSchema(parameter as z.ZodType, components)
    return {
      name,
      in: place,
      required: place === 'path' || !(parameter as z.ZodType).safeParse(undefined).success,
      ...(description === undefined ? {} : { description }),
      schema: rest,
    }
  })
}

function toResponses({ responses }: RouteSpec, components: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(responses).map(([status, { description, headers = {}, ...sent }]) => [
      status,
      {
        description,
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, meaning]) => [
            name,
            { description: meaning, schema: { type: 'string' } },
          ]),
        ),
        ...(sent.body ? { content: toContent(sent, components) } : {}),
      },
    ]),
  )
}

/** What is in a body, by the type that it is sent in. */
function toContent(
  { body, contentType = 'application/json', contentTypes }: Omit<ResponseSpec, 'description'>,
  components: JsonObject,
): JsonObject {
  const schemas = contentTypes ?? (body ? { [contentType]: body } : {})
  return Object.fromEntries(
    Object.entries(schemas).map(([type, schema]) => [
      type,
      { schema: toSchema(schema, components) },
    ]),
  )
}

/** One response for each status; the codes that share it are told in its schema. */
function toProblems(spec: RouteSpec, components: JsonObject): JsonObject {
  const byStatus = Map.groupBy(refusalsOf(spec), (code) => problemKinds[code].status)
  return Object.fromEntries(
    [...byStatus]
      .filter(([status]) => spec.responses[status] === undefined)
      .map(([status, codes]) => [
        status,
        {
          description: codes.map((code) => `\`${code}\`: ${problemKinds[code].title}`).join('\n\n'),
          content: {
            'application/problem+json': {
              schema: {
                allOf: [toSchema(problemBody, components)],
                properties: { code: { enum: codes } },
              },
            },
          },
        },
      ]),
  )
}

/** The JSON Schema of what is sent; schemas with an id become components. */
function toSchema(schema: z.ZodType, components: JsonObject): JsonObject {
  // Inside an object, also a schema with an id comes out as a reference.
  const { properties, $defs } = z.toJSONSchema(z.object({ it: schema }), {
    io: 'input',
    unrepresentable: 'any',
  })
  Object.assign(components, useComponents($defs ?? {}))
  return useComponents(properties?.it) as JsonObject
}

function useComponents(schema: unknown): JsonObject {
  const text = JSON.stringify(schema ?? {})
  return JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/'))
}
