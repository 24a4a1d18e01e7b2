/**
 * Facts that describe transfers, as the chain of evidence has them: rows that are written before a
 * transfer which names them, and of these the columns that never change. docs/evidence.md lists them.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Database } from './database.ts'

/** By what transfers name facts, and the type that it has in PostgreSQL. */
const keyTypes = {
  /** `id/input hash`. */
  operation: 'uuid',
  operation_id: 'uuid',
  account: 'uuid',
  ledger: 'integer',
  fee_schedule: 'bigint',
  limit: 'bigint',
} as const

export type KeySet = keyof typeof keyTypes

/** What transfers name, as text. */
export type FactKeys = Readonly<Record<KeySet, ReadonlySet<string>>>

/** Columns are SQL, of a row that is called `fact`. */
interface FactKind {
  keySet: KeySet
  /** Whatever can follow FROM. */
  table: string
  /** Has the key. */
  id: string
  columns: readonly string[]
  /** Besides `created_at`. */
  times?: readonly string[]
  /** Written by people: in the chain there is only a salted digest of all of a row. */
  texts?: readonly string[]
}

const described = (table: string, id: string, columns: readonly string[], texts?: string[]) =>
  ({ keySet: 'operation', table, id, columns, ...(texts ? { texts } : {}) }) as const

const factKinds: Readonly<Record<string, FactKind>> = {
  memo: described('memos', 'transfer_id', [], ['memo']),
  deposit: described(
    'deposits',
    'id',
    ['payment_system_id', 'reference', 'named_wallet'],
    ['sender', 'details'],
  ),
  payment_request: described(
    'payment_requests',
    'id',
    ['requester_user_id', 'payer_user_id', 'to_wallet_id', 'amount_minor'],
    ['memo'],
  ),
  withdrawal: described('withdrawals', 'id', ['user_id', 'wallet_id', 'payment_system_id']),
  withdrawal_outcome: described('withdrawal_outcomes', 'withdrawal_id', ['reference'], ['reason']),
  refund: described('refunds', 'id', ['transfer_id'], ['reason']),
  reversal: described(
    'reversals',
    'id',
    ['payment_system_id', 'deposit_id', 'reference'],
    ['reason'],
  ),
  approval: described('approvals', 'id', ['kind', 'requested_by'], ['reason', 'body']),
  approval_decision: described('approval_decisions', 'approval_id', ['operator_id'], ['reason']),
  quote: {
    keySet: 'operation_id',
    table: `(SELECT quotes.*, base, exchange_rates.quote, mid, spread_basis_points, source, valid_until
      FROM quotes JOIN exchange_rates ON exchange_rates.number = rate_number)`,
    id: 'id',
    columns: [
      ...['exchange_id', 'user_id', 'side', 'from_currency', 'to_currency', 'from_minor'],
      ...['to_minor', 'spread_minor', 'fee_minor', 'fee_number', 'rate_number', 'base', 'quote'],
      ...['mid', 'spread_basis_points', 'source'],
    ],
    times: ['ends_at', 'valid_until'],
  },
  wallet: {
    keySet: 'account',
    table: 'wallets',
    id: 'id',
    columns: ['user_id', 'number', 'currency'],
  },
  currency: {
    keySet: 'ledger',
    table: 'currencies',
    id: 'ledger',
    columns: ['currency', 'scale', 'is_own'],
  },
  fee_schedule: {
    keySet: 'fee_schedule',
    table: 'fee_schedules',
    id: 'number',
    columns: [
      ...['operation', 'currency', 'fixed_minor', 'basis_points', 'min_minor', 'max_minor'],
      ...['borne_by', 'refund'],
    ],
    times: ['valid_from'],
  },
  limit: {
    keySet: 'limit',
    table: 'limits',
    id: 'version',
    columns: ['user_id', 'currency', '"window"', 'rule', 'amount_minor', 'set_by'],
  },
  limit_default: {
    keySet: 'limit',
    table: 'limit_defaults',
    id: 'version',
    columns: ['kind', 'currency', '"window"', 'amount_minor', 'set_by'],
  },
}

/** A row that transfers name. */
export interface Fact {
  kind: string
  keySet: KeySet
  /** As it is named. */
  key: string
  id: string
  /** Decimal digits; null of what is not named by it. */
  inputHash: string | null
  /** Times at the end, in microseconds since 1970; `created_at` is the last. */
  columns: readonly (string | null)[]
  /** Undefined of a kind that has none; null is what was never written, or is erased. */
  texts: readonly (string | null)[] | undefined
  /** Of the digest that is kept, if there is one; erased with the texts. */
  salt: Buffer | null
  digest: Buffer | null
}

interface Row {
  id: string
  input_hash: string | null
  columns: (string | null)[]
  texts: (string | null)[] | null
  salt: Buffer | null
  digest: Buffer | null
}

/** Whatever is there under these keys, in no order. */
export async function findFacts(db: Database, keys: FactKeys): Promise<Fact[]> {
  const facts: Fact[] = []
  for (const [kind, { keySet, ...source }] of Object.entries(factKinds)) {
    if (keys[keySet].size === 0) continue
    const { rows } = await select(kind, { keySet, ...source }, [...keys[keySet]]).execute(db)
    for (const { input_hash: inputHash, texts, ...row } of rows) {
      const key = inputHash === null ? row.id : `${row.id}/${inputHash}`
      facts.push({ kind, keySet, key, inputHash, texts: texts ?? undefined, ...row })
    }
  }
  return facts
}

function select(
  kind: string,
  { keySet, table, id, columns, times = [], texts }: FactKind,
  keys: readonly string[],
): RawBuilder<Row> {
  const isOperation = keySet === 'operation'
  const values = [
    ...columns.map((column) => `fact.${column}`),
    ...[...times, 'created_at'].map(toMicroseconds),
  ]
  const matches = isOperation
    ? `fact.${id} = named.id AND fact.input_hash = named.input_hash`
    : `fact.${id} = named.id`
  const kept = sql`LEFT JOIN evidence_digests AS kept
    ON kept.kind = ${kind} AND kept.id = named.id AND kept.input_hash = named.input_hash`
  return sql<Row>`
    SELECT
      fact.${sql.raw(id)}::text AS id,
      ${sql.raw(isOperation ? 'fact.input_hash::text' : 'NULL')} AS input_hash,
      ${textArray(values)} AS columns,
      ${texts ? textArray(texts.map((column) => `fact.${column}`)) : sql`NULL::text[]`} AS texts,
      ${sql.raw(texts ? 'kept.salt, kept.digest' : 'NULL::bytea AS salt, NULL::bytea AS digest')}
    FROM ${toNamed(keySet, keys)}
    JOIN ${sql.raw(table)} AS fact ON ${sql.raw(matches)}
    ${texts ? kept : sql``}`
}

/** Whatever the session's time zone is. */
const toMicroseconds = (column: string) => `(extract(epoch FROM fact.${column}) * 1000000)::bigint`

const textArray = (values: readonly string[]) =>
  sql.raw(`ARRAY[${values.map((value) => `${value}::text`).join(', ')}]`)

/** Keys as rows. */
function toNamed(keySet: KeySet, keys: readonly string[]): RawBuilder<unknown> {
  if (keySet !== 'operation') {
    return sql`unnest(${keys}::${sql.raw(keyTypes[keySet])}[]) AS named (id)`
  }
  const parts = keys.map((key) => key.split('/'))
  const [ids, hashes] = [parts.map(([id]) => id), parts.map(([, hash]) => hash)]
  return sql`unnest(${ids}::uuid[], ${hashes}::bigint[]) AS named (id, input_hash)`
}
