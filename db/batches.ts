/** Which batch a key was used for. Insert-only. */
import type { Database } from './database.ts'
import type { DescriptionKey } from './descriptions.ts'

/**
 * Keeps the hash of a batch's input, before anything of it is submitted. Answers whether it is the one
 * that is kept: the first that came under this id.
 */
export async function claimBatch(
  db: Database,
  { operationId, inputHash }: DescriptionKey,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('batches')
    .values({ id: operationId, input_hash: BigInt(inputHash) })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  if (numInsertedOrUpdatedRows === 1n) return true
  const first = await db
    .selectFrom('batches')
    .select('input_hash')
    .where('id', '=', operationId)
    .executeTakeFirstOrThrow()
  return first.input_hash === BigInt(inputHash)
}
