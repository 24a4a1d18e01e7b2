/**
 * What a reconciliation looks up for a page of the ledger: rows by many ids at once, of each table by one
 * query, with the columns that `kassa_auditor` may read and no others.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Database } from './database.ts'
import { lifecycleKinds } from './lifecycles.ts'

type Ids = readonly string[]

/** As the text of an array: the driver would look at each id for what it had to escape. */
const anyOf = (ids: Ids): RawBuilder<string> => sql<string>`ANY(${`{${ids.join(',')}}`}::uuid[])`

/** Rows by what the ledger has of them: the operation, and the hash of the input it was asked with. */
export function byInput<Row extends { id: string; input_hash: bigint }>(
  rows: readonly Row[],
): Map<string, Row> {
  return new Map(rows.map((row) => [`${row.id}/${row.input_hash}`, row]))
}

export const byId = <Row extends { id: string }>(rows: readonly Row[]): Map<string, Row> =>
  new Map(rows.map((row) => [row.id, row]))

export const findWalletRows = (trx: Database, ids: Ids) =>
  trx.selectFrom('wallets').select(walletColumns).where('id', '=', anyOf(ids)).execute()

export const walletColumns = [
  'id',
  'user_id',
  'currency',
  'created_at',
  'account_created_at',
  'closed_at',
] as const

/** Ids of wallets by their numbers for people, in decimal digits. */
export async function findWalletIds(
  trx: Database,
  numbers: readonly string[],
): Promise<Map<string, string>> {
  if (numbers.length === 0) return new Map()
  const rows = await trx
    .selectFrom('wallets')
    .select(['id', 'number'])
    .where('number', '=', sql<bigint>`ANY(${numbers}::bigint[])`)
    .execute()
  return new Map(rows.map(({ id, number }) => [String(number), id]))
}

export const findDepositRows = (trx: Database, ids: Ids) =>
  trx
    .selectFrom('deposits')
    .select(['id', 'input_hash', 'payment_system_id', 'reference', 'named_wallet'])
    .where('id', '=', anyOf(ids))
    .execute()

/** How many attempts at operations are known to be burnt, by operation; one without any is missing. */
export async function countBurntAttempts(trx: Database, ids: Ids): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map()
  const rows = await trx
    .selectFrom('declines')
    .select(({ fn }) => ['operation_id', fn.max('attempt').as('last')])
    .where('operation_id', '=', anyOf(ids))
    .groupBy('operation_id')
    .execute()
  return new Map(rows.map((row) => [row.operation_id, row.last + 1]))
}

export const findWithdrawalRows = (trx: Database, ids: Ids) =>
  trx
    .selectFrom('withdrawals')
    .select(['id', 'input_hash', 'wallet_id', 'payment_system_id'])
    .where('id', '=', anyOf(ids))
    .execute()

export const findOutcomeRows = (trx: Database, ids: Ids) =>
  trx
    .selectFrom('withdrawal_outcomes')
    .select(['withdrawal_id as id', 'input_hash', 'reference', 'reason'])
    .where('withdrawal_id', '=', anyOf(ids))
    .execute()

export const findRequestRows = (trx: Database, ids: Ids) =>
  trx
    .selectFrom('payment_requests')
    .innerJoin('wallets', 'wallets.id', 'payment_requests.to_wallet_id')
    .select([
      'payment_requests.id',
      'payment_requests.input_hash',
      'requester_user_id',
      'payer_user_id',
      'to_wallet_id',
      'amount_minor',
      'wallets.currency',
    ])
    .where('payment_requests.id', '=', anyOf(ids))
    .execute()

export const findRefundRows = (trx: Database, ids: Ids) =>
  trx
    .selectFrom('refunds')
    .select(['id', 'input_hash', 'transfer_id'])
    .where('id', '=', anyOf(ids))
    .execute()

export const findReversalRows = (trx: Database, ids: Ids) =>
  trx
    .selectFrom('reversals')
    .select(['id', 'input_hash', 'payment_system_id', 'deposit_id', 'reference'])
    .where('id', '=', anyOf(ids))
    .execute()

/** Quotes by their own ids, or by those of the exchanges that use them. */
export const findQuoteRows = (trx: Database, column: 'id' | 'exchange_id', ids: Ids) =>
  trx
    .selectFrom('quotes')
    .select([
      'id',
      'exchange_id',
      'user_id',
      'from_currency',
      'to_currency',
      'from_minor',
      'to_minor',
      'spread_minor',
      'fee_minor',
      'fee_number',
    ])
    .where(column, '=', anyOf(ids))
    .execute()

export const findApprovalRows = (trx: Database, ids: Ids) =>
  trx
    .selectFrom('approvals')
    .select(['id', 'input_hash', 'kind', 'body'])
    .where('id', '=', anyOf(ids))
    .execute()

export const findDecisionRows = (trx: Database, ids: Ids) =>
  trx
    .selectFrom('approval_decisions')
    .select(['approval_id as id', 'input_hash', 'operator_id', 'reason'])
    .where('approval_id', '=', anyOf(ids))
    .execute()

export const findClosingRows = (trx: Database, ids: Ids) =>
  trx.selectFrom('wallet_closings').select(['id']).where('id', '=', anyOf(ids)).execute()

export const findLifecycleRows = (trx: Database, ids: Ids) =>
  trx
    .selectFrom('lifecycles')
    .selectAll()
    // The key begins with the kind.
    .where('kind', '=', sql<string>`ANY(${lifecycleKinds}::text[])`)
    .where('id', '=', anyOf(ids))
    .execute()
