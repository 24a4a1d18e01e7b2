import { openFolder } from './folder-storage.ts'
import { recover } from './ledger.ts'
import { lockFolder } from './lock.ts'

/**
 * Reads a whole data folder offline without changing it, verifies all checksums, and prints what is
 * in it. Returns whether all was well.
 */
export async function inspect(folder: string, print: (line: string) => void): Promise<boolean> {
  const storage = await openFolder(folder)
  const unlock = lockFolder(folder)
  try {
    const recovered = await recover({ storage, clock: () => 0n, report: print })
    if (recovered === null) print('no ledger here')
    return recovered !== null
  } finally {
    unlock()
  }
}
