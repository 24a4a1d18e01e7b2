import type { Uuid } from '../../accounting/ids.ts'
import { findWallet, type Wallet } from '../../db/wallets.ts'
import type { Customer, Operator } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'

/**
 * A wallet that the caller may look at: a customer's own one, any one for an operator.
 * Refusal: wallet_not_found, also for other people's wallets.
 */
export async function findVisibleWallet(
  deps: Pick<Deps, 'db'>,
  caller: Customer | Operator,
  id: Uuid,
): Promise<Wallet> {
  const wallet = await findWallet(deps.db, id)
  if (wallet && (caller.role === 'operator' || wallet.userId === caller.userId)) return wallet
  throw new Refusal('wallet_not_found')
}
