import { LRUCache } from 'lru-cache'
import type { Caller } from './caller.ts'

export interface CachedSession {
  caller: Caller
  createdAtMs: number
  seenAtMs: number
}

/** Sessions by the hash of their token. What is said to have changed is forgotten. */
export interface SessionCache {
  find(tokenHash: string): CachedSession | undefined
  /**
   * To be called before PostgreSQL is asked; what it gives keeps the answer, unless something has
   * been forgotten since: the answer can be older than that.
   */
  expectAnswer(): (tokenHash: string, session: CachedSession) => void
  forgetSession(tokenHash: string): void
  forgetUser(userId: string): void
  forgetAll(): void
}

/** A cache of at most `size` sessions and as many users. */
export function createSessionCache(size: number): SessionCache {
  const sessions = new LRUCache<string, CachedSession & { mark: symbol }>({ max: size })
  /** A session whose user has another mark by now, or none, is out of date. */
  const marks = new LRUCache<string, symbol>({ max: size })
  let forgotten = 0

  return {
    find(tokenHash) {
      const session = sessions.get(tokenHash)
      return session && marks.get(session.caller.userId) === session.mark ? session : undefined
    },
    expectAnswer() {
      const before = forgotten
      return (tokenHash, session) => {
        if (forgotten !== before) return
        const { userId } = session.caller
        const mark = marks.get(userId) ?? Symbol(userId)
        marks.set(userId, mark)
        sessions.set(tokenHash, Object.assign(session, { mark }))
      }
    },
    forgetSession(tokenHash) {
      forgotten += 1
      sessions.delete(tokenHash)
    },
    forgetUser(userId) {
      forgotten += 1
      marks.delete(userId)
    },
    forgetAll() {
      forgotten += 1
      sessions.clear()
      marks.clear()
    },
  }
}
