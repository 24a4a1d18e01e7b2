/**
 * The ledger as the outbox: all committed transfers in the order of their timestamps. TigerBeetle gives
 * every transfer a higher timestamp than all before it and answers a query with everything committed,
 * so nothing that is read this way can be missed or come later out of order.
 *
 * The running out of a pending transfer is the one thing that leaves no transfer: it is derived from
 * the timestamp and the timeout.
 */
import { QueryFilterFlags } from 'tigerbeetle-node'
import type { TransferCode } from './chart.ts'
import { type Ledger, requestEventsMax } from './client.ts'
import { type Phase, phaseOf, type StoredOperation, toStored } from './transfers.ts'

export interface TailEntry extends StoredOperation {
  phase: Phase
  /** When a pending transfer runs out, nanoseconds since 1970; 0 for never and for other phases. */
  deadline: bigint
}

const nsPerSecond = 1_000_000_000n

/**
 * Transfers committed after a timestamp (ns), oldest first, at most `requestEventsMax`: all, or those of one
 * code, which the ledger finds without reading the others.
 */
export async function readTail(
  ledger: Ledger,
  after: bigint,
  code?: TransferCode,
): Promise<TailEntry[]> {
  const transfers = await ledger.queryTransfers({
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    ledger: 0,
    code: code ?? 0,
    timestamp_min: after + 1n,
    timestamp_max: 0n,
    limit: requestEventsMax,
    flags: QueryFilterFlags.none,
  })
  return transfers.map((transfer) => ({
    ...toStored(transfer),
    phase: phaseOf(transfer.flags),
    deadline:
      transfer.timeout === 0 ? 0n : transfer.timestamp + BigInt(transfer.timeout) * nsPerSecond,
  }))
}
