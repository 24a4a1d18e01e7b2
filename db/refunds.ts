/** What describes refunds: which payment each gives back, and why. Insert-only. */
import type { Database } from './database.ts'
import { type DescriptionKey, isAmong } from './descriptions.ts'

export interface RefundDescription extends DescriptionKey {
  /** The payment or capture that is given back. */
  transferId: string
  reason: string | null
}

/** Keeps what describes a refund; the same key again changes nothing. It comes before the refund. */
export async function insertRefund(db: Database, refund: RefundDescription): Promise<void> {
  await db
    .insertInto('refunds')
    .values({
      id: refund.operationId,
      input_hash: BigInt(refund.inputHash),
      transfer_id: refund.transferId,
      reason: refund.reason,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** What describes refunds, by operation id. */
export async function findRefunds(
  db: Database,
  keys: readonly DescriptionKey[],
): Promise<Map<string, RefundDescription>> {
  if (keys.length === 0) return new Map()
  const rows = await db
    .selectFrom('refunds')
    .select(['id', 'input_hash', 'transfer_id', 'reason'])
    .where(
      'id',
      'in',
      keys.map((key) => key.operationId),
    )
    .execute()
  const refunds = rows.map((row) => ({
    operationId: row.id,
    inputHash: Number(row.input_hash),
    transferId: row.transfer_id,
    reason: row.reason,
  }))
  const matching = refunds.filter(isAmong(keys))
  return new Map(matching.map((refund) => [refund.operationId, refund]))
}
