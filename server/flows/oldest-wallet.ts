import { readBalances } from '../../accounting/accounts.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { listWallets, type Wallet } from '../../db/wallets.ts'
import type { CallerWallet, Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'

/** The wallet that is meant where a client knows of one wallet a person. Refusal: wallet_not_found. */
export function oldestWallet(caller: Customer): CallerWallet {
  const oldest = caller.wallets.find(({ isClosed }) => !isClosed)
  if (!oldest) throw new Refusal('wallet_not_found', 'You have no wallet.')
  return oldest
}

/** The same of a person who has just signed up and is no caller yet. Refusal: wallet_not_found. */
export async function findOldestWallet({ db }: Pick<Deps, 'db'>, userId: string): Promise<Wallet> {
  const oldest = (await listWallets(db, userId)).find(({ closedAt }) => !closedAt)
  if (!oldest) throw new Refusal('wallet_not_found', 'You have no wallet.')
  return oldest
}

/**
 * What can be paid with after money was moved, in minor units; null when the ledger does not answer
 * now. It must not turn what has happened into a refusal.
 */
export async function readAvailableAfter(
  { ledger, log }: Pick<Deps, 'ledger' | 'log'>,
  walletId: Uuid,
): Promise<bigint | null> {
  try {
    return (await readBalances(ledger, [walletId])).get(walletId)?.availableMinor ?? null
  } catch (error) {
    log.warn({ err: error, walletId }, 'the balance after an operation was not read')
    return null
  }
}
