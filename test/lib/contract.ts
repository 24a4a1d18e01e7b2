import { inspect } from 'node:util'
import { refusalsOf } from '../../server/http/openapi.ts'
import type { RouteSpec } from '../../server/http/route.ts'
import { routes } from '../../server/routes/index.ts'
import type { Reply } from './http.ts'

/** Every route with the pattern of its path; what has no parameters comes first. */
const patterns = routes
  .map(({ spec }) => ({ spec, pattern: toPattern(spec.path) }))
  .sort((a, b) => Number(a.spec.path.includes('{')) - Number(b.spec.path.includes('{')))

/**
 * Holds a reply against what the OpenAPI document tells of its route: the status, the body, and the
 * code of a refusal. What matches no route is left alone.
 */
export function checkContract(method: string, path: string, reply: Reply): void {
  const [pathname = path] = path.split('?')
  const found = patterns.find(
    ({ spec, pattern }) => spec.method === method && pattern.test(pathname),
  )
  if (!found) return
  const { spec } = found
  const fault = /problem\+json/.test(String(reply.headers['content-type']))
    ? faultOfProblem(spec, reply)
    : faultOfResponse(spec, reply)
  if (fault) throw new Error(`${method} ${spec.path} breaks its contract: ${fault}\n${reply.text}`)
}

function faultOfProblem(spec: RouteSpec, { status, body }: Reply): string | undefined {
  if (body.status !== status) return `the status is ${status}, in the document ${body.status}`
  if (!refusalsOf(spec).includes(body.code)) return `it does not tell of the code ${body.code}`
  return undefined
}

function faultOfResponse(spec: RouteSpec, { status, body, text }: Reply): string | undefined {
  const response = spec.responses[status]
  if (!response) return `it does not tell of the status ${status}`
  if (response.contentType !== undefined || response.contentTypes !== undefined) return undefined
  if (!response.body) return text === '' ? undefined : 'it tells of no body'
  const { error } = response.body.safeParse(body)
  return error && inspect(error.issues)
}

function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`)
}
