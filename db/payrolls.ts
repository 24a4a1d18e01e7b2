/** Payrolls: files of payments, stored while they arrive, and what has become of each row. */
import { sql } from 'kysely'
import type { Database } from './database.ts'
import type { DescriptionKey } from './descriptions.ts'
import { askForJob } from './payroll-runs.ts'
import type { PayrollState } from './schema.ts'
import { lockUser } from './users.ts'

export interface Payroll extends DescriptionKey {
  /** Grows with each payroll. */
  number: bigint
  userId: string
  walletId: string
  currency: string
  state: PayrollState
  /** How many rows it has; null while it is not all there. */
  rowCount: number | null
  createdAt: Date
  finishedAt: Date | null
}

/** A row as it was written. */
export interface PayrollRow {
  /** Of the file, from 1. */
  line: number
  recipient: string
  amount: string
  memo: string | null
  /** Minor units; null when the amount cannot be read. */
  amountMinor: bigint | null
  /** What is wrong with it, whatever else there is. */
  code: string | null
}

const select = (db: Database) =>
  db
    .selectFrom('payrolls')
    .innerJoin('wallets', 'wallets.id', 'payrolls.wallet_id')
    .select([
      'payrolls.number',
      'payrolls.id as operationId',
      'payrolls.input_hash',
      'payrolls.user_id as userId',
      'payrolls.wallet_id as walletId',
      'wallets.currency',
      'payrolls.state',
      'payrolls.row_count as rowCount',
      'payrolls.created_at as createdAt',
      'payrolls.finished_at as finishedAt',
    ])

type Row = Omit<Payroll, 'inputHash'> & { input_hash: bigint }

const toPayroll = ({ input_hash, ...row }: Row): Payroll => ({
  ...row,
  inputHash: Number(input_hash),
})

/** A payroll by id. */
export async function findPayroll(db: Database, id: string): Promise<Payroll | undefined> {
  const row = await select(db).where('payrolls.id', '=', id).executeTakeFirst()
  return row && toPayroll(row)
}

/** A user's payrolls, the newest first; those with smaller numbers than `before`. */
export async function listPayrolls(
  db: Database,
  { userId, before, limit }: { userId: string; before: bigint | undefined; limit: number },
): Promise<Payroll[]> {
  const rows = await select(db)
    .where('payrolls.user_id', '=', userId)
    .$if(before !== undefined, (query) => query.where('payrolls.number', '<', before ?? 0n))
    .orderBy('payrolls.number', 'desc')
    .limit(limit)
    .execute()
  return rows.map(toPayroll)
}

/**
 * Opens a payroll whose rows are then stored; one that is there already is left as it is. Answers
 * false when the user has `unfinishedMax` others that are not finished.
 */
export async function openPayroll(
  db: Database,
  payroll: DescriptionKey & { userId: string; walletId: string; unfinishedMax: number },
): Promise<boolean> {
  const { operationId, inputHash, userId, walletId, unfinishedMax } = payroll
  return db.transaction().execute(async (trx) => {
    await lockUser(trx, userId)
    const { others } = await trx
      .selectFrom('payrolls')
      .select(({ fn }) => fn.countAll<bigint>().as('others'))
      .where('user_id', '=', userId)
      .where('state', '<>', 'finished')
      .where('id', '<>', operationId)
      .executeTakeFirstOrThrow()
    if (others >= BigInt(unfinishedMax)) return false
    await trx
      .insertInto('payrolls')
      .values({
        id: operationId,
        input_hash: BigInt(inputHash),
        user_id: userId,
        wallet_id: walletId,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    return true
  })
}

/**
 * One opening of a payroll: after it was discarded the same id can be opened again, with another number,
 * and rows that were meant for the one before do not get there.
 */
type Opening = Pick<Payroll, 'operationId' | 'number'>

const lock = (trx: Database, { operationId, number }: Opening) =>
  trx
    .selectFrom('payrolls')
    .select(['state', 'row_count'])
    .where('id', '=', operationId)
    .where('number', '=', number)
    .forUpdate()
    .executeTakeFirst()

/**
 * Stores rows from this place on. Those that are there already are compared instead; answers whether
 * they are the same. Nothing is added to a payroll that is complete, nor to one that was discarded.
 */
export async function storeRows(
  db: Database,
  opening: Opening,
  { place, rows }: { place: number; rows: readonly PayrollRow[] },
): Promise<boolean> {
  const { operationId: id } = opening
  return db.transaction().execute(async (trx) => {
    // The lock makes completing it wait.
    const payroll = await lock(trx, opening)
    if (!payroll) return false
    const stored = payroll.state === 'uploading' ? await insertRows(trx, id, place, rows) : 0
    if (stored > 0) {
      await trx
        .updateTable('payrolls')
        .set({ progressed_at: new Date() })
        .where('id', '=', id)
        .execute()
    }
    return stored === rows.length || isStored(trx, id, place, rows)
  })
}

/** Answers how many were not there yet. */
async function insertRows(
  db: Database,
  id: string,
  place: number,
  rows: readonly PayrollRow[],
): Promise<number> {
  const { numAffectedRows } = await sql`
    INSERT INTO payroll_items
      (payroll_id, place, line, recipient, amount, memo, amount_minor, code, status)
    SELECT ${id}, ${place}::integer + row.nth - 1, line, recipient, amount, memo, amount_minor, code,
      CASE WHEN code IS NOT NULL THEN 'refused' END
    FROM unnest(
      ${rows.map(({ line }) => line)}::integer[],
      ${rows.map(({ recipient }) => recipient)}::text[],
      ${rows.map(({ amount }) => amount)}::text[],
      ${rows.map(({ memo }) => memo)}::text[],
      ${rows.map(({ amountMinor }) => amountMinor?.toString() ?? null)}::numeric[],
      ${rows.map(({ code }) => code)}::text[]
    ) WITH ORDINALITY AS row (line, recipient, amount, memo, amount_minor, code, nth)
    ON CONFLICT DO NOTHING`.execute(db)
  return Number(numAffectedRows)
}

async function isStored(
  db: Database,
  id: string,
  place: number,
  rows: readonly PayrollRow[],
): Promise<boolean> {
  const stored = await db
    .selectFrom('payroll_items')
    .select(['line', 'recipient', 'amount', 'memo'])
    .where('payroll_id', '=', id)
    .where('place', '>=', place)
    .where('place', '<', place + rows.length)
    .orderBy('place')
    .execute()
  return rows.every(({ line, recipient, amount, memo }, index) => {
    const row = stored[index]
    return (
      row?.line === line &&
      row.recipient === recipient &&
      row.amount === amount &&
      row.memo === memo
    )
  })
}

/**
 * Notes that all rows are stored, and asks for the job that pays them, both or neither. Answers `again`
 * when that was so before, and `different` when it has another number of rows or was discarded.
 */
export async function completePayroll(
  db: Database,
  opening: Opening,
  rowCount: number,
): Promise<'now' | 'again' | 'different'> {
  const { operationId: id } = opening
  return db.transaction().execute(async (trx) => {
    const payroll = await lock(trx, opening)
    if (!payroll) return 'different'
    const { state, row_count } = payroll
    if (state !== 'uploading') return row_count === rowCount ? 'again' : 'different'
    const { stored } = await trx
      .selectFrom('payroll_items')
      .select(({ fn }) => fn.countAll<bigint>().as('stored'))
      .where('payroll_id', '=', id)
      .executeTakeFirstOrThrow()
    if (stored !== BigInt(rowCount)) return 'different'
    await trx
      .updateTable('payrolls')
      .set({ state: 'running', row_count: rowCount, progressed_at: new Date() })
      .where('id', '=', id)
      .execute()
    await askForJob(trx, id)
    return 'now'
  })
}

/** Deletes a payroll that is not complete, of which nothing was paid; answers whether it did. */
export async function discardUpload(
  db: Database,
  { operationId, number }: Opening,
): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('payrolls')
    .where('id', '=', operationId)
    .where('number', '=', number)
    .where('state', '=', 'uploading')
    .executeTakeFirst()
  return numDeletedRows > 0n
}

/** Deletes payrolls whose upload was given up before a moment; nothing of them was paid. */
export async function deleteAbandonedUploads(
  db: Database,
  { before, limit }: { before: Date; limit: number },
): Promise<void> {
  await db
    .deleteFrom('payrolls')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('payrolls')
        .select('id')
        .where('state', '=', 'uploading')
        .where('progressed_at', '<', before)
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .execute()
}
