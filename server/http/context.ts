import type Koa from 'koa'
import type { Caller } from '../caller.ts'

/** What the middleware of one request tells each other. */
export interface State {
  requestId: string
  /** The route's path as in OpenAPI, for the log. */
  route?: string
  /** Who the session cookie stands for. */
  cookie?: Identity
  /** Who sent the request or signed in by it, for the log. */
  userId?: string | undefined
}

export interface Identity {
  caller: Caller
  /** The session's id, as in the cookie. */
  token: string
}

/** What koa-session puts into the context. */
interface SessionContext {
  session: {
    readonly isNew: boolean
    readonly externalKey: string | undefined
    user_id?: string
    password_hash?: string | undefined
    save(): Promise<void> | undefined
    regenerate(): Promise<void> | undefined
    manuallyCommit(): Promise<void> | undefined
  } | null
}

/** What the router puts into the context. */
interface RouterContext {
  params: Record<string, string>
  /** What fits the path, whatever the method. */
  matched?: readonly { methods: string[] }[]
}

export type Extras = SessionContext & RouterContext

export type App = Koa<State, Extras>
export type Context = Koa.ParameterizedContext<State, Extras>
export type Middleware = Koa.Middleware<State, Extras>
