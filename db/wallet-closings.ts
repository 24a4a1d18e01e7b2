import type { Database } from './database.ts'

/** The attempt of an owner to close a wallet, by the id of the transfer that closes its account. */
export interface WalletClosing {
  id: string
  walletId: string
}

/** Comes before the account is closed, so that one that was not empty is opened again after a crash. */
export async function insertWalletClosing(db: Database, closing: WalletClosing): Promise<void> {
  await db
    .insertInto('wallet_closings')
    .values({ id: closing.id, wallet_id: closing.walletId, settled_at: null })
    .execute()
}

export type UnsettledClosing = WalletClosing & { currency: string }

/** Closings of all wallets or of one that are not settled, and older than a moment if one is named; the oldest first. */
export async function findUnsettledClosings(
  db: Database,
  { walletId, before, limit }: { walletId?: string; before?: Date; limit: number },
): Promise<UnsettledClosing[]> {
  const rows = await db
    .selectFrom('wallet_closings')
    .innerJoin('wallets', 'wallets.id', 'wallet_closings.wallet_id')
    .select(['wallet_closings.id', 'wallet_closings.wallet_id', 'wallets.currency'])
    .where('wallet_closings.settled_at', 'is', null)
    .$if(before !== undefined, (query) =>
      query.where('wallet_closings.created_at', '<', before ?? new Date()),
    )
    .$if(walletId !== undefined, (query) =>
      query.where('wallet_closings.wallet_id', '=', walletId ?? ''),
    )
    .orderBy('wallet_closings.created_at')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ id: row.id, walletId: row.wallet_id, currency: row.currency }))
}

/** Notes that a wallet is closed in the ledger, if that is not noted yet. */
export async function markWalletClosed(db: Database, walletId: string): Promise<void> {
  await db
    .updateTable('wallets')
    .set({ closed_at: new Date() })
    .where('id', '=', walletId)
    .where('closed_at', 'is', null)
    .execute()
}
