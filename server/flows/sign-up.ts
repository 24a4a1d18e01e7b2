import { insertUser, type User } from '../../db/users.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { openWallet } from './open-wallet.ts'
import { checkPassword } from './password-rules.ts'

export interface SignUpInput {
  email: string
  password: string
  username?: string | undefined
  name?: string | undefined
}

type SignUpDeps = Pick<Deps, 'config' | 'db' | 'ledger' | 'log' | 'passwords'>

/**
 * Makes a customer with a first wallet in the default currency. While the ledger does not answer the
 * person is signed up all the same: the account of the wallet is created later.
 * Refusals: invalid_request, email_taken, username_taken, busy.
 */
export async function signUp(deps: SignUpDeps, input: SignUpInput): Promise<User> {
  const { email, password, username, name } = input
  checkPassword(password, email)
  const passwordHash = await deps.passwords.hash(password)
  const user = await insertUser(deps.db, { role: 'customer', email, username, name, passwordHash })
  if (typeof user === 'string') throw new Refusal(user)
  await openWallet(deps, { userId: user.id, currency: deps.config.defaultCurrency })
  return user
}
