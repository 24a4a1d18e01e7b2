import {
  askForReconciliation,
  findReconciliation,
  listReconciliations,
  type StoredReconciliation,
} from '../../db/reconciliations.ts'
import type { Operator } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'

/** Reconciliations that were stored, newest first, from before the number `before` on. */
export async function readReconciliations(
  { db }: Pick<Deps, 'db'>,
  page: { before: bigint | undefined; limit: number },
): Promise<StoredReconciliation[]> {
  return listReconciliations(db, page)
}

/** A reconciliation that was stored. Refusal: reconciliation_not_found. */
export async function readReconciliation(
  { db }: Pick<Deps, 'db'>,
  id: string,
): Promise<StoredReconciliation> {
  const run = await findReconciliation(db, id)
  if (!run) throw new Refusal('reconciliation_not_found')
  return run
}

/**
 * Asks for a reconciliation, which some process carries out as soon as no other one is carried out. While
 * one waits, asking again changes nothing.
 */
export async function requestReconciliation(
  { db }: Pick<Deps, 'db'>,
  operator: Operator,
): Promise<void> {
  await askForReconciliation(db, operator.userId)
}
