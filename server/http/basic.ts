import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Deps } from '../deps.ts'
import { signIn } from '../flows/sign-in.ts'
import { Refusal } from '../refusals.ts'
import { mintToken } from '../sessions.ts'
import type { Context, Identity } from './context.ts'
import type { SessionCookie } from './session.ts'

/** Finds out who sends a request: by HTTP Basic when it has it, else by the session cookie. */
export type Identify = (ctx: Context) => Promise<Identity | undefined>

const rememberedMax = 10_000
const rememberedMs = 15 * 60_000

/**
 * HTTP Basic (RFC 7617) signs in once: the session is kept, and the same credentials lead to it
 * again without a bcrypt, as long as it lives. What is remembered is a MAC of the credentials under
 * a key of this process. Credentials on a request count for more than its cookie.
 * Refusals: wrong_credentials, too_many_attempts, busy.
 */
export function createIdentify(deps: Deps, cookie: SessionCookie): Identify {
  const { sessions } = deps
  const macKey = randomBytes(32)
  const tokens = new LRUCache<string, string>({ max: rememberedMax, ttl: rememberedMs })
  const running = new Map<string, Promise<string>>()

  /** Answers the session's id: that of the cookie when it is the same user, else a new one. */
  async function start(ctx: Context, mac: string, authorization: string): Promise<string> {
    const entry = await signIn(deps, { ...readBasic(authorization), address: ctx.ip })
    const present = ctx.state.cookie
    const token = present?.caller.userId === entry.userId ? present.token : mintToken()
    if (token !== present?.token) await sessions.start(token, entry)
    tokens.set(mac, token)
    return token
  }

  /** Many first requests with the same credentials at once start one session. */
  function startOnce(ctx: Context, mac: string, authorization: string): Promise<string> {
    const started = running.get(mac)
    if (started) return started
    const starting = start(ctx, mac, authorization).finally(() => running.delete(mac))
    running.set(mac, starting)
    return starting
  }

  return async (ctx) => {
    const authorization = ctx.get('authorization')
    if (!/^basic /i.test(authorization)) return ctx.state.cookie
    const mac = createHmac('sha256', macKey).update(authorization).digest('base64url')
    const remembered = tokens.get(mac)
    const known = remembered && (await identityOf(remembered))
    const identity = known || (await identityOf(await startOnce(ctx, mac, authorization)))
    if (identity && identity.caller.userId === ctx.state.cookie?.caller.userId) {
      return ctx.state.cookie
    }
    if (identity) cookie.send(ctx, identity.token)
    return identity
  }

  async function identityOf(token: string): Promise<Identity | undefined> {
    const caller = await sessions.find(token)
    return caller && { caller, token }
  }
}

/** E-mail and password of a Basic header. Refusal: wrong_credentials. */
function readBasic(authorization: string): { email: string; password: string } {
  const text = Buffer.from(authorization.slice('basic '.length).trim(), 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0 || text.includes('\0')) throw new Refusal('wrong_credentials')
  return { email: text.slice(0, colon), password: text.slice(colon + 1) }
}
