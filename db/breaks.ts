/** Breaks that reconciliations have found: how each stands, and what has happened to it. */
import { type SelectQueryBuilder, sql } from 'kysely'
import type { Database } from './database.ts'
import { fromDigits } from './digits.ts'
import type { BreakEventKind, BreakState, Schema } from './schema.ts'

/** What a reconciliation tells of a break. */
export interface ToldBreak {
  pass: string
  kind: string
  subject: string
  /** What the pass was given to look at; empty when it looks at everything. */
  scope: string[]
  ledgerIds: string[]
  recordIds: string[]
  statementLines: string[]
  currency: string | null
  /** Minor units. */
  expectedMinor: bigint | null
  foundMinor: bigint | null
  detail: string
}

export interface StoredBreak extends ToldBreak {
  id: string
  /** Grows with each. */
  number: bigint
  since: Date
  /** Ids of reconciliations. */
  firstSeen: string
  lastSeen: string
  earlierId: string | null
  state: BreakState
  assignee: string | null
  explanation: string | null
  adjustmentId: string | null
  closedAt: Date | null
  closedBy: string | null
}

/** A break in the ledger of breaks: a new one, or one that is there and is told again. */
export type SeenBreak = ToldBreak & Pick<StoredBreak, 'id' | 'since' | 'earlierId'>

export interface NewBreakEvent {
  breakId: string
  at: Date
  kind: BreakEventKind
  /** Either the reconciliation that tells it, or the operator who did it. */
  reconciliationId: string | null
  operatorId: string | null
  details: Record<string, unknown>
}

export interface BreakEvent extends NewBreakEvent {
  id: bigint
}

/** Rows of one statement: PostgreSQL takes 65,535 parameters. */
const rowsMax = 1_000

const columns = [
  'id',
  'number',
  'pass',
  'kind',
  'subject',
  'scope',
  'ledger_ids as ledgerIds',
  'record_ids as recordIds',
  'statement_lines as statementLines',
  'currency',
  'expected_minor',
  'found_minor',
  'since',
  'detail',
  'first_seen as firstSeen',
  'last_seen as lastSeen',
  'earlier_id as earlierId',
  'state',
  'assignee',
  'explanation',
  'adjustment_id as adjustmentId',
  'closed_at as closedAt',
  'closed_by as closedBy',
] as const

type Row = Omit<StoredBreak, 'expectedMinor' | 'foundMinor'> & {
  expected_minor: string | null
  found_minor: string | null
}

const toBreak = ({ expected_minor, found_minor, ...row }: Row): StoredBreak => ({
  ...row,
  expectedMinor: fromDigits(expected_minor),
  foundMinor: fromDigits(found_minor),
})

const select = (db: Database) => db.selectFrom('breaks').select(columns)

/** The breaks of some passes that are not closed, locked: what operators do with them waits. */
export async function lockStandingBreaks(
  trx: Database,
  passes: readonly string[],
): Promise<StoredBreak[]> {
  if (passes.length === 0) return []
  const query = select(trx).where('pass', 'in', passes).where('state', '<>', 'closed')
  return (await query.orderBy('number').forUpdate().execute()).map(toBreak)
}

/** Of each subject the newest break that was closed. */
export async function findClosedBreaks(
  db: Database,
  subjects: readonly string[],
): Promise<Pick<StoredBreak, 'id' | 'pass' | 'kind' | 'subject'>[]> {
  const { rows } = await sql<Pick<StoredBreak, 'id' | 'pass' | 'kind' | 'subject'>>`
    SELECT DISTINCT ON (pass, kind, subject) id, pass, kind, subject FROM breaks
    WHERE md5(subject) IN (SELECT md5(one) FROM unnest(${[...subjects]}::text[]) AS one)
      AND state = 'closed'
    ORDER BY pass, kind, subject, number DESC`.execute(db)
  return rows
}

/** Stores breaks as a reconciliation tells them. Of those that are there already, how they stand stays. */
export async function keepBreaks(
  db: Database,
  seen: readonly SeenBreak[],
  reconciliationId: string,
): Promise<void> {
  for (let start = 0; start < seen.length; start += rowsMax) {
    const rows = seen.slice(start, start + rowsMax).map((it) => ({
      id: it.id,
      pass: it.pass,
      kind: it.kind,
      subject: it.subject,
      scope: it.scope,
      ledger_ids: it.ledgerIds,
      record_ids: it.recordIds,
      statement_lines: it.statementLines,
      currency: it.currency,
      expected_minor: it.expectedMinor?.toString() ?? null,
      found_minor: it.foundMinor?.toString() ?? null,
      since: it.since,
      detail: it.detail,
      first_seen: reconciliationId,
      last_seen: reconciliationId,
      earlier_id: it.earlierId,
    }))
    await db
      .insertInto('breaks')
      .values(rows)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet(({ ref }) => ({
          scope: ref('excluded.scope'),
          ledger_ids: ref('excluded.ledger_ids'),
          record_ids: ref('excluded.record_ids'),
          statement_lines: ref('excluded.statement_lines'),
          currency: ref('excluded.currency'),
          expected_minor: ref('excluded.expected_minor'),
          found_minor: ref('excluded.found_minor'),
          detail: ref('excluded.detail'),
          last_seen: ref('excluded.last_seen'),
        })),
      )
      .execute()
  }
}

/** Closes breaks that have gone by themselves. */
export async function closeBreaks(db: Database, ids: readonly string[], at: Date): Promise<void> {
  await sql`
    UPDATE breaks SET state = 'closed', closed_at = ${at}
    WHERE id = ANY (${[...ids]}::uuid[])`.execute(db)
}

/** Adds events; none is ever changed. */
export async function insertBreakEvents(
  db: Database,
  events: readonly NewBreakEvent[],
): Promise<void> {
  for (let start = 0; start < events.length; start += rowsMax) {
    const rows = events.slice(start, start + rowsMax).map((event) => ({
      break_id: event.breakId,
      at: event.at,
      kind: event.kind,
      reconciliation_id: event.reconciliationId,
      operator_id: event.operatorId,
      details: JSON.stringify(event.details),
    }))
    await db.insertInto('break_events').values(rows).execute()
  }
}

/** Works with a break that nobody else changes meanwhile, in a transaction; undefined: there is none. */
export async function withBreak<T>(
  db: Database,
  id: string,
  work: (trx: Database, found: StoredBreak | undefined) => Promise<T>,
): Promise<T> {
  return db.transaction().execute(async (trx) => {
    const row = await select(trx).where('id', '=', id).forUpdate().executeTakeFirst()
    return work(trx, row && toBreak(row))
  })
}

/** Sets how a break stands. */
export async function updateStanding(db: Database, it: StoredBreak): Promise<void> {
  await db
    .updateTable('breaks')
    .set({
      state: it.state,
      assignee: it.assignee,
      explanation: it.explanation,
      adjustment_id: it.adjustmentId,
      closed_at: it.closedAt,
      closed_by: it.closedBy,
    })
    .where('id', '=', it.id)
    .execute()
}

/** A break by id. */
export async function findBreak(db: Database, id: string): Promise<StoredBreak | undefined> {
  const row = await select(db).where('id', '=', id).executeTakeFirst()
  return row && toBreak(row)
}

export interface BreakFilter {
  state?: BreakState | undefined
  kind?: string | undefined
  pass?: string | undefined
  /** Those with smaller numbers. */
  before: bigint | undefined
  limit: number
}

/** Breaks, the newest first. */
export async function listBreaks(db: Database, filter: BreakFilter): Promise<StoredBreak[]> {
  const { state, kind, pass, before, limit } = filter
  const narrow = <O>(query: SelectQueryBuilder<Schema, 'breaks', O>) =>
    query
      .$if(state !== undefined, (some) => some.where('state', '=', state ?? 'open'))
      .$if(kind !== undefined, (some) => some.where('kind', '=', kind ?? ''))
      .$if(pass !== undefined, (some) => some.where('pass', '=', pass ?? ''))
      .$if(before !== undefined, (some) => some.where('number', '<', before ?? 0n))
  const rows = await narrow(select(db)).orderBy('number', 'desc').limit(limit).execute()
  return rows.map(toBreak)
}

/** The last events of a break, oldest first. */
export async function listBreakEvents(
  db: Database,
  breakId: string,
  limit: number,
): Promise<BreakEvent[]> {
  const rows = await db
    .selectFrom('break_events')
    .select([
      'id',
      'break_id as breakId',
      'at',
      'kind',
      'reconciliation_id as reconciliationId',
      'operator_id as operatorId',
      'details',
    ])
    .where('break_id', '=', breakId)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.reverse()
}
