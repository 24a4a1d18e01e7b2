import { Refusal } from '../refusals.ts'

/**
 * Carries out what a payment system names by a reference of its own. A reference that was used before is
 * told so, whatever else is wrong now: `findOriginal` answers what happened under it, or why this is
 * something else, or undefined when nothing has happened.
 */
export async function byReference<T>(
  carryOut: () => Promise<T>,
  findOriginal: () => Promise<T | Refusal | undefined>,
): Promise<T> {
  try {
    return await carryOut()
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'outcome_unknown') throw error
    if (error.code === 'reference_reused') throw error
    const original = await findOriginal()
    if (original === undefined || original instanceof Refusal) throw original ?? error
    return original
  }
}
