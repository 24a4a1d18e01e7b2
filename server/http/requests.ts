import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { Refusal } from '../refusals.ts'
import type { Context, Middleware } from './context.ts'
import { explainRefusal, problemKinds, toProblem, toRefusal } from './errors.ts'

const requestIdPattern = /^[\w.-]{1,64}$/

/** Clients of these addresses look for the text of a refusal in `error` (docs/api.md, aliases). */
const aliasPrefix = '/api/'

/** Strict for JSON; a page that needs more sets its own. */
const securityHeaders = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

/**
 * The outermost middleware: gives the request its id, answers errors as problem documents and logs
 * one line. Errors are answered here because Koa's own handler drops the cookies.
 */
export function handleRequests(log: Logger): Middleware {
  return async (ctx, next) => {
    const startedAtMs = performance.now()
    const given = ctx.get('x-request-id')
    ctx.state.requestId = requestIdPattern.test(given) ? given : randomUUID()
    ctx.set('X-Request-Id', ctx.state.requestId)
    ctx.set(securityHeaders)
    try {
      if (!isTarget(ctx.url)) throw new Refusal('malformed_request')
      await next()
    } catch (error) {
      const refusal = toRefusal(error)
      if (!(error instanceof Refusal)) {
        log.error({ id: ctx.state.requestId, err: error }, 'request failed')
      }
      answerRefusal(ctx, refusal)
    }
    log.info(
      {
        id: ctx.state.requestId,
        method: ctx.method,
        route: ctx.state.route,
        status: ctx.status,
        duration_ms: Math.round((performance.now() - startedAtMs) * 10) / 10,
        user_id: ctx.state.userId,
      },
      'request',
    )
  }
}

/** A path, or a whole URL as clients of a proxy send it; Koa throws at anything else. */
function isTarget(url: string): boolean {
  return url.startsWith('/') || url === '*' || URL.canParse(url)
}

/** Answers a refusal as an RFC 9457 problem document. */
function answerRefusal(ctx: Context, refusal: Refusal): void {
  const { retryAfterSeconds, headers } = refusal.options
  ctx.status = problemKinds[refusal.code].status
  if (headers) ctx.set(headers)
  if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds))
  if (ctx.status === 401) ctx.set('WWW-Authenticate', challenge(ctx))
  const problem = toProblem(refusal, ctx.state.requestId)
  const isAlias = ctx.url.startsWith(aliasPrefix)
  ctx.body = JSON.stringify(isAlias ? { ...problem, error: explainRefusal(refusal) } : problem)
  ctx.type = 'application/problem+json'
}

/** A page's own form asks for the password: told of Basic, a browser would open a window for it. */
function challenge(ctx: Context): string {
  return ctx.get('sec-fetch-mode') === ''
    ? 'Basic realm="kassa", charset="UTF-8"'
    : 'Session realm="kassa"'
}
