/** Looking accounts and transfers up by their ids, however many, in requests that every server takes. */
import type { Account, Transfer } from 'tigerbeetle-node'
import { type Ledger, requestEventsMax } from './client.ts'

/** Accounts by their ids; one that does not exist is missing. */
export function lookUpAccounts(
  ledger: Ledger,
  ids: readonly bigint[],
): Promise<Map<bigint, Account>> {
  return inParts(ids, (part) => ledger.lookupAccounts(part))
}

/** Transfers by their ids; one that does not exist is missing. */
export function lookUpTransfers(
  ledger: Ledger,
  ids: readonly bigint[],
): Promise<Map<bigint, Transfer>> {
  return inParts(ids, (part) => ledger.lookupTransfers(part))
}

async function inParts<Found extends { id: bigint }>(
  ids: readonly bigint[],
  lookUp: (part: bigint[]) => Promise<Found[]>,
): Promise<Map<bigint, Found>> {
  const found = new Map<bigint, Found>()
  for (let start = 0; start < ids.length; start += requestEventsMax) {
    const part = await lookUp(ids.slice(start, start + requestEventsMax))
    for (const it of part) found.set(it.id, it)
  }
  return found
}
