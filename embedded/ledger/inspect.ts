import { access } from 'node:fs/promises'
import { audit } from './audit.ts'
import { openFolder } from './folder-storage.ts'
import { lockFolder } from './lock.ts'
import { closeFiles, type Recovered, recover } from './recovery.ts'
import { segmentName } from './segment.ts'

const faultsShown = 20

/**
 * Reads a whole data folder offline without changing it, verifies all checksums and the books, and
 * prints what is in it. Returns whether all was well; throws DamageError when it cannot be read.
 */
export async function inspect(folder: string, print: (line: string) => void): Promise<boolean> {
  await access(folder)
  const storage = await openFolder(folder)
  const unlock = lockFolder(folder)
  try {
    const recovered = await recover({ storage, clock: () => 0n, report: print })
    if (recovered === null) {
      print(`there is no ledger in ${folder}`)
      return false
    }
    const right = show(recovered, print)
    await closeFiles(recovered)
    return right
  } finally {
    unlock()
  }
}

/** Prints what was recovered and whether its books are right; returns that. */
function show(recovered: Recovered, print: (line: string) => void): boolean {
  const { replica, segments, end } = recovered
  const place = `${segmentName(segments[end.index]!.number)}, byte ${end.offset}`
  print(`last op ${end.lastOp} (${place}), ${replica.sessions.size} client sessions`)
  if (end.torn) print('behind it something unfinished, which the next start will cut off')
  const { ledgers, faults } = audit(replica.stateMachine)
  for (const [number, totals] of ledgers) {
    print(`ledger ${number}: ${totals.accounts} accounts, ${totals.transfers} transfers`)
    print(`  posted  debits ${totals.debitsPosted} credits ${totals.creditsPosted}`)
    print(`  pending debits ${totals.debitsPending} credits ${totals.creditsPending}`)
  }
  for (const fault of faults.slice(0, faultsShown)) print(`WRONG: ${fault}`)
  if (faults.length > faultsShown) print(`and ${faults.length - faultsShown} more`)
  print(faults.length === 0 ? 'all checksums and balances are right' : 'the books are wrong')
  return faults.length === 0
}
