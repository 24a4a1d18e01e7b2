/**
 * The read model of what lives longer than one request: which holds, requests, withdrawals... there
 * are, and how they stand. Made by following the ledger; it can be dropped and made again.
 */
import type { SelectQueryBuilder } from 'kysely'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'

export const lifecycleKinds = [
  'hold',
  'payment_request',
  'withdrawal',
  'refund',
  'suspense',
  'approval',
] as const

export type LifecycleKind = (typeof lifecycleKinds)[number]

export interface Lifecycle {
  kind: LifecycleKind
  id: string
  /** Of the transfer that opened it. */
  debitAccountId: string
  creditAccountId: string
  /** Of what the caller asked for then: it tells which description of the same id counts. */
  inputHash: number
  /** Nanoseconds since 1970; the deadline is 0 for never. */
  openedAt: bigint
  deadlineAt: bigint
  state: string
  changedAt: bigint
}

interface Row {
  kind: string
  id: string
  debit_account_id: string
  credit_account_id: string
  input_hash: bigint
  opened_at: bigint
  deadline_at: bigint
  state: string
  changed_at: bigint
}

const toLifecycle = (row: Row): Lifecycle => ({
  kind: row.kind as LifecycleKind,
  id: row.id,
  debitAccountId: row.debit_account_id,
  creditAccountId: row.credit_account_id,
  inputHash: Number(row.input_hash),
  openedAt: row.opened_at,
  deadlineAt: row.deadline_at,
  state: row.state,
  changedAt: row.changed_at,
})

/** Those with these ids, of whatever kind. */
export async function findLifecycles(db: Database, ids: readonly string[]): Promise<Lifecycle[]> {
  if (ids.length === 0) return []
  const rows = await db.selectFrom('lifecycles').selectAll().where('id', 'in', ids).execute()
  return rows.map(toLifecycle)
}

/** Enters new ones, and how known ones stand now. */
export async function storeLifecycles(
  trx: Database,
  lifecycles: readonly Lifecycle[],
): Promise<void> {
  if (lifecycles.length === 0) return
  await trx
    .insertInto('lifecycles')
    .values(
      lifecycles.map((it) => ({
        kind: it.kind,
        id: it.id,
        debit_account_id: it.debitAccountId,
        credit_account_id: it.creditAccountId,
        input_hash: BigInt(it.inputHash),
        opened_at: it.openedAt,
        deadline_at: it.deadlineAt,
        state: it.state,
        changed_at: it.changedAt,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['kind', 'id']).doUpdateSet((eb) => ({
        state: eb.ref('excluded.state'),
        changed_at: eb.ref('excluded.changed_at'),
      })),
    )
    .execute()
}

export async function emptyLifecycles(trx: Database): Promise<void> {
  await trx.deleteFrom('lifecycles').execute()
}

export interface LifecycleFilter {
  kind: LifecycleKind
  /** Only those in this state; what is past its deadline counts as expired. */
  state?: string | undefined
  /** Which state ends with the deadline. */
  expiringState?: string | undefined
  /** Nanoseconds since 1970. */
  now: bigint
  /** Opened within these ledger times, both inclusive; 0 for no bound. */
  openedMin: bigint
  openedMax: bigint
  /** Only those whose state has last changed before this ledger time. */
  changedBefore?: bigint | undefined
  limit: number
}

export type LifecycleQuery = SelectQueryBuilder<Schema, 'lifecycles', Row>

/** Lifecycles, newest first; `whose` narrows them down to those of somebody. */
export async function listLifecycles(
  db: Database,
  filter: LifecycleFilter,
  whose: (query: LifecycleQuery) => LifecycleQuery = (query) => query,
): Promise<Lifecycle[]> {
  const { state, expiringState, now } = filter
  let query = whose(
    db.selectFrom('lifecycles').selectAll('lifecycles').where('lifecycles.kind', '=', filter.kind),
  )
  if (filter.openedMin > 0n) query = query.where('lifecycles.opened_at', '>=', filter.openedMin)
  if (filter.openedMax > 0n) query = query.where('lifecycles.opened_at', '<=', filter.openedMax)
  if (filter.changedBefore !== undefined) {
    query = query.where('lifecycles.changed_at', '<', filter.changedBefore)
  }
  if (state !== undefined) {
    query = query.where((eb) => {
      const isState = eb('lifecycles.state', '=', state)
      if (expiringState === undefined) return isState
      const isPast = eb.and([
        eb('lifecycles.deadline_at', '>', 0n),
        eb('lifecycles.deadline_at', '<=', now),
      ])
      if (state === expiringState) return eb.and([isState, eb.not(isPast)])
      if (state !== 'expired') return isState
      return eb.or([isState, eb.and([eb('lifecycles.state', '=', expiringState), isPast])])
    })
  }
  const rows = await query.orderBy('lifecycles.opened_at', 'desc').limit(filter.limit).execute()
  return rows.map(toLifecycle)
}

/** Holds that have run out at a ledger time or later, in the order in which they did. */
export async function listExpiredHolds(
  db: Database,
  { from, limit }: { from: bigint; limit: number },
): Promise<Lifecycle[]> {
  const rows = await db
    .selectFrom('lifecycles')
    .selectAll()
    .where('kind', '=', 'hold')
    .where('state', '=', 'expired')
    .where('changed_at', '>=', from)
    .orderBy('changed_at')
    .limit(limit)
    .execute()
  return rows.map(toLifecycle)
}

/** How many of a kind are in a state that has lasted since before a ledger time (ns since 1970). */
export async function countLifecycles(
  db: Database,
  { kind, state, changedBefore }: { kind: LifecycleKind; state: string; changedBefore: bigint },
): Promise<number> {
  const { count } = await db
    .selectFrom('lifecycles')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('kind', '=', kind)
    .where('state', '=', state)
    .where('changed_at', '<', changedBefore)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Those that debit or credit, or either, one of some accounts. */
export function ofAccounts(accountIds: readonly string[], side: 'debit' | 'credit' | 'both') {
  return (query: LifecycleQuery): LifecycleQuery =>
    query.where((eb) => {
      if (accountIds.length === 0) return eb.lit(false)
      const debit = eb('lifecycles.debit_account_id', 'in', accountIds)
      const credit = eb('lifecycles.credit_account_id', 'in', accountIds)
      if (side === 'both') return eb.or([debit, credit])
      return side === 'debit' ? debit : credit
    })
}
