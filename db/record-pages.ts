/** What a reconciliation reads from one end to the other: rows in the order of a key, page by page. */
import { type SelectQueryBuilder, sql } from 'kysely'
import type { Database } from './database.ts'
import type { IntentTable } from './intents.ts'
import { walletColumns } from './record-rows.ts'
import type { Schema } from './schema.ts'

const pageRows = 8_000

/** Pages of what `read` gives after a row; the next one is asked for while the last is worked on. */
async function* pages<Row>(
  read: (after: Row | undefined) => Promise<Row[]>,
): AsyncGenerator<Row[]> {
  let asked = read(undefined)
  for (;;) {
    const page = await asked
    const last = page.at(-1)
    if (last === undefined) return
    if (page.length < pageRows) return yield page
    asked = read(last)
    // It is awaited after the page was worked on: a failure until then is not unhandled.
    asked.catch(() => {})
    yield page
  }
}

export const walletPages = (trx: Database) =>
  pages<WalletRow>((after) =>
    trx
      .selectFrom('wallets')
      .select(walletColumns)
      .$if(after !== undefined, (query) => query.where('id', '>', after!.id))
      .orderBy('id')
      .limit(pageRows)
      .execute(),
  )

interface WalletRow {
  id: string
  user_id: string
  currency: string
  created_at: Date
  account_created_at: Date | null
  closed_at: Date | null
}

/** Who has wallets, and in which currencies, each once. */
export const ownerPages = (trx: Database) =>
  pages<{ user_id: string; currency: string }>((after) =>
    trx
      .selectFrom('wallets')
      .select(['user_id', 'currency'])
      .distinct()
      .$if(after !== undefined, (query) =>
        query.where(
          sql<boolean>`(user_id, currency) > (${after?.user_id}::uuid, ${after?.currency})`,
        ),
      )
      .orderBy('user_id')
      .orderBy('currency')
      .limit(pageRows)
      .execute(),
  )

export const declinePages = (trx: Database) =>
  pages<{ operation_id: string; attempt: number; code: string; created_at: Date }>((after) =>
    trx
      .selectFrom('declines')
      .select(['operation_id', 'attempt', 'code', 'created_at'])
      .$if(after !== undefined, (query) =>
        query.where(
          sql<boolean>`(operation_id, attempt) > (${after?.operation_id}::uuid, ${after?.attempt}::integer)`,
        ),
      )
      .orderBy('operation_id')
      .orderBy('attempt')
      .limit(pageRows)
      .execute(),
  )

/** Rows of payrolls that have been paid or refused, with what they have in common. */
export const payrollRowPages = (trx: Database) =>
  pages<PayrollRow>((after) =>
    trx
      .selectFrom('payroll_items')
      .innerJoin('payrolls', 'payrolls.id', 'payroll_items.payroll_id')
      .select([
        'payroll_id',
        'place',
        'status',
        'code',
        'amount_minor',
        'input_hash',
        'wallet_id',
        'payrolls.created_at',
      ])
      .where('status', 'is not', null)
      .$if(after !== undefined, (query) =>
        query.where(
          sql<boolean>`(payroll_id, place) > (${after?.payroll_id}::uuid, ${after?.place}::integer)`,
        ),
      )
      .orderBy('payroll_id')
      .orderBy('place')
      .limit(pageRows)
      .execute(),
  )

export interface PayrollRow {
  payroll_id: string
  place: number
  status: 'done' | 'refused' | null
  code: string | null
  amount_minor: string | null
  input_hash: bigint
  wallet_id: string
  created_at: Date
}

/** Those that were opened after a ledger time (ns). */
export const lifecyclePages = (trx: Database, openedAfter: bigint) =>
  pages<{ kind: string; id: string; opened_at: bigint }>((after) =>
    trx
      .selectFrom('lifecycles')
      .select(['kind', 'id', 'opened_at'])
      .where('opened_at', '>', openedAfter)
      .$if(after !== undefined, (query) =>
        query.where(sql<boolean>`(kind, id) > (${after?.kind}, ${after?.id}::uuid)`),
      )
      .orderBy('kind')
      .orderBy('id')
      .limit(pageRows)
      .execute(),
  )

/** How many were opened after a ledger time (ns). */
export async function countLifecycleRows(trx: Database, openedAfter: bigint): Promise<number> {
  const { count } = await trx
    .selectFrom('lifecycles')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('opened_at', '>', openedAfter)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** What was approved in the read model or carried out, in all pages of it. */
export const effectPages = (trx: Database) =>
  pages<{ approval_id: string; created_at: Date; state: string | null }>((after) =>
    trx
      .selectFrom('approval_effects')
      .leftJoin('lifecycles', (join) =>
        join.onRef('lifecycles.id', '=', 'approval_id').on('lifecycles.kind', '=', 'approval'),
      )
      .select(['approval_id', 'approval_effects.created_at', 'lifecycles.state'])
      .$if(after !== undefined, (query) => query.where('approval_id', '>', after!.approval_id))
      .orderBy('approval_id')
      .limit(pageRows)
      .execute(),
  )

/** Something that was begun and whose end was not noted. */
export interface Unsettled {
  table: string
  id: string
  since: Date
}

type Unfinished = SelectQueryBuilder<Schema, IntentTable, { id: string; since: Date }>

/** What was begun before a moment and is not settled, at most so much of each table; the oldest first. */
export async function findUnfinished(
  trx: Database,
  { before, limit }: { before: Date; limit: number },
): Promise<Unsettled[]> {
  const intents: IntentTable[] = ['payment_requests', 'withdrawals', 'wallet_closings']
  const found: Unsettled[] = []
  for (const table of intents) {
    const query: Unfinished = trx.selectFrom(table).select(['id', 'created_at as since'])
    const rows = await query
      .where('settled_at', 'is', null)
      .where('created_at', '<', before)
      .orderBy('created_at')
      .limit(limit)
      .execute()
    found.push(...rows.map((row) => ({ table, ...row })))
  }
  const payrolls = await trx
    .selectFrom('payrolls')
    .select(['id', 'progressed_at as since'])
    .where('state', '=', 'running')
    .where('progressed_at', '<', before)
    .orderBy('progressed_at')
    .limit(limit)
    .execute()
  return [...found, ...payrolls.map((row) => ({ table: 'payrolls', ...row }))]
}

/** Approvals of some kinds that were given before a ledger time (ns) and not carried out. */
export async function findNotCarriedOut(
  trx: Database,
  { kinds, before, limit }: { kinds: readonly string[]; before: bigint; limit: number },
): Promise<{ id: string; changed_at: bigint }[]> {
  return trx
    .selectFrom('lifecycles')
    .innerJoin('approvals', (join) =>
      join
        .onRef('approvals.id', '=', 'lifecycles.id')
        .onRef('approvals.input_hash', '=', 'lifecycles.input_hash'),
    )
    .leftJoin('approval_effects', 'approval_effects.approval_id', 'lifecycles.id')
    .select(['lifecycles.id', 'lifecycles.changed_at'])
    .where('lifecycles.kind', '=', 'approval')
    .where('lifecycles.state', '=', 'approved')
    .where('lifecycles.changed_at', '<', before)
    .where('approvals.kind', 'in', kinds)
    .where('approval_effects.approval_id', 'is', null)
    .limit(limit)
    .execute()
}

/** The numbers of all payment systems, by id. */
export async function readPaymentSystemNumbers(trx: Database): Promise<Map<string, number>> {
  const rows = await trx.selectFrom('payment_systems').select(['user_id', 'number']).execute()
  return new Map(rows.map((row) => [row.user_id, row.number]))
}
