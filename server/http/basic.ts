import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Deps } from '../deps.ts'
import { signIn } from '../flows/sign-in.ts'
import { Refusal } from '../refusals.ts'
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
 */
export function createIdentify(deps: Deps, cookie: SessionCookie): Identify {
  const macKey = randomBytes(32)
  const tokens = new LRUCache<string, string>({ max: rememberedMax, ttl: rememberedMs })
  const checks = new Map<string, Promise<string>>()

  /** Checks credentials by bcrypt; the same ones on many requests at once are checked once. */
  function check(mac: string, authorization: string, address: string): Promise<string> {
    const running = checks.get(mac)
    if (running) return running
    const checking = signIn(deps, { ...readBasic(authorization), address }).finally(() =>
      checks.delete(mac),
    )
    checks.set(mac, checking)
    return checking
  }

  async function findRemembered(mac: string): Promise<Identity | undefined> {
    const token = tokens.get(mac)
    const caller = token === undefined ? undefined : await deps.sessions.find(token)
    return token !== undefined && caller ? { caller, token } : undefined
  }

  return async (ctx) => {
    const authorization = ctx.get('authorization')
    if (!/^basic /i.test(authorization)) return ctx.state.cookie
    const mac = createHmac('sha256', macKey).update(authorization).digest('base64url')
    const remembered = await findRemembered(mac)
    const userId = remembered?.caller.userId ?? (await check(mac, authorization, ctx.ip))
    if (ctx.state.cookie?.caller.userId === userId) {
      if (!remembered) tokens.set(mac, ctx.state.cookie.token)
      return ctx.state.cookie
    }
    // Another request with these credentials may have started a session meanwhile.
    const known = remembered ?? (await findRemembered(mac))
    if (known) {
      cookie.send(ctx, known.token)
      return known
    }
    const token = await cookie.signIn(ctx, userId)
    tokens.set(mac, token)
    const caller = await deps.sessions.find(token)
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
