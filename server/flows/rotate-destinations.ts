import type { DescriptionKey } from '../../db/descriptions.ts'
import { findOtherDestinations, replaceDestination } from '../../db/withdrawals.ts'
import type { Deps } from '../deps.ts'

const batchMax = 500

/**
 * Encrypts with the newest key what an older one has encrypted. Answers how many there were. Throws when
 * a key is missing; what was done until then stays done.
 */
export async function rotateDestinations({
  db,
  destinations,
}: Pick<Deps, 'db' | 'destinations'>): Promise<number> {
  const { beginning } = destinations
  let count = 0
  let after: DescriptionKey = { operationId: '00000000-0000-0000-0000-000000000000', inputHash: 0 }
  for (;;) {
    const batch = await findOtherDestinations(db, { beginning, after, limit: batchMax })
    for (const stored of batch) {
      const text = destinations.decrypt(stored.operationId, stored.destination)
      const destination = destinations.encrypt(stored.operationId, text)
      await replaceDestination(db, { ...stored, destination })
    }
    count += batch.length
    const last = batch.at(-1)
    if (!last) return count
    after = last
  }
}
