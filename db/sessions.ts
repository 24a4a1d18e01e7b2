import { jsonArrayFrom } from 'kysely/helpers/postgres'
import type { Database } from './database.ts'
import { mintId } from './ids.ts'
import { limitKindOf, type UserLimit, type UserLimits } from './limits.ts'
import type { Role } from './schema.ts'

/** A session with everything that a request needs to know about its user. */
export interface SessionRow {
  id: string
  createdAt: Date
  seenAt: Date
  userId: string
  role: Role
  email: string
  username: string | null
  name: string | null
  /** Given for a payment system only. */
  paymentSystem: { number: number; name: string } | undefined
  wallets: { id: string; number: string; currency: string; isClosed: boolean }[]
  limits: UserLimits
}

export interface Lifetimes {
  idleSeconds: number
  absoluteSeconds: number
}

/** The session of a token that is alive at `now` and whose user is active. */
export async function findSession(
  db: Database,
  tokenHash: Buffer,
  now: Date,
  lifetimes: Lifetimes,
): Promise<SessionRow | undefined> {
  const row = await db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .leftJoin('payment_systems', 'payment_systems.user_id', 'users.id')
    .select([
      'sessions.id',
      'sessions.created_at',
      'sessions.seen_at',
      'users.id as userId',
      'users.role',
      'users.email',
      'users.username',
      'users.name',
      'users.kind',
      'users.kind_version',
      'payment_systems.number',
      'payment_systems.name as paymentSystemName',
    ])
    .select((eb) =>
      jsonArrayFrom(
        eb
          .selectFrom('wallets')
          .select(['wallets.id', 'wallets.currency'])
          .select((wallet) => [
            wallet.cast<string>('wallets.number', 'text').as('number'),
            wallet('wallets.closed_at', 'is not', null).$castTo<boolean>().as('isClosed'),
          ])
          .whereRef('wallets.user_id', '=', 'users.id')
          .orderBy('wallets.id'),
      ).as('wallets'),
    )
    .select((eb) =>
      jsonArrayFrom(
        eb
          .selectFrom('limits')
          .distinctOn(['limits.currency', 'limits.window'])
          .select(['limits.currency', 'limits.window', 'limits.rule'])
          // As text: a number in JSON would lose digits.
          .select((limit) => [
            limit.cast<string | null>('limits.amount_minor', 'text').as('amountMinor'),
            limit.cast<string>('limits.version', 'text').as('version'),
          ])
          .whereRef('limits.user_id', '=', 'users.id')
          .orderBy('limits.currency')
          .orderBy('limits.window')
          .orderBy('limits.version', 'desc'),
      ).as('limits'),
    )
    .where('sessions.token_hash', '=', tokenHash)
    .where('sessions.created_at', '>', secondsBefore(now, lifetimes.absoluteSeconds))
    .where('sessions.seen_at', '>', secondsBefore(now, lifetimes.idleSeconds))
    .where('users.deactivated_at', 'is', null)
    .executeTakeFirst()
  if (!row) return undefined
  const { created_at, seen_at, number, paymentSystemName, kind, kind_version, ...rest } = row
  const paymentSystem =
    number === null || paymentSystemName === null ? undefined : { number, name: paymentSystemName }
  const limits = {
    userId: rest.userId,
    kind: limitKindOf({ role: rest.role, kind }),
    kindVersion: kind_version,
    own: rest.limits.map(toUserLimit),
  }
  return { ...rest, createdAt: created_at, seenAt: seen_at, paymentSystem, limits }
}

function toUserLimit(row: {
  currency: string
  window: UserLimit['window']
  rule: UserLimit['rule']
  amountMinor: string | null
  version: string
}): UserLimit {
  const amountMinor = row.amountMinor === null ? null : BigInt(row.amountMinor)
  return { ...row, amountMinor, version: BigInt(row.version) }
}

export interface NewSession {
  userId: string
  /** What the password was compared with: the session is refused when it is another one by now. */
  passwordHash?: string | undefined
  tokenHash: Buffer
  now: Date
  limit: number
}

/**
 * Stores a new session of an active user, and ends the oldest ones beyond `limit`. Answers false, with
 * nothing stored, when the user was deactivated or given another password since that was checked.
 */
export async function insertSession(
  db: Database,
  { userId, passwordHash, tokenHash, now, limit }: NewSession,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    // The lock makes a change of the user wait: it then ends this session as well.
    const user = await trx
      .selectFrom('users')
      .select('id')
      .where('id', '=', userId)
      .where('deactivated_at', 'is', null)
      .$if(passwordHash !== undefined, (q) => q.where('password_hash', '=', passwordHash ?? ''))
      .forShare()
      .executeTakeFirst()
    if (!user) return false
    await trx
      .insertInto('sessions')
      .values({
        id: mintId(),
        token_hash: tokenHash,
        user_id: userId,
        created_at: now,
        seen_at: now,
      })
      .execute()
    await trx
      .deleteFrom('sessions')
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('sessions')
          .select('id')
          .where('user_id', '=', userId)
          .orderBy('id', 'desc')
          .offset(limit),
      )
      .execute()
    return true
  })
}

/** Notes that a session was used. One that has ended stays ended: this never inserts. */
export async function touchSession(db: Database, tokenHash: Buffer, now: Date): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ seen_at: now })
    .where('token_hash', '=', tokenHash)
    .where('seen_at', '<', now)
    .execute()
}

/** Ends a session; ending one that is not there changes nothing. */
export async function deleteSession(db: Database, tokenHash: Buffer): Promise<void> {
  await db.deleteFrom('sessions').where('token_hash', '=', tokenHash).execute()
}

/** Ends up to `limit` sessions that have run out. */
export async function deleteExpiredSessions(
  db: Database,
  now: Date,
  lifetimes: Lifetimes,
  limit: number,
): Promise<void> {
  await db
    .deleteFrom('sessions')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('sessions')
        .select('id')
        .where((or) =>
          or.or([
            or('created_at', '<=', secondsBefore(now, lifetimes.absoluteSeconds)),
            or('seen_at', '<=', secondsBefore(now, lifetimes.idleSeconds)),
          ]),
        )
        .limit(limit),
    )
    .execute()
}

function secondsBefore(time: Date, seconds: number): Date {
  return new Date(time.getTime() - seconds * 1000)
}
