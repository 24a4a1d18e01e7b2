import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { findCredential } from '../../db/users.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'

type SignInDeps = Pick<Deps, 'db' | 'passwords' | 'accountAttempts' | 'addressAttempts'>

/**
 * Checks an e-mail and a password; answers the user's id. The answer and about the time are the same
 * for an unknown e-mail, a deactivated user and a wrong password. Failures are limited per account
 * and per address: an attempt counts before it is made, and is given back when it was right.
 * Refusals: wrong_credentials, too_many_attempts, busy.
 */
export async function signIn(
  deps: SignInDeps,
  { email, password, address }: { email: string; password: string; address: string },
): Promise<string> {
  const account = accountKey(email)
  const network = networkOf(address)
  const waits = await Promise.all([
    deps.accountAttempts.take(account),
    deps.addressAttempts.take(network),
  ])
  const retryAfterSeconds = Math.max(...waits)
  if (retryAfterSeconds > 0) throw new Refusal('too_many_attempts', { retryAfterSeconds })

  const credential = await findCredential(deps.db, email)
  const right = await deps.passwords.matches(password, credential?.passwordHash)
  if (!credential || !right) throw new Refusal('wrong_credentials')
  await Promise.all([deps.accountAttempts.clear(account), deps.addressAttempts.giveBack(network)])
  return credential.userId
}

/** Attempts are counted for e-mails that nobody has as well; the key has a fixed length. */
function accountKey(email: string): string {
  return createHash('sha256').update(email.toLowerCase()).digest('base64url')
}

/** An IPv4 address, or the /64 network of an IPv6 address: a household has that many of those. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1]) return mapped[1]
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing =
    tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const all = [
    ...groups,
    ...Array.from({ length: missing }, () => '0'),
    ...(tail?.split(':') ?? []),
  ]
  return all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}
