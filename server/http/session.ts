/**
 * The session cookie, by koa-session over Kassa's sessions. The cookie has a random id and its
 * signature, nothing else; what koa-session calls session data is just the user's id.
 */
import { createSession } from 'koa-session'
import type { Config } from '../config.ts'
import type { Deps } from '../deps.ts'
import { type Entry, mintToken } from '../sessions.ts'
import type { App, Context, Middleware } from './context.ts'

/** Browsers take a cookie named `__Host-` only from a secure origin, and for it alone. */
export function sessionCookieName({ production }: Pick<Config, 'production'>): string {
  return production ? '__Host-kassa' : 'kassa'
}

export interface SessionCookie {
  /** Reads the cookie; sets `state.cookie` when its session is alive. */
  middleware: Middleware
  /** Starts a session with a new id in place of the one that the request came with. */
  signIn(ctx: Context, entry: Entry): Promise<void>
  /** Ends the session that the request came with and takes the cookie back. */
  signOut(ctx: Context): Promise<void>
  /** Gives the client the cookie of a session that it has started by HTTP Basic. */
  send(ctx: Context, token: string): void
}

/** What koa-session carries from signing in to the store; none of it is in the cookie. */
interface SessionData {
  user_id: string
  password_hash?: string
}

/** Teaches the application koa-session, for the routes that use it. */
export function createSessionCookie(
  app: App,
  { sessions, config }: Pick<Deps, 'sessions' | 'config'>,
): SessionCookie {
  const name = sessionCookieName(config)
  const options = {
    maxAge: config.sessionAbsoluteSeconds * 1000,
    httpOnly: true,
    signed: true,
    overwrite: true,
    sameSite: 'lax' as const,
    secure: config.production,
  }
  const read = createSession(
    {
      ...options,
      key: name,
      autoCommit: false,
      genid: mintToken,
      store: {
        async get(token: string, _maxAge: number, { ctx }: { ctx?: Context }) {
          const caller = await sessions.find(token)
          if (!caller || !ctx) return undefined
          ctx.state.cookie = { caller, token }
          return { user_id: caller.userId }
        },
        set: (token: string, { user_id, password_hash }: SessionData) =>
          sessions.start(token, { userId: user_id, passwordHash: password_hash }),
        destroy: (token: string) => sessions.end(token),
      },
    },
    app,
  )

  return {
    async middleware(ctx, next) {
      // Behind a proxy that ends TLS the connection here is not encrypted, the client's is.
      if (config.production) ctx.cookies.secure = true
      await read(ctx, next)
    },
    async signIn(ctx, { userId, passwordHash }) {
      const { session } = ctx
      if (!session) throw new Error('the session was taken away')
      const { isNew } = session
      session.user_id = userId
      session.password_hash = passwordHash
      await (isNew ? session.save() : session.regenerate())
    },
    async signOut(ctx) {
      const { session } = ctx
      ctx.session = null
      await session?.manuallyCommit()
    },
    send(ctx, token) {
      ctx.cookies.set(name, token, options)
    },
  }
}
