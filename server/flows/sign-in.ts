import { createHash } from 'node:crypto'
import { type Credential, findCredential } from '../../db/users.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { networkOf, takeAttempts } from './attempts.ts'

type SignInDeps = Pick<Deps, 'db' | 'passwords' | 'accountAttempts' | 'addressAttempts'>

/**
 * Checks an e-mail and a password; answers the user. The answer and about the time are the same
 * for an unknown e-mail, a deactivated user and a wrong password. Failures are limited per account
 * and per address: an attempt counts before it is made, and is given back when it was right.
 * Refusals: wrong_credentials, too_many_attempts, busy.
 */
export async function signIn(
  deps: SignInDeps,
  { email, password, address }: { email: string; password: string; address: string },
): Promise<Credential> {
  const account = accountKey(email)
  const network = networkOf(address)
  await takeAttempts([deps.accountAttempts, account], [deps.addressAttempts, network])

  const credential = await findCredential(deps.db, email)
  const right = await deps.passwords.matches(password, credential?.passwordHash)
  if (!credential || !right) throw new Refusal('wrong_credentials')
  await Promise.all([deps.accountAttempts.clear(account), deps.addressAttempts.giveBack(network)])
  return credential
}

/** Attempts are counted for e-mails that nobody has as well; the key has a fixed length. */
function accountKey(email: string): string {
  return createHash('sha256').update(email.toLowerCase()).digest('base64url')
}
