/**
 * Reading what has happened: pages of an account's transfers, newest first, with the balance after
 * each. A page is bounded by TigerBeetle timestamps, so that it is stable while new ones arrive.
 */
import { type AccountFilter, AccountFilterFlags } from 'tigerbeetle-node'
import { TransferCode, type TransferKind } from './chart.ts'
import { type Ledger, requestEventsMax } from './client.ts'
import { toLedgerId, type Uuid } from './ids.ts'
import { type Phase, phaseOf, type StoredOperation, toStored } from './transfers.ts'

/** Which transfers of an account: times in nanoseconds since 1970, both inclusive, 0 for no bound. */
export interface HistoryFilter {
  accountId: Uuid
  kind?: TransferKind | undefined
  timestampMin: bigint
  timestampMax: bigint
  /** At most this many entries; at most `requestEventsMax`. */
  limit: number
}

export interface HistoryEntry extends StoredOperation {
  direction: 'in' | 'out'
  phase: Phase
  /** Credits posted less debits posted of the account right after this transfer. */
  balanceAfterMinor: bigint
}

/**
 * A page of an account's transfers, newest first. The account must keep `history` and have a credit
 * balance (a wallet). An account that does not exist has no entries.
 */
export async function readHistory(ledger: Ledger, filter: HistoryFilter): Promise<HistoryEntry[]> {
  const query = toQuery(filter, AccountFilterFlags.debits | AccountFilterFlags.credits)
  if (!query) return []
  const transfers = await ledger.getAccountTransfers(query)
  const newest = transfers.at(0)
  const oldest = transfers.at(-1)
  if (!newest || !oldest) return []
  const balances = await ledger.getAccountBalances({
    ...query,
    timestamp_min: oldest.timestamp,
    timestamp_max: newest.timestamp,
  })
  const balanceAt = new Map(balances.map((balance) => [balance.timestamp, balance]))
  return transfers.map((transfer) => {
    const balance = balanceAt.get(transfer.timestamp)
    if (!balance) throw new Error(`no balance at the time of transfer ${transfer.id}`)
    return {
      ...toStored(transfer),
      phase: phaseOf(transfer.flags),
      direction: transfer.credit_account_id === query.account_id ? 'in' : 'out',
      balanceAfterMinor: balance.credits_posted - balance.debits_posted,
    }
  })
}

/** A page of the operations that debited an account, newest first. */
export async function readDebits(
  ledger: Ledger,
  filter: HistoryFilter,
): Promise<StoredOperation[]> {
  const query = toQuery(filter, AccountFilterFlags.debits)
  return query ? (await ledger.getAccountTransfers(query)).map(toStored) : []
}

/** TigerBeetle's filter, or undefined when no time fits. */
function toQuery(filter: HistoryFilter, sides: number): AccountFilter | undefined {
  const { limit, timestampMin: timestamp_min, timestampMax: timestamp_max } = filter
  if (limit < 1 || limit > requestEventsMax) throw new RangeError(`history limit ${limit}`)
  if (timestamp_max > 0n && timestamp_min > timestamp_max) return undefined
  return {
    account_id: toLedgerId(filter.accountId),
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    code: filter.kind ? TransferCode[filter.kind] : 0,
    timestamp_min,
    timestamp_max,
    limit,
    flags: sides | AccountFilterFlags.reversed,
  }
}
