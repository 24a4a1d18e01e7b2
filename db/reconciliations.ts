/** Reconciliations that were stored, and the job that carries one out. */
import { sql } from 'kysely'
import type { Database } from './database.ts'
import type { ReconciliationStart, Verdict } from './schema.ts'

export interface NewReconciliation {
  /** Version 7. */
  id: string
  startedBy: ReconciliationStart
  /** The operator who has asked for it. */
  requestedBy: string | null
  startedAt: Date
  endedAt: Date
  /** The earliest moment that a pass was judged as of; null when none was carried out. */
  asOf: Date | null
  /** The moment of the checkpoint from which it went on; null when it looked at everything. */
  since: Date | null
  verdict: Verdict
  /** JSON values: of each pass what it has compared, or why it could not be carried out. */
  passes: readonly object[]
  /** Breaks that are told, those of them that were not there before, and those that went away. */
  foundCount: number
  newCount: number
  goneCount: number
}

export interface StoredReconciliation extends Omit<NewReconciliation, 'passes'> {
  /** Grows with each. */
  number: bigint
  passes: unknown
}

/** Any number: reconciliations that are stored wait for each other by it, over all processes. */
const lockKey = 7_160_205

/**
 * Works while no other reconciliation does that is to be stored, with the connection that holds the lock:
 * what is lost with it is not stored either. Answers undefined, at once, when there is another.
 */
export async function whileAlone<T>(
  db: Database,
  work: (alone: Database) => Promise<T>,
): Promise<T | undefined> {
  return db.connection().execute(async (alone) => {
    const { rows } = await sql<{ locked: boolean }>`
      SELECT pg_try_advisory_lock(${lockKey}) AS locked`.execute(alone)
    if (!rows[0]?.locked) return undefined
    try {
      return await work(alone)
    } finally {
      // A connection that is lost has lost the lock as well.
      await sql`SELECT pg_advisory_unlock(${lockKey})`.execute(alone).catch(() => {})
    }
  })
}

/** Stores a reconciliation. */
export async function insertReconciliation(db: Database, run: NewReconciliation): Promise<void> {
  await db
    .insertInto('reconciliations')
    .values({
      id: run.id,
      started_by: run.startedBy,
      requested_by: run.requestedBy,
      started_at: run.startedAt,
      ended_at: run.endedAt,
      as_of: run.asOf,
      since: run.since,
      verdict: run.verdict,
      passes: JSON.stringify(run.passes),
      found_count: run.foundCount,
      new_count: run.newCount,
      gone_count: run.goneCount,
    })
    .execute()
}

const select = (db: Database) =>
  db
    .selectFrom('reconciliations')
    .select([
      'id',
      'number',
      'started_by as startedBy',
      'requested_by as requestedBy',
      'started_at as startedAt',
      'ended_at as endedAt',
      'as_of as asOf',
      'since',
      'verdict',
      'passes',
      'found_count as foundCount',
      'new_count as newCount',
      'gone_count as goneCount',
    ])

/** A reconciliation by id. */
export async function findReconciliation(
  db: Database,
  id: string,
): Promise<StoredReconciliation | undefined> {
  return select(db).where('id', '=', id).executeTakeFirst()
}

/** Reconciliations, the newest first; those with smaller numbers than `before`. */
export async function listReconciliations(
  db: Database,
  { before, limit }: { before: bigint | undefined; limit: number },
): Promise<StoredReconciliation[]> {
  return select(db)
    .$if(before !== undefined, (query) => query.where('number', '<', before ?? 0n))
    .orderBy('number', 'desc')
    .limit(limit)
    .execute()
}

/**
 * Whether the last reconciliation was clean, none of the breaks of some passes stands, and everything was
 * looked at by one that began after a moment.
 */
export async function isInOrder(
  db: Database,
  { passes, lookedAtAfter }: { passes: readonly string[]; lookedAtAfter: Date },
): Promise<boolean> {
  const { rows } = await sql<{ is: boolean | null }>`
    SELECT
      (SELECT verdict = 'clean' FROM reconciliations ORDER BY number DESC LIMIT 1)
      AND NOT EXISTS (SELECT FROM breaks WHERE state <> 'closed' AND pass = ANY (${[...passes]}::text[]))
      AND EXISTS (SELECT FROM reconciliations
        WHERE since IS NULL AND verdict <> 'failed' AND started_at > ${lookedAtAfter}) AS is`.execute(
    db,
  )
  return rows[0]?.is === true
}

/** So often a reconciliation that was asked for is tried while another one is carried out. */
const attemptsMax = 10

/** Asks for the job that carries a reconciliation out, unless it waits already. */
export async function askForReconciliation(db: Database, requestedBy: string): Promise<void> {
  await sql`
    SELECT graphile_worker.add_job('reconcile',
      json_build_object('requested_by', ${requestedBy}::text),
      job_key => 'reconcile', max_attempts => ${attemptsMax}::integer)`.execute(db)
}
