/** Looking accounts and transfers up by their ids, however many, in requests that every server takes. */
import type { Account, Transfer } from 'tigerbeetle-node'
import { type Ledger, RequestTooLarge } from './client.ts'

/** Accounts by their ids; one that does not exist is missing. */
export function lookUpAccounts(
  ledger: Ledger,
  ids: readonly bigint[],
): Promise<Map<bigint, Account>> {
  return inParts(ledger, ids, (part) => ledger.lookupAccounts(part))
}

/** Transfers by their ids; one that does not exist is missing. */
export function lookUpTransfers(
  ledger: Ledger,
  ids: readonly bigint[],
): Promise<Map<bigint, Transfer>> {
  return inParts(ledger, ids, (part) => ledger.lookupTransfers(part))
}

async function inParts<Found extends { id: bigint }>(
  ledger: Ledger,
  ids: readonly bigint[],
  lookUp: (part: bigint[]) => Promise<Found[]>,
): Promise<Map<bigint, Found>> {
  const found = new Map<bigint, Found>()
  for (let start = 0; start < ids.length; ) {
    const part = ids.slice(start, start + ledger.largestRequest())
    try {
      for (const it of await lookUp(part)) found.set(it.id, it)
      start += part.length
    } catch (error) {
      // Larger than was known to be possible: from now on smaller ones are sent.
      const isNews = error instanceof RequestTooLarge && part.length > ledger.largestRequest()
      if (!isNews) throw error
    }
  }
  return found
}
