import { setDeactivated, type User } from '../../db/users.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'

type DeactivateDeps = Pick<Deps, 'db' | 'sessions' | 'nowMs'>

/**
 * Keeps a user out: all sessions end, in every process within a second, and no new one starts. The
 * user's wallets and money stay as they are. Nobody can do it to the own account, so that an operator
 * is left. Refusals: own_account, user_not_found.
 */
export async function deactivateUser(
  deps: DeactivateDeps,
  { operatorId, userId }: { operatorId: string; userId: string },
): Promise<User> {
  if (operatorId === userId) throw new Refusal('own_account')
  return change(deps, userId, new Date(deps.nowMs()))
}

/** Lets a deactivated user sign in again. Refusal: user_not_found. */
export async function reactivateUser(deps: DeactivateDeps, userId: string): Promise<User> {
  return change(deps, userId, null)
}

async function change({ db, sessions }: DeactivateDeps, userId: string, at: Date | null) {
  const user = await setDeactivated(db, userId, at)
  if (!user) throw new Refusal('user_not_found')
  sessions.forgetUser(userId)
  return user
}
