import type pg from 'pg'
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import type { Database } from './database.ts'

export interface AttemptLimit {
  /**
   * Counts an attempt before it is made, so that many at once cannot pass together. Answers 0, or
   * in how many seconds the next one is allowed.
   */
  take(key: string): Promise<number>
  /** Gives one attempt back: it turned out to be legitimate. */
  giveBack(key: string): Promise<void>
  /** Forgets every attempt of the key. */
  clear(key: string): Promise<void>
}

/** A limit of `attempts` in each window, counted in PostgreSQL and so across processes. */
export function createAttemptLimit(
  pool: pg.Pool,
  options: { name: string; attempts: number; windowSeconds: number },
): AttemptLimit {
  const limiter = new RateLimiterPostgres({
    storeClient: pool,
    storeType: 'pool',
    tableName: 'attempts',
    tableCreated: true,
    clearExpiredByTimeout: false,
    keyPrefix: options.name,
    points: options.attempts,
    duration: options.windowSeconds,
  })
  return {
    async take(key) {
      try {
        await limiter.consume(key)
        return 0
      } catch (error) {
        if (error instanceof RateLimiterRes)
          return Math.max(1, Math.ceil(error.msBeforeNext / 1000))
        throw error
      }
    },
    async giveBack(key) {
      await limiter.reward(key)
    },
    async clear(key) {
      await limiter.delete(key)
    },
  }
}

/** Deletes up to `limit` counts whose window is over. */
export async function deleteExpiredAttempts(db: Database, now: Date, limit: number): Promise<void> {
  await db
    .deleteFrom('attempts')
    .where('key', 'in', (eb) =>
      eb.selectFrom('attempts').select('key').where('expire', '<', now.getTime()).limit(limit),
    )
    .execute()
}
