import type { Deps } from '../../server/deps.ts'
import { followOnce } from '../../server/flows/follow.ts'
import { readModel } from '../../server/flows/read-model.ts'

/** Waits until the read model has all that the ledger has committed, whichever process reads it. */
export async function catchUp(deps: Deps): Promise<void> {
  while ((await followOnce(deps, readModel))?.count !== 0);
}
