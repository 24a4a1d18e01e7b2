/** Carrying payrolls out, some rows at a time, by jobs of graphile-worker. */
import { sql } from 'kysely'
import type { Database } from './database.ts'

/** Asks for the job that pays the next rows, unless it waits already. */
export async function askForJob(db: Database, id: string): Promise<void> {
  await sql`
    SELECT graphile_worker.add_job('payroll', json_build_object('id', ${id}::text),
      job_key => ${`payroll ${id}`})`.execute(db)
}

export interface WaitingRow {
  place: number
  recipient: string
  amount: string
  memo: string | null
}

/** The next rows that have neither been paid nor refused. */
export async function findWaitingRows(
  db: Database,
  { id, limit }: { id: string; limit: number },
): Promise<WaitingRow[]> {
  return db
    .selectFrom('payroll_items')
    .select(['place', 'recipient', 'amount', 'memo'])
    .where('payroll_id', '=', id)
    .where('status', 'is', null)
    .orderBy('place')
    .limit(limit)
    .execute()
}

export interface RowResult {
  place: number
  status: 'done' | 'refused'
  code: string | null
}

/** Keeps what has become of rows, and asks for the job that pays the next ones. */
export async function keepResults(
  db: Database,
  { id, results }: { id: string; results: readonly RowResult[] },
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx
      .updateTable('payrolls')
      .set({ progressed_at: new Date() })
      .where('id', '=', id)
      .execute()
    await sql`
      UPDATE payroll_items SET status = result.status, code = result.code
      FROM unnest(
        ${results.map(({ place }) => place)}::integer[],
        ${results.map(({ status }) => status)}::text[],
        ${results.map(({ code }) => code)}::text[]
      ) AS result (place, status, code)
      WHERE payroll_id = ${id} AND payroll_items.place = result.place
        AND payroll_items.status IS NULL`.execute(trx)
    await askForJob(trx, id)
  })
}

/** Notes that no row waits any more. */
export async function finishPayroll(db: Database, id: string): Promise<void> {
  await db
    .updateTable('payrolls')
    .set({ state: 'finished', finished_at: new Date() })
    .where('id', '=', id)
    .where('state', '=', 'running')
    .execute()
}

/** Asks again for the jobs of payrolls that run and have not got on since a moment. */
export async function resumePayrolls(
  db: Database,
  { before, limit }: { before: Date; limit: number },
): Promise<number> {
  const stuck = await db
    .selectFrom('payrolls')
    .select('id')
    .where('state', '=', 'running')
    .where('progressed_at', '<', before)
    .orderBy('progressed_at')
    .limit(limit)
    .execute()
  for (const { id } of stuck) await askForJob(db, id)
  return stuck.length
}
