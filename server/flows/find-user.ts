import { isUuid } from '../../accounting/ids.ts'
import { findUser, findUserByEmail, findUserByUsername, type User } from '../../db/users.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'

type FindDeps = Pick<Deps, 'db'>

/** A user by id, active or not, for operators. Refusal: user_not_found. */
export async function readUser({ db }: FindDeps, id: string): Promise<User> {
  const user = await findUser(db, id)
  if (!user) throw new Refusal('user_not_found')
  return user
}

/** The user with this e-mail (in any case) or this username, active or not, for operators. */
export async function searchUser(
  { db }: FindDeps,
  { email, username }: { email?: string | undefined; username?: string | undefined },
): Promise<User | undefined> {
  if (email !== undefined) return findUserByEmail(db, email)
  if (username !== undefined) return findUserByUsername(db, username)
  return undefined
}

/** A customer by username or id, active or not: a username is never a UUID. */
export async function findCustomer({ db }: FindDeps, name: string): Promise<User | undefined> {
  const user = isUuid(name, 7) ? await findUser(db, name) : await findUserByUsername(db, name)
  return user?.role === 'customer' ? user : undefined
}
