import type { Uuid } from '../../accounting/ids.ts'
import { findWallet, type Wallet } from '../../db/wallets.ts'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'

/** A wallet of the caller. Refusal: wallet_not_found, also for other people's wallets. */
export async function findOwnWallet(
  deps: Pick<Deps, 'db'>,
  caller: Customer,
  id: Uuid,
): Promise<Wallet> {
  const wallet = await findWallet(deps.db, id)
  if (wallet?.userId !== caller.userId) throw new Refusal('wallet_not_found')
  return wallet
}
