import Router from '@koa/router'
import Koa from 'koa'
import type { Deps } from './deps.ts'
import { createIdentify } from './http/basic.ts'
import type { App, Extras, Middleware, State } from './http/context.ts'
import { createCookieKeys } from './http/cookie-keys.ts'
import { refuseCrossOrigin } from './http/cross-origin.ts'
import { mount } from './http/mount.ts'
import { handleRequests } from './http/requests.ts'
import type { Route } from './http/route.ts'
import { createSessionCookie } from './http/session.ts'
import { Refusal } from './refusals.ts'

/** The HTTP application: what every request passes, around the routes. */
export function createApp(deps: Deps, routes: readonly Route[]): App {
  const { config, log } = deps
  const app: App = new Koa({
    proxy: config.trustProxyHops > 0,
    maxIpsCount: config.trustProxyHops,
  })
  app.keys = createCookieKeys(config.sessionSecrets)
  // What gets past the outermost middleware: a response that broke off, or a client that went away.
  app.on('error', (error) => log.warn({ err: error }, 'response failed'))

  const cookie = createSessionCookie(app, deps)
  const identify = createIdentify(deps, cookie)
  const router = new Router<State, Extras>({ strict: true, sensitive: true })
  for (const route of routes) mount(router, route, { deps, cookie, identify })

  app.use(handleRequests(log))
  app.use(refuseCrossOrigin)
  app.use(router.routes())
  app.use(refuseUnmatched)
  return app
}

/** What no route has matched. Refusals: route_not_found, method_not_allowed. */
const refuseUnmatched: Middleware = async (ctx) => {
  const layers = ctx.matched ?? []
  const allow = [...new Set(layers.flatMap(({ methods }) => methods))].join(', ')
  if (allow === '') throw new Refusal('route_not_found')
  if (ctx.method !== 'OPTIONS') throw new Refusal('method_not_allowed', { headers: { allow } })
  ctx.set('Allow', allow)
  ctx.status = 204
}
