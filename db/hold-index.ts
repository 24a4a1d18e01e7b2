import type { Database } from './database.ts'

export interface HoldEntry {
  holdId: string
  payerWalletId: string
  payeeWalletId: string
  /** Nanoseconds since 1970. */
  openedAt: bigint
  deadlineAt: bigint
}

/** Enters new holds; those that are there stay. */
export async function insertHolds(trx: Database, holds: readonly HoldEntry[]): Promise<void> {
  if (holds.length === 0) return
  await trx
    .insertInto('hold_index')
    .values(
      holds.map((hold) => ({
        hold_id: hold.holdId,
        payer_wallet_id: hold.payerWalletId,
        payee_wallet_id: hold.payeeWalletId,
        opened_at: hold.openedAt,
        deadline_at: hold.deadlineAt,
        resolution: null,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Notes how holds were resolved; null for one whose rest is held again. */
export async function resolveHolds(
  trx: Database,
  holdIds: readonly string[],
  resolution: 'captured' | 'voided' | null,
): Promise<void> {
  if (holdIds.length === 0) return
  await trx.updateTable('hold_index').set({ resolution }).where('hold_id', 'in', holdIds).execute()
}

export async function emptyHoldIndex(trx: Database): Promise<void> {
  await trx.deleteFrom('hold_index').execute()
}

export type HoldStatus = 'open' | 'captured' | 'voided' | 'expired'

export interface HoldFilter {
  walletIds: readonly string[]
  side: 'payer' | 'payee' | 'both'
  status?: HoldStatus | undefined
  /** Nanoseconds since 1970. */
  now: bigint
  /** Opened within these ledger times, both inclusive; 0 for no bound. */
  openedMin: bigint
  openedMax: bigint
  limit: number
}

/** Holds of these wallets, newest first. */
export async function listHoldIds(
  db: Database,
  filter: HoldFilter,
): Promise<{ holdId: string; openedAt: bigint }[]> {
  if (filter.walletIds.length === 0) return []
  let query = db
    .selectFrom('hold_index')
    .select(['hold_id', 'opened_at'])
    .where((eb) => {
      const payer = eb('payer_wallet_id', 'in', filter.walletIds)
      const payee = eb('payee_wallet_id', 'in', filter.walletIds)
      if (filter.side === 'both') return eb.or([payer, payee])
      return filter.side === 'payer' ? payer : payee
    })
  if (filter.openedMin > 0n) query = query.where('opened_at', '>=', filter.openedMin)
  if (filter.openedMax > 0n) query = query.where('opened_at', '<=', filter.openedMax)
  if (filter.status === 'captured' || filter.status === 'voided') {
    query = query.where('resolution', '=', filter.status)
  } else if (filter.status) {
    query = query
      .where('resolution', 'is', null)
      .where('deadline_at', filter.status === 'open' ? '>' : '<=', filter.now)
  }
  const rows = await query.orderBy('opened_at', 'desc').limit(filter.limit).execute()
  return rows.map((row) => ({ holdId: row.hold_id, openedAt: row.opened_at }))
}
