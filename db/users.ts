import type { ExpressionBuilder, Transaction } from 'kysely'
import type { Database } from './database.ts'
import { isUniqueViolation } from './errors.ts'
import { mintId } from './ids.ts'
import type { Role, Schema } from './schema.ts'

export interface User {
  id: string
  role: Role
  email: string
  username: string | null
  name: string | null
  createdAt: Date
  deactivatedAt: Date | null
}

/** Somebody as others may know them. */
export type Party = Pick<User, 'id' | 'username' | 'name'>

export interface NewUser {
  /** A fresh one, unless it was minted before. */
  id?: string
  role: Role
  email: string
  username?: string | undefined
  name?: string | undefined
  passwordHash: string
}

const columns = ['id', 'role', 'email', 'username', 'name', 'created_at', 'deactivated_at'] as const

interface Row {
  id: string
  role: Role
  email: string
  username: string | null
  name: string | null
  created_at: Date
  deactivated_at: Date | null
}

const toUser = ({ created_at, deactivated_at, ...row }: Row): User => ({
  ...row,
  createdAt: created_at,
  deactivatedAt: deactivated_at,
})

/**
 * Compares e-mails without regard to case, by the unique index. What is looked for is put into lower
 * case here: PostgreSQL has more letters that become an ASCII one, and failed sign-ins are counted by
 * what JavaScript makes of it.
 */
const isEmail = (email: string) => (eb: ExpressionBuilder<Schema, 'users'>) =>
  eb(eb.fn('lower', ['email']), '=', email.toLowerCase())

/** Stores a new user, or says which of the names is taken already. */
export async function insertUser(
  db: Database,
  user: NewUser,
): Promise<User | 'email_taken' | 'username_taken'> {
  const { id = mintId(), role, email, username, name, passwordHash } = user
  try {
    const row = await db
      .insertInto('users')
      .values({
        id,
        role,
        email,
        username: username ?? null,
        name: name ?? null,
        password_hash: passwordHash,
      })
      .returning(columns)
      .executeTakeFirstOrThrow()
    return toUser(row)
  } catch (error) {
    if (isUniqueViolation(error, 'users_email_key')) return 'email_taken'
    if (isUniqueViolation(error, 'users_username_key')) return 'username_taken'
    throw error
  }
}

/** Whom a password was found to belong to, by which hash. */
export interface Credential {
  userId: string
  passwordHash: string
}

/** The active user with this e-mail, without regard to case, and the bcrypt hash to check. */
export async function findCredential(db: Database, email: string): Promise<Credential | undefined> {
  const row = await db
    .selectFrom('users')
    .select(['id', 'password_hash'])
    .where(isEmail(email))
    .where('deactivated_at', 'is', null)
    .executeTakeFirst()
  return row && { userId: row.id, passwordHash: row.password_hash }
}

/** Whether there is, or was, anyone of this role. */
export async function hasUserOfRole(db: Database, role: Role): Promise<boolean> {
  const row = await db
    .selectFrom('users')
    .select('id')
    .where('role', '=', role)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** A user by id (a UUID), active or not. */
export async function findUser(db: Database, id: string): Promise<User | undefined> {
  const row = await db.selectFrom('users').select(columns).where('id', '=', id).executeTakeFirst()
  return row && toUser(row)
}

/** The user with this e-mail, without regard to case, active or not. */
export async function findUserByEmail(db: Database, email: string): Promise<User | undefined> {
  const row = await db.selectFrom('users').select(columns).where(isEmail(email)).executeTakeFirst()
  return row && toUser(row)
}

/** The user with this username, active or not. */
export async function findUserByUsername(
  db: Database,
  username: string,
): Promise<User | undefined> {
  const row = await db
    .selectFrom('users')
    .select(columns)
    .where('username', '=', username)
    .executeTakeFirst()
  return row && toUser(row)
}

/**
 * Deactivates a user and ends all sessions, or lets the user sign in again. Repeating it changes
 * nothing. Answers undefined when there is no such user.
 */
export async function setDeactivated(
  db: Database,
  id: string,
  at: Date | null,
): Promise<User | undefined> {
  return db.transaction().execute(async (trx) => {
    await trx
      .updateTable('users')
      .set({ deactivated_at: at })
      .where('id', '=', id)
      .where('deactivated_at', at === null ? 'is not' : 'is', null)
      .execute()
    if (at !== null) await trx.deleteFrom('sessions').where('user_id', '=', id).execute()
    return findUser(trx, id)
  })
}

/**
 * Gives a user another password and ends all sessions. With `replaced`, only while that is the hash of
 * the present one. Answers whether it was done.
 */
export async function replacePassword(
  db: Database,
  { userId, passwordHash }: Credential,
  replaced?: string,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const changed = await trx
      .updateTable('users')
      .set({ password_hash: passwordHash })
      .where('id', '=', userId)
      .$if(replaced !== undefined, (query) => query.where('password_hash', '=', replaced ?? ''))
      .returning('id')
      .executeTakeFirst()
    if (!changed) return false
    await trx.deleteFrom('sessions').where('user_id', '=', userId).execute()
    return true
  })
}

/**
 * Makes others who lock the same user wait for the end of this transaction, so that two at once cannot
 * both be the last one allowed of something.
 */
export async function lockUser(trx: Transaction<Schema>, id: string): Promise<void> {
  await trx.selectFrom('users').select('id').where('id', '=', id).forUpdate().execute()
}
