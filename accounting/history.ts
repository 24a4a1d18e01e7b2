/**
 * Reading what has happened: pages of an account's transfers with the balance after each. A page is
 * bounded by TigerBeetle timestamps, so that it is stable while new ones arrive.
 */
import { type AccountFilter, AccountFilterFlags } from 'tigerbeetle-node'
import { type ControlCode, TransferCode, type TransferKind } from './chart.ts'
import { type Ledger, requestEventsMax } from './client.ts'
import { toLedgerId, type Uuid } from './ids.ts'
import { readTrail } from './trail.ts'
import { type Phase, phaseOf, type StoredOperation, toStored } from './transfers.ts'

/** A stretch of a list: times in nanoseconds since 1970, both inclusive, 0 for no bound. */
export interface HistoryRange {
  timestampMin: bigint
  timestampMax: bigint
  /** At most this many entries; at most `pageLimit`, and a server may give fewer beyond `requestEventsMax`. */
  limit: number
}

/** Which transfers of an account. */
export interface HistoryFilter extends HistoryRange {
  accountId: Uuid
  kind?: TransferKind | undefined
  oldestFirst?: boolean
}

/** From when until when: ledger times in nanoseconds since 1970, the first inclusive, the last not. */
export interface Period {
  from: bigint
  to: bigint
}

/** How many entries a page may have. */
const pageLimit = 1_000

export interface HistoryEntry extends StoredOperation {
  direction: 'in' | 'out'
  phase: Phase
  /** Credits posted less debits posted of the account right after this transfer. */
  balanceAfterMinor: bigint
}

/**
 * A page of an account's transfers, newest first unless asked otherwise. The account must keep `history`
 * and have a credit balance (a wallet). An account that does not exist has no entries.
 */
export async function readHistory(ledger: Ledger, filter: HistoryFilter): Promise<HistoryEntry[]> {
  const sides = AccountFilterFlags.debits | AccountFilterFlags.credits
  const query = toQuery(filter, sides, filter.kind ? TransferCode[filter.kind] : 0)
  if (!query) return []
  const transfers = await ledger.getAccountTransfers(query)
  const first = transfers.at(0)
  const last = transfers.at(-1)
  if (!first || !last) return []
  const [oldest, newest] = filter.oldestFirst ? [first, last] : [last, first]
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

/** All of an account's transfers within a period, oldest first, in pages. */
export async function* walkHistory(
  ledger: Ledger,
  accountId: Uuid,
  { from, to }: Period,
): AsyncGenerator<HistoryEntry[], void> {
  let timestampMin = from
  while (timestampMin < to) {
    const range = { timestampMin, timestampMax: to - 1n, limit: pageLimit, oldestFirst: true }
    const page = await readHistory(ledger, { accountId, ...range })
    const last = page.at(-1)
    if (!last) return
    yield page
    if (page.length < requestEventsMax) return
    timestampMin = last.timestamp + 1n
  }
}

/** A page of the operations that debited an account, newest first, of one code. */
export async function readDebits(
  ledger: Ledger,
  filter: HistoryRange & { accountId: Uuid; code: TransferCode | ControlCode },
): Promise<StoredOperation[]> {
  const query = toQuery(filter, AccountFilterFlags.debits, filter.code)
  return query ? (await ledger.getAccountTransfers(query)).map(toStored) : []
}

/** The operation of this kind that has happened under an operation id, whatever attempt it took. */
export async function findAttempted(
  ledger: Ledger,
  operationId: Uuid,
  kind: TransferKind,
): Promise<StoredOperation | undefined> {
  const [transfer] = await readTrail(ledger, operationId, { code: TransferCode[kind], limit: 1 })
  return transfer && toStored(transfer)
}

/** TigerBeetle's filter, or undefined when no time fits; code 0 means any. */
function toQuery(
  filter: HistoryRange & Pick<HistoryFilter, 'accountId' | 'oldestFirst'>,
  sides: number,
  code: number,
): AccountFilter | undefined {
  const { limit, timestampMin: timestamp_min, timestampMax: timestamp_max } = filter
  if (limit < 1 || limit > pageLimit) throw new RangeError(`history limit ${limit}`)
  if (timestamp_max > 0n && timestamp_min > timestamp_max) return undefined
  return {
    account_id: toLedgerId(filter.accountId),
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    code,
    timestamp_min,
    timestamp_max,
    limit,
    flags: filter.oldestFirst ? sides : sides | AccountFilterFlags.reversed,
  }
}
