import type { Database } from './database.ts'
import { isUniqueViolation } from './errors.ts'
import { insertUser } from './users.ts'

/** An account of its own kind: where deposits come from. */
export interface PaymentSystemRow {
  id: string
  /** Gives the clearing accounts their ids. */
  number: number
  name: string
  email: string
  createdAt: Date
  deactivatedAt: Date | null
}

/**
 * Stores a payment system with its credential, under an id that was minted before or a fresh one, or
 * says which of the names is taken already.
 */
export async function insertPaymentSystem(
  db: Database,
  input: { id?: string; name: string; email: string; passwordHash: string },
): Promise<PaymentSystemRow | 'email_taken' | 'name_taken'> {
  const { name } = input
  try {
    return await db.transaction().execute(async (trx) => {
      const user = await insertUser(trx, { role: 'payment_system', ...input })
      if (typeof user === 'string') throw new EmailTaken()
      const { number } = await trx
        .insertInto('payment_systems')
        .values({ user_id: user.id, name })
        .returning('number')
        .executeTakeFirstOrThrow()
      const { id, createdAt, deactivatedAt } = user
      return { id, number, name, email: input.email, createdAt, deactivatedAt }
    })
  } catch (error) {
    if (error instanceof EmailTaken) return 'email_taken'
    if (isUniqueViolation(error, 'payment_systems_name_key')) return 'name_taken'
    throw error
  }
}

/** Rolls the transaction back. */
class EmailTaken extends Error {}

/** Payment systems by number, after the number `after`; all, or those that are active. */
export async function listPaymentSystems(
  db: Database,
  { after, limit, isActive }: { after: number; limit: number; isActive?: true },
): Promise<PaymentSystemRow[]> {
  let query = selectPaymentSystems(db).where('payment_systems.number', '>', after)
  if (isActive) query = query.where('users.deactivated_at', 'is', null)
  const rows = await query.orderBy('payment_systems.number').limit(limit).execute()
  return rows.map(toPaymentSystem)
}

/** A payment system by id (a UUID), active or not. */
export async function findPaymentSystem(
  db: Database,
  id: string,
): Promise<PaymentSystemRow | undefined> {
  const row = await selectPaymentSystems(db)
    .where('payment_systems.user_id', '=', id)
    .executeTakeFirst()
  return row && toPaymentSystem(row)
}

/** A payment system by its name, active or not. */
export async function findPaymentSystemByName(
  db: Database,
  name: string,
): Promise<PaymentSystemRow | undefined> {
  const row = await selectPaymentSystems(db)
    .where('payment_systems.name', '=', name)
    .executeTakeFirst()
  return row && toPaymentSystem(row)
}

/** The number and name of a payment system, by its id (a UUID) or its name. */
export async function findSystemName(
  db: Database,
  by: { id: string } | { name: string },
): Promise<Pick<PaymentSystemRow, 'id' | 'number' | 'name'> | undefined> {
  const query = db.selectFrom('payment_systems').select(['user_id as id', 'number', 'name'])
  return (
    'id' in by ? query.where('user_id', '=', by.id) : query.where('name', '=', by.name)
  ).executeTakeFirst()
}

function selectPaymentSystems(db: Database) {
  return db
    .selectFrom('payment_systems')
    .innerJoin('users', 'users.id', 'payment_systems.user_id')
    .select([
      'users.id',
      'payment_systems.number',
      'payment_systems.name',
      'users.email',
      'users.created_at',
      'users.deactivated_at',
    ])
}

function toPaymentSystem({
  created_at,
  deactivated_at,
  ...row
}: Omit<PaymentSystemRow, 'createdAt' | 'deactivatedAt'> & {
  created_at: Date
  deactivated_at: Date | null
}): PaymentSystemRow {
  return { ...row, createdAt: created_at, deactivatedAt: deactivated_at }
}
