import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import parse from 'co-body'
import Koa from 'koa'
import session from 'koa-session'

/** What a bare app does with the JSON of a signed-in user. Its answer is sent with status 201. */
export type Handle = (user: number, body: Record<string, string>, key: string) => Promise<unknown>

/** `POST /sessions/{user}` signs in, by a signed cookie that holds the user. */
const signIn = /^\/sessions\/(\d+)$/

/**
 * The least that a Koa app for signed-in callers needs: no routes, no validation, no log, no store.
 * Returns its URL.
 */
export async function serveBareApp(
  handle: Handle,
): Promise<{ url: string; close(): Promise<void> }> {
  const app = new Koa()
  app.keys = [randomBytes(32).toString('hex')]
  app.use(session({ signed: true }, app))
  app.use(async (ctx) => {
    const [, user] = signIn.exec(ctx.path) ?? []
    if (user !== undefined && ctx.session) {
      ctx.session.user = Number(user)
      ctx.status = 204
      return
    }
    if (typeof ctx.session?.user !== 'number') ctx.throw(401)
    const body = await parse.json(ctx.req, { limit: '64kb' })
    ctx.body = await handle(ctx.session.user, body, ctx.get('idempotency-key'))
    ctx.status = 201
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
