import { hash, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import type { Database } from '../db/database.ts'
import { listen } from '../db/listen.ts'
import {
  deleteExpiredSessions,
  deleteSession,
  findSession,
  insertSession,
  touchSession,
} from '../db/sessions.ts'
import { type Caller, toCaller } from './caller.ts'
import type { Config } from './config.ts'

/**
 * Sessions are rows in PostgreSQL behind a cache of this process. A cached session costs no query.
 * The cache is corrected by notifications, and not used while one of them may be missing.
 */
export interface Sessions {
  /** Who holds this token; undefined when the session has ended or its user was deactivated. */
  find(token: string): Promise<Caller | undefined>
  /** Starts a session of a user and ends the user's oldest beyond the limit. */
  start(token: string, userId: string): Promise<void>
  /** Ends the session of a token, in every process within a second. */
  end(token: string): Promise<void>
  /** Forgets what is cached of a user, so that this process need not wait for the notification. */
  forgetUser(userId: string): void
  close(): Promise<void>
}

interface Dependencies {
  db: Database
  config: Config
  log: Logger
  nowMs: () => number
}

interface Cached {
  caller: Caller
  /** The mark that the user had: another one since means that the caller is out of date. */
  mark: symbol
  createdAtMs: number
  seenAtMs: number
}

/** How old the proof may be that no notification is missing. */
const provenWithinMs = 900
const touchIntervalMs = 60_000
const sweepIntervalMs = 600_000
const sweepLimit = 10_000
const tokenBytes = 32

/** A new session id for the cookie; only its hash is ever stored. */
export const mintToken = () => randomBytes(tokenBytes).toString('base64url')

/** Connects the cache to PostgreSQL's notifications. */
export async function createSessions({ db, config, log, nowMs }: Dependencies): Promise<Sessions> {
  const lifetimes = {
    idleSeconds: config.sessionIdleSeconds,
    absoluteSeconds: config.sessionAbsoluteSeconds,
  }
  /** By the hash of the token, in hexadecimal digits. */
  const cache = new LRUCache<string, Cached>({ max: config.sessionCacheSize })
  const marks = new LRUCache<string, symbol>({ max: config.sessionCacheSize })
  /** Counts what was forgotten: an answer asked for before that is not cached. */
  let corrections = 0
  const background = new Set<Promise<void>>()

  function forgetSession(tokenHash: string): void {
    corrections += 1
    cache.delete(tokenHash)
  }

  function forgetUser(userId: string): void {
    corrections += 1
    marks.delete(userId)
  }

  const listener = await listen(['kassa_session', 'kassa_user'], {
    url: config.databaseUrl,
    onNotification(channel, payload) {
      if (channel === 'kassa_session') forgetSession(payload)
      else forgetUser(payload)
    },
    onConnect() {
      corrections += 1
      cache.clear()
    },
    onError: (error) => log.warn({ err: error }, 'sessions are read uncached: notifications lost'),
  })

  function inBackground(what: string, work: Promise<unknown>): void {
    const done: Promise<void> = work
      .catch((error: unknown) => log.warn({ err: error }, `${what} failed`))
      .then(() => {
        background.delete(done)
      })
    background.add(done)
  }

  function isAlive({ createdAtMs, seenAtMs }: Cached, now: number): boolean {
    const { idleSeconds, absoluteSeconds } = lifetimes
    return now < createdAtMs + absoluteSeconds * 1000 && now < seenAtMs + idleSeconds * 1000
  }

  function findCached(tokenHash: string, now: number): Cached | undefined {
    if (!listener.isCurrent(provenWithinMs)) return undefined
    const cached = cache.get(tokenHash)
    if (!cached || marks.get(cached.caller.userId) !== cached.mark) return undefined
    return isAlive(cached, now) ? cached : undefined
  }

  async function load(tokenHash: string, now: number): Promise<Cached | undefined> {
    const before = corrections
    const row = await findSession(db, Buffer.from(tokenHash, 'hex'), new Date(now), lifetimes)
    if (!row) return undefined
    const mark = marks.get(row.userId) ?? Symbol(row.userId)
    const loaded: Cached = {
      caller: toCaller(row),
      mark,
      createdAtMs: row.createdAt.getTime(),
      seenAtMs: row.seenAt.getTime(),
    }
    if (corrections === before) {
      marks.set(row.userId, mark)
      cache.set(tokenHash, loaded)
    }
    return loaded
  }

  const sweep = setInterval(() => {
    const swept = deleteExpiredSessions(db, new Date(nowMs()), lifetimes, sweepLimit)
    inBackground('ending sessions that have run out', swept)
  }, sweepIntervalMs)
  sweep.unref()

  return {
    async find(token) {
      const now = nowMs()
      const tokenHash = hashToken(token)
      const found = findCached(tokenHash, now) ?? (await load(tokenHash, now))
      if (found && now - found.seenAtMs >= touchIntervalMs) {
        found.seenAtMs = now
        const touched = touchSession(db, Buffer.from(tokenHash, 'hex'), new Date(now))
        inBackground('noting that a session was used', touched)
      }
      return found?.caller
    },
    async start(token, userId) {
      const tokenHash = Buffer.from(hashToken(token), 'hex')
      const limit = config.sessionsPerUser
      await insertSession(db, { userId, tokenHash, now: new Date(nowMs()), limit })
    },
    async end(token) {
      const tokenHash = hashToken(token)
      await deleteSession(db, Buffer.from(tokenHash, 'hex'))
      forgetSession(tokenHash)
    },
    forgetUser,
    async close() {
      clearInterval(sweep)
      await listener.close()
      await Promise.all(background)
    },
  }
}

function hashToken(token: string): string {
  return hash('sha256', token, 'hex')
}
