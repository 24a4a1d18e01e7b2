import { findUser } from '../../db/users.ts'
import type { Wallet } from '../../db/wallets.ts'
import type { Customer, Operator } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { findNamedWallet } from './resolve-wallets.ts'

/**
 * A wallet that the caller may look at, by its id or number: a customer's own one, any one for an
 * operator. Refusals: wallet_not_found, also for other people's wallets; wallet_number_mistyped.
 */
export async function findVisibleWallet(
  deps: Pick<Deps, 'db'>,
  caller: Customer | Operator,
  name: string,
): Promise<Wallet> {
  const wallet = await findNamedWallet(deps, name)
  if (wallet && (caller.role === 'operator' || wallet.userId === caller.userId)) return wallet
  throw new Refusal('wallet_not_found')
}

/** Whose a wallet is, for an operator; undefined for anybody else. */
export async function readOwner(
  deps: Pick<Deps, 'db'>,
  caller: Customer | Operator,
  { userId }: Wallet,
): Promise<{ id: string; username: string | null; name: string | null } | undefined> {
  if (caller.role !== 'operator') return undefined
  const owner = await findUser(deps.db, userId)
  if (!owner) throw new Error(`the owner ${userId} of a wallet is not there`)
  const { id, username, name } = owner
  return { id, username, name }
}
