/** The ledger's own clock, which decides what has run out. */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import type { Ledger } from './client.ts'

export const nsPerSecond = 1_000_000_000n

/** When a pending transfer that has a timeout runs out, nanoseconds since 1970. */
export function deadlineOf({
  timestamp,
  timeout,
}: Pick<Transfer, 'timestamp' | 'timeout'>): bigint {
  return timestamp + BigInt(timeout) * nsPerSecond
}

/**
 * The ledger's time, nanoseconds since 1970: everything that is committed with an earlier timestamp can
 * be read from now on. TigerBeetle has no call that tells it, but each event has its time, also one
 * that is refused: a transfer without an id, which changes nothing and burns nothing.
 * Rejects with LedgerUnavailable or LedgerOutcomeUnknown.
 */
export async function readLedgerTime(ledger: Ledger): Promise<bigint> {
  const [result] = await ledger.createTransfers([
    {
      id: 0n,
      debit_account_id: 0n,
      credit_account_id: 0n,
      amount: 0n,
      pending_id: 0n,
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      timeout: 0,
      ledger: 0,
      code: 0,
      flags: TransferFlags.none,
      timestamp: 0n,
    },
  ])
  if (!result) throw new Error('the ledger did not answer a transfer without an id')
  return result.timestamp
}
