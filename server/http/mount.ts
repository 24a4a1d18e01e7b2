import type Router from '@koa/router'
import type { Deps } from '../deps.ts'
import { refuseField } from '../refusals.ts'
import type { Identify } from './basic.ts'
import { readBody, readUpload } from './body.ts'
import type { Context, Extras, Middleware, State } from './context.ts'
import type { RawAnswer, Route } from './route.ts'
import type { SessionCookie } from './session.ts'

export interface MountOptions {
  deps: Deps
  cookie: SessionCookie
  identify: Identify
}

const keyBytesMax = 255

/** Makes a route reachable. */
export function mount(router: Router<State, Extras>, route: Route, options: MountOptions): void {
  const { spec } = route
  const path = spec.path.replace(/\{(\w+)\}/g, ':$1')
  const needsCookie = spec.caller !== 'anyone' || spec.startsSession === true
  const handlers = [handle(route, options)]
  if (needsCookie) handlers.unshift(options.cookie.middleware)
  router.register(path, [spec.method], handlers)
}

function handle(route: Route, { deps, cookie, identify }: MountOptions): Middleware {
  const { spec } = route
  return async (ctx) => {
    ctx.state.route = spec.path
    const identity = spec.caller === 'anyone' ? undefined : await identify(ctx)
    ctx.state.userId = identity?.caller.userId
    // Wallets and transfers can be in an own asset that another process has registered.
    if (identity) await deps.settings.read()
    const answer = await route.run(deps, {
      requestId: ctx.state.requestId,
      address: ctx.ip,
      idempotencyKey: readIdempotencyKey(ctx),
      caller: identity?.caller,
      params: ctx.params,
      query: ctx.query,
      readBody: async () =>
        spec.upload ? readUpload(ctx.req, spec.upload) : readBody(ctx.req, spec),
    })
    if (answer.signIn !== undefined) {
      ctx.state.userId = answer.signIn.userId
      await cookie.signIn(ctx, answer.signIn)
    }
    if (answer.signOut) {
      if (identity) await deps.sessions.end(identity.token)
      await cookie.signOut(ctx)
    }
    respond(ctx, route, answer)
  }
}

/** Refusal: invalid_request. */
function readIdempotencyKey(ctx: Context): string | undefined {
  const key = ctx.req.headers['idempotency-key']
  if (key === undefined) return undefined
  // Node gives one character a byte.
  if (typeof key === 'string' && key.length > 0 && key.length <= keyBytesMax) return key
  const message = `must have 1 to ${keyBytesMax} bytes`
  throw refuseField({ in: 'header', pointer: 'Idempotency-Key', message })
}

function respond(ctx: Context, { spec }: Route, { status, body, headers }: RawAnswer): void {
  ctx.status = status
  if (headers) ctx.set(headers)
  if (body === undefined) {
    ctx.body = null
    ctx.status = status
    return
  }
  const contentType = headers?.['Content-Type'] ?? spec.responses[status]?.contentType
  ctx.type = contentType ?? 'application/json'
  ctx.body = contentType === undefined ? JSON.stringify(body) : body
}
