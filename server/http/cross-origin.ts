import { Refusal } from '../refusals.ts'
import type { Context, Middleware } from './context.ts'

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses what changes something and is sent by a page of another origin, with a session or without:
 * browsers repeat HTTP Basic by themselves, and signing in can be forged too. Clients that are no
 * browsers send neither header and pass. Refusal: cross_origin.
 */
export const refuseCrossOrigin: Middleware = async (ctx, next) => {
  if (!safeMethods.has(ctx.method) && !isSameOrigin(ctx)) throw new Refusal('cross_origin')
  await next()
}

function isSameOrigin(ctx: Context): boolean {
  const site = ctx.get('sec-fetch-site')
  if (site !== '') return site === 'same-origin' || site === 'none'
  const origin = ctx.get('origin')
  if (origin === '') return true
  // The scheme is not compared: behind a proxy that ends TLS it is not known for certain.
  return URL.canParse(origin) && new URL(origin).host === ctx.host.toLowerCase()
}
