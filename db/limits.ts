/** What may be spent within a window of time: what operators have set, of which the newest counts. */
import type { Database } from './database.ts'
import { fromDigits, toDigits } from './digits.ts'
import type { LimitKind, LimitWindow, Role } from './schema.ts'
import { insertUnlessSuperseded } from './superseding.ts'

export interface LimitKey {
  currency: string
  window: LimitWindow
}

/** What was set for one user alone. */
export interface UserLimit extends LimitKey {
  /** `default`: as for the user's kind. */
  rule: 'amount' | 'none' | 'default'
  /** Minor units; null unless the rule is `amount`. */
  amountMinor: bigint | null
  version: bigint
}

/** All that decides about a user's limits, but what is set for everyone of a kind. */
export interface UserLimits {
  userId: string
  kind: LimitKind
  kindVersion: bigint
  /** The newest of each currency and window. */
  own: readonly UserLimit[]
}

/** What was set for everyone of a kind. */
export interface DefaultLimit extends LimitKey {
  kind: LimitKind
  /** Minor units; null for no limit. */
  amountMinor: bigint | null
  version: bigint
}

/** A limit of a user that an operator sets. */
export type NewLimit = Omit<UserLimit, 'version'> & { id: string; userId: string; setBy: string }

/** A limit of everyone of a kind that an operator sets. */
export type NewDefaultLimit = Omit<DefaultLimit, 'version'> & { id: string; setBy: string }

/** Sets a limit of a user, once under its id. */
export async function insertLimit(db: Database, limit: NewLimit): Promise<void> {
  const { id, userId, currency, window, rule, amountMinor, setBy } = limit
  await db
    .insertInto('limits')
    .values({
      id,
      user_id: userId,
      currency,
      window,
      rule,
      amount_minor: toDigits(amountMinor),
      set_by: setBy,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

/** What was set of a user under an id. */
export async function findLimit(db: Database, id: string): Promise<NewLimit | undefined> {
  const row = await db.selectFrom('limits').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) return undefined
  const { user_id: userId, set_by: setBy, currency, window, rule } = row
  const amountMinor = fromDigits(row.amount_minor)
  return { id, userId, setBy, currency, window, rule, amountMinor }
}

/** Sets one that was approved, unless another was set since; answers whether it is set. */
export async function insertApprovedLimit(
  db: Database,
  limit: NewLimit,
  approvedAt: Date,
): Promise<boolean> {
  const { id, userId, currency, window } = limit
  const place = { table: 'limits', key: { user_id: userId, currency, window } } as const
  return insertUnlessSuperseded(db, { id, approvedAt }, place, (trx) => insertLimit(trx, limit))
}

/** Sets a limit of everyone of a kind, once under its id. */
export async function insertDefaultLimit(db: Database, limit: NewDefaultLimit): Promise<void> {
  const { id, kind, currency, window, amountMinor, setBy } = limit
  await db
    .insertInto('limit_defaults')
    .values({ id, kind, currency, window, amount_minor: toDigits(amountMinor), set_by: setBy })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

/** What was set of everyone of a kind under an id. */
export async function findDefaultLimit(
  db: Database,
  id: string,
): Promise<NewDefaultLimit | undefined> {
  const row = await db
    .selectFrom('limit_defaults')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  const { set_by: setBy, kind, currency, window } = row
  const amountMinor = fromDigits(row.amount_minor)
  return { id, setBy, kind, currency, window, amountMinor }
}

/** Sets one that was approved, unless another was set since; answers whether it is set. */
export async function insertApprovedDefaultLimit(
  db: Database,
  limit: NewDefaultLimit,
  approvedAt: Date,
): Promise<boolean> {
  const { id, kind, currency, window } = limit
  const place = { table: 'limit_defaults', key: { kind, currency, window } } as const
  const insert = (trx: Database) => insertDefaultLimit(trx, limit)
  return insertUnlessSuperseded(db, { id, approvedAt }, place, insert)
}

/** The newest of each kind, currency and window. */
export async function listDefaultLimits(db: Database): Promise<DefaultLimit[]> {
  const rows = await db
    .selectFrom('limit_defaults')
    .distinctOn(['kind', 'currency', 'window'])
    .select(['kind', 'currency', 'window', 'amount_minor', 'version'])
    .orderBy('kind')
    .orderBy('currency')
    .orderBy('window')
    .orderBy('version', 'desc')
    .execute()
  return rows.map(toAmount)
}

function toAmount<Row extends { amount_minor: string | null }>({ amount_minor, ...row }: Row) {
  return { ...row, amountMinor: fromDigits(amount_minor) }
}

/** A user's role and limits; undefined when there is no such user. */
export async function findUserLimits(
  db: Database,
  userId: string,
): Promise<(UserLimits & { role: Role }) | undefined> {
  const user = await db
    .selectFrom('users')
    .select(['role', 'kind', 'kind_version'])
    .where('id', '=', userId)
    .executeTakeFirst()
  if (!user) return undefined
  const rows = await db
    .selectFrom('limits')
    .distinctOn(['currency', 'window'])
    .select(['currency', 'window', 'rule', 'amount_minor', 'version'])
    .where('user_id', '=', userId)
    .orderBy('currency')
    .orderBy('window')
    .orderBy('version', 'desc')
    .execute()
  return {
    userId,
    role: user.role,
    kind: limitKindOf(user),
    kindVersion: user.kind_version,
    own: rows.map(toAmount),
  }
}

/** Whose defaults are a user's. */
export const limitKindOf = (user: { role: Role; kind: 'person' | 'business' }): LimitKind =>
  user.role === 'payment_system' ? 'payment_system' : user.kind

/** Says what kind of customer a user is. Answers false, and changes nothing, when it is no customer. */
export async function setUserKind(
  db: Database,
  userId: string,
  kind: 'person' | 'business',
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('users')
    .set((eb) => ({ kind, kind_version: eb.fn<bigint>('next_limit_version', []) }))
    .where('id', '=', userId)
    .where('role', '=', 'customer')
    .executeTakeFirst()
  return numUpdatedRows > 0n
}
