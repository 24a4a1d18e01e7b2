import type { Database } from './database.ts'

/** Where a reader of the ledger stands: a ledger time (ns since 1970) and when it was there. */
export interface TailCursor {
  ledgerTime: bigint
  readAt: Date
}

/** How far a reader has come; the beginning when it has never read. */
export async function readCursor(db: Database, name: string): Promise<TailCursor> {
  const row = await db
    .selectFrom('tail_cursors')
    .select(['ledger_time', 'read_at'])
    .where('name', '=', name)
    .executeTakeFirst()
  return row
    ? { ledgerTime: row.ledger_time, readAt: row.read_at }
    : { ledgerTime: 0n, readAt: new Date(0) }
}

/**
 * Carries out what a reader makes of a page and moves its cursor, both or neither. Answers false, with
 * nothing done, when another process has moved the cursor meanwhile: so any number of processes may
 * read, and each page takes effect once.
 */
export async function advanceCursor(
  db: Database,
  name: string,
  move: { from: bigint; to: bigint; readAt: Date },
  apply: (trx: Database) => Promise<void>,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    await placeCursor(trx, name)
    const { numUpdatedRows } = await trx
      .updateTable('tail_cursors')
      .set({ ledger_time: move.to, read_at: move.readAt })
      .where('name', '=', name)
      .where('ledger_time', '=', move.from)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) return false
    await apply(trx)
    return true
  })
}

/**
 * Notes that at `readAt` there was nothing after the ledger time where a reader stands. It never makes a
 * cursor but at the beginning: one that was put back there meanwhile stays.
 */
export async function touchCursor(
  db: Database,
  name: string,
  { ledgerTime, readAt }: TailCursor,
): Promise<void> {
  if (ledgerTime === 0n) await placeCursor(db, name)
  await db
    .updateTable('tail_cursors')
    .set({ read_at: readAt })
    .where('name', '=', name)
    .where('ledger_time', '=', ledgerTime)
    .execute()
}

/** Puts a reader back to the beginning and empties what it has made. */
export async function resetCursor(
  db: Database,
  name: string,
  empty: (trx: Database) => Promise<void>,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await placeCursor(trx, name)
    const beginning = { ledger_time: 0n, read_at: new Date(0) }
    await trx.updateTable('tail_cursors').set(beginning).where('name', '=', name).execute()
    await trx.deleteFrom('tail_deadlines').where('reader', '=', name).execute()
    await empty(trx)
  })
}

/** A pending transfer that a reader has seen and that runs out at a ledger time (ns since 1970). */
export interface StoredDeadline {
  transferId: string
  operationId: string
  code: number
  deadline: bigint
}

/** Deadlines up to a ledger time (ns), the earliest first. */
export async function findDeadlines(
  db: Database,
  reader: string,
  { upTo, limit }: { upTo: bigint; limit: number },
): Promise<StoredDeadline[]> {
  const rows = await db
    .selectFrom('tail_deadlines')
    .select(['transfer_id', 'operation_id', 'code', 'deadline_at'])
    .where('reader', '=', reader)
    .where('deadline_at', '<=', upTo)
    .orderBy('deadline_at')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    transferId: row.transfer_id,
    operationId: row.operation_id,
    code: row.code,
    deadline: row.deadline_at,
  }))
}

/** Enters pending transfers that run out some time, and removes those that cannot any more. */
export async function changeDeadlines(
  trx: Database,
  reader: string,
  { opened, closed }: { opened: readonly StoredDeadline[]; closed: readonly string[] },
): Promise<void> {
  if (opened.length > 0) {
    const rows = opened.map((deadline) => ({
      reader,
      transfer_id: deadline.transferId,
      operation_id: deadline.operationId,
      code: deadline.code,
      deadline_at: deadline.deadline,
    }))
    await trx
      .insertInto('tail_deadlines')
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  if (closed.length === 0) return
  await trx
    .deleteFrom('tail_deadlines')
    .where('reader', '=', reader)
    .where('transfer_id', 'in', closed)
    .execute()
}

/** Makes the cursor of a reader that has never read. */
async function placeCursor(trx: Database, name: string): Promise<void> {
  await trx
    .insertInto('tail_cursors')
    .values({ name, ledger_time: 0n, read_at: new Date(0) })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}
