/** What the ledger has of one object: all transfers that carry its id in `user_data_128`. */
import { QueryFilterFlags, type Transfer } from 'tigerbeetle-node'
import type { ControlCode, TransferCode } from './chart.ts'
import { type Ledger, requestEventsMax } from './client.ts'
import { toLedgerId, type Uuid } from './ids.ts'

export interface TrailOptions {
  /** Only transfers of this code. */
  code?: TransferCode | ControlCode
  /** At most `requestEventsMax`, which is also the default. */
  limit?: number
  newestFirst?: true
}

/** An object's transfers, oldest first unless asked otherwise. */
export async function readTrail(
  ledger: Ledger,
  objectId: Uuid,
  { code, limit, newestFirst }: TrailOptions = {},
): Promise<Transfer[]> {
  const user_data_128 = toLedgerId(objectId)
  // To TigerBeetle 0 means whatever object.
  if (user_data_128 === 0n) return []
  return ledger.queryTransfers({
    user_data_128,
    user_data_64: 0n,
    user_data_32: 0,
    ledger: 0,
    code: code ?? 0,
    timestamp_min: 0n,
    timestamp_max: 0n,
    limit: limit ?? requestEventsMax,
    flags: newestFirst ? QueryFilterFlags.reversed : QueryFilterFlags.none,
  })
}
