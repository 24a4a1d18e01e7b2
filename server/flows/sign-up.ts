import { LedgerOutcomeUnknown, LedgerUnavailable } from '../../accounting/client.ts'
import { insertCustomer } from '../../db/customers.ts'
import type { User } from '../../db/users.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { networkOf, takeAttempts } from './attempts.ts'
import { ensureAccounts } from './open-wallet.ts'
import { checkPassword } from './password-rules.ts'

export interface SignUpInput {
  /** Where the request came from: one address can sign up so many only. */
  address: string
  email: string
  password: string
  username?: string | undefined
  name?: string | undefined
}

type SignUpDeps = Pick<Deps, 'config' | 'db' | 'ledger' | 'log' | 'passwords' | 'signUpAttempts'>

/**
 * Makes a customer with a first wallet in the default currency. While the ledger does not answer the
 * person is signed up all the same: the account of the wallet is created later.
 * Refusals: invalid_request, too_many_attempts, email_taken, username_taken, busy.
 */
export async function signUp(deps: SignUpDeps, input: SignUpInput): Promise<User> {
  const { email, password, username, name, address } = input
  checkPassword(password, email)
  await takeAttempts([deps.signUpAttempts, networkOf(address)])
  const passwordHash = await deps.passwords.hash(password)
  const customer = { email, username, name, passwordHash }
  const stored = await insertCustomer(deps.db, customer, deps.config.defaultCurrency)
  if (typeof stored === 'string') throw new Refusal(stored)
  try {
    await ensureAccounts(deps, [stored.wallet])
  } catch (error) {
    if (!(error instanceof LedgerUnavailable || error instanceof LedgerOutcomeUnknown)) throw error
    deps.log.warn({ err: error }, 'the account of a first wallet is created later')
  }
  return stored.user
}
