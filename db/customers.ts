import type { Database } from './database.ts'
import { insertUser, type NewUser, type User } from './users.ts'
import { insertWalletRow, type Wallet, withFreeNumber } from './wallets.ts'

/**
 * Stores a customer together with a first wallet, both or neither; or says which of the names is
 * taken already.
 */
export async function insertCustomer(
  db: Database,
  user: Omit<NewUser, 'role'>,
  currency: string,
): Promise<{ user: User; wallet: Wallet } | 'email_taken' | 'username_taken'> {
  try {
    return await withFreeNumber(() =>
      db.transaction().execute(async (trx) => {
        const stored = await insertUser(trx, { ...user, role: 'customer' })
        if (typeof stored === 'string') throw new NameTaken(stored)
        return { user: stored, wallet: await insertWalletRow(trx, stored.id, currency) }
      }),
    )
  } catch (error) {
    if (error instanceof NameTaken) return error.code
    throw error
  }
}

/** Rolls the transaction back. */
class NameTaken extends Error {
  readonly code: 'email_taken' | 'username_taken'

  constructor(code: 'email_taken' | 'username_taken') {
    super(code)
    this.code = code
  }
}
