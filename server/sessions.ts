import { hash, randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import type { Database } from '../db/database.ts'
import { listen } from '../db/listen.ts'
import {
  deleteSession,
  findSession,
  insertSession,
  type Lifetimes,
  touchSession,
} from '../db/sessions.ts'
import { type Caller, toCaller } from './caller.ts'
import type { Config } from './config.ts'
import { Refusal } from './refusals.ts'
import { type CachedSession, createSessionCache } from './session-cache.ts'

/**
 * Sessions are rows in PostgreSQL behind a cache of this process. A cached session costs no query.
 * The cache is corrected by notifications, and not used while one of them may be missing.
 */
export interface Sessions {
  /** Who holds this token; undefined when the session has ended or its user was deactivated. */
  find(token: string): Promise<Caller | undefined>
  /** Starts a session and ends the user's oldest beyond the limit. Refusal: wrong_credentials. */
  start(token: string, entry: Entry): Promise<void>
  /** Ends the session of a token, in every process within a second. */
  end(token: string): Promise<void>
  /** Forgets what is cached of a user, so that this process need not wait for the notification. */
  forgetUser(userId: string): void
  close(): Promise<void>
}

/** Who signs in. */
export interface Entry {
  userId: string
  /** The hash that the password fitted, which must still be the user's; left out at a sign-up. */
  passwordHash?: string | undefined
}

interface Dependencies {
  db: Database
  config: Config
  log: Logger
  nowMs: () => number
}

/** How old the proof may be that no notification is missing. */
const provenWithinMs = 900
const touchIntervalMs = 60_000
const tokenBytes = 32

/** A new session id for the cookie; only its hash is ever stored. */
export const mintToken = () => randomBytes(tokenBytes).toString('base64url')

/** Connects the cache to PostgreSQL's notifications. */
export async function createSessions({ db, config, log, nowMs }: Dependencies): Promise<Sessions> {
  const lifetimes = lifetimesOf(config)
  const cache = createSessionCache(config.sessionCacheSize)
  const touches = new Set<Promise<void>>()
  const listener = await listen(['kassa_session', 'kassa_user'], {
    url: config.databaseUrl,
    onNotification(channel, payload) {
      if (channel === 'kassa_session') cache.forgetSession(payload)
      else cache.forgetUser(payload)
    },
    onConnect: () => cache.forgetAll(),
    onError: (error) => log.warn({ err: error }, 'sessions are read uncached: notifications lost'),
  })

  function isAlive({ createdAtMs, seenAtMs }: CachedSession, now: number): boolean {
    const { idleSeconds, absoluteSeconds } = lifetimes
    return now < createdAtMs + absoluteSeconds * 1000 && now < seenAtMs + idleSeconds * 1000
  }

  async function load(tokenHash: string, now: number): Promise<CachedSession | undefined> {
    const keep = cache.expectAnswer()
    const row = await findSession(db, Buffer.from(tokenHash, 'hex'), new Date(now), lifetimes)
    if (!row) return undefined
    const { createdAt, seenAt } = row
    const caller = toCaller(row)
    const session = { caller, createdAtMs: createdAt.getTime(), seenAtMs: seenAt.getTime() }
    keep(tokenHash, session)
    return session
  }

  /** Notes that a session is used, beside the request that uses it. */
  function touch(tokenHash: string, now: number): void {
    const touching = touchSession(db, Buffer.from(tokenHash, 'hex'), new Date(now))
      .catch((error: unknown) => log.warn({ err: error }, 'a use of a session was not noted'))
      .finally(() => touches.delete(touching))
    touches.add(touching)
  }

  async function find(token: string): Promise<Caller | undefined> {
    const now = nowMs()
    const tokenHash = hashToken(token)
    const cached = listener.isCurrent(provenWithinMs) ? cache.find(tokenHash) : undefined
    const session = cached && isAlive(cached, now) ? cached : await load(tokenHash, now)
    if (session && now - session.seenAtMs >= touchIntervalMs) {
      session.seenAtMs = now
      touch(tokenHash, now)
    }
    return session?.caller
  }

  return {
    find,
    async start(token, entry) {
      const tokenHash = Buffer.from(hashToken(token), 'hex')
      const limit = config.sessionsPerUser
      const started = await insertSession(db, {
        ...entry,
        tokenHash,
        now: new Date(nowMs()),
        limit,
      })
      if (!started) throw new Refusal('wrong_credentials')
    },
    async end(token) {
      const tokenHash = hashToken(token)
      await deleteSession(db, Buffer.from(tokenHash, 'hex'))
      cache.forgetSession(tokenHash)
    },
    forgetUser: (userId) => cache.forgetUser(userId),
    async close() {
      await listener.close()
      await Promise.all(touches)
    },
  }
}

function hashToken(token: string): string {
  return hash('sha256', token, 'hex')
}

/** How long sessions live, by the settings. */
export function lifetimesOf(
  config: Pick<Config, 'sessionIdleSeconds' | 'sessionAbsoluteSeconds'>,
): Lifetimes {
  const { sessionIdleSeconds: idleSeconds, sessionAbsoluteSeconds: absoluteSeconds } = config
  return { idleSeconds, absoluteSeconds }
}
