import { type Credential, replacePassword } from '../../db/users.ts'
import type { Caller } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
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
): Promise<Credential> {
  const { currentPassword, newPassword, address } = input
  checkPassword(newPassword, caller.email, '/new_password')
  const { email, userId } = caller
  const current = await signIn(deps, { email, password: currentPassword, address })
  const credential = { userId, passwordHash: await deps.passwords.hash(newPassword) }
  const changed = await replacePassword(deps.db, credential, current.passwordHash)
  if (!changed) throw new Refusal('wrong_credentials')
  deps.sessions.forgetUser(userId)
  return credential
}
