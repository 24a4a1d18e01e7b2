/** What payment systems told when they took deposits back. Insert-only. */
import type { Database } from './database.ts'
import { type DescriptionKey, isAmong } from './descriptions.ts'

export interface ReversalDescription extends DescriptionKey {
  paymentSystemId: string
  depositId: string
  reference: string
  reason: string
}

/** A description with the name of the payment system. */
export interface NamedReversal extends ReversalDescription {
  paymentSystemName: string
}

/** Keeps what was told about a reversal, before it is tried; the first telling of an input stays. */
export async function keepReversal(db: Database, reversal: ReversalDescription): Promise<void> {
  await db
    .insertInto('reversals')
    .values({
      id: reversal.operationId,
      input_hash: BigInt(reversal.inputHash),
      payment_system_id: reversal.paymentSystemId,
      deposit_id: reversal.depositId,
      reference: reversal.reference,
      reason: reversal.reason,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** What was told about reversals, by operation id. */
export async function findReversals(
  db: Database,
  keys: readonly DescriptionKey[],
): Promise<Map<string, NamedReversal>> {
  if (keys.length === 0) return new Map()
  const ids = keys.map((key) => key.operationId)
  const rows = await db
    .selectFrom('reversals')
    .innerJoin('payment_systems', 'payment_systems.user_id', 'reversals.payment_system_id')
    .selectAll('reversals')
    .select('payment_systems.name')
    .where('reversals.id', 'in', ids)
    .execute()
  const reversals = rows.map((row) => ({
    operationId: row.id,
    inputHash: Number(row.input_hash),
    paymentSystemId: row.payment_system_id,
    paymentSystemName: row.name,
    depositId: row.deposit_id,
    reference: row.reference,
    reason: row.reason,
  }))
  return new Map(
    reversals.filter(isAmong(keys)).map((reversal) => [reversal.operationId, reversal]),
  )
}
