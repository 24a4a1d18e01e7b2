import { replacePassword } from '../../db/users.ts'
import type { Caller } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { checkPassword } from './password-rules.ts'
import { signIn } from './sign-in.ts'

type ChangeDeps = Pick<
  Deps,
  'db' | 'passwords' | 'sessions' | 'accountAttempts' | 'addressAttempts'
>

/**
 * Changes the caller's own password. The current one is checked as at a sign-in, under the same limits.
 * All sessions end, so that whoever knew the old password is out; the caller signs in anew.
 * Refusals: invalid_request, wrong_credentials, too_many_attempts, busy.
 */
export async function changePassword(
  deps: ChangeDeps,
  caller: Caller,
  input: { currentPassword: string; newPassword: string; address: string },
): Promise<void> {
  const { currentPassword, newPassword, address } = input
  checkPassword(newPassword, caller.email, '/new_password')
  await signIn(deps, { email: caller.email, password: currentPassword, address })
  await replacePassword(deps.db, caller.userId, await deps.passwords.hash(newPassword))
  deps.sessions.forgetUser(caller.userId)
}
