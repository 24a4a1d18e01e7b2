/**
 * The ledger as the outbox: committed transfers in the order of their timestamps. TigerBeetle gives
 * every transfer a higher timestamp than all before it and answers a query with everything committed,
 * so nothing that is read this way can be missed or come later out of order.
 *
 * The running out of a pending transfer is the one thing that leaves no transfer: it is derived from
 * the timestamp and the timeout.
 */
import { QueryFilterFlags, type Transfer } from 'tigerbeetle-node'
import type { ControlCode, TransferCode } from './chart.ts'
import { type Ledger, requestEventsMax } from './client.ts'
import { deadlineOf } from './clock.ts'
import { toUuid, type Uuid } from './ids.ts'
import { type Phase, phaseOf, type StoredOperation, toStored } from './transfers.ts'

export interface TailEntry extends StoredOperation {
  phase: Phase
  /** What a post or void resolves; undefined in other phases. */
  pendingId: Uuid | undefined
  /** When a pending transfer runs out, nanoseconds since 1970; 0 for never and for other phases. */
  deadline: bigint
}

/** A pending transfer that runs out some time. */
export interface Deadline {
  transferId: Uuid
  operationId: Uuid
  code: number
  /** Nanoseconds since 1970. */
  deadline: bigint
}

/** What a reader is told, in the order in which it happened. */
export type TailEvent =
  | ({ kind: 'transfer' } & TailEntry)
  /** A pending transfer has run out at its deadline, which is the event's `timestamp`. */
  | ({ kind: 'expiry'; timestamp: bigint } & Deadline)

export interface TailPage {
  /** Oldest first. */
  entries: TailEntry[]
  /** Everything after the beginning of the page and up to this ledger time (ns) is in it. */
  upTo: bigint
  /** Whether there may be more. */
  isFull: boolean
}

/** The codes a reader wants to hear of. */
export type TailCodes = readonly (TransferCode | ControlCode)[]

/**
 * The transfers of some codes that were committed after a ledger time (ns). Those of one code the ledger
 * finds without reading the others, so a page costs a query a code, and one for the newest transfer
 * of all, which tells up to where all of them have been committed.
 */
export async function readTail(ledger: Ledger, after: bigint, codes: TailCodes): Promise<TailPage> {
  const [newest] = await query(ledger, { after, limit: 1, flags: QueryFilterFlags.reversed })
  if (!newest) return { entries: [], upTo: after, isFull: false }
  const pages = await Promise.all(
    codes.map((code) => query(ledger, { after, upTo: newest.timestamp, code })),
  )
  const cuts = pages.flatMap((page) => (page.length < requestEventsMax ? [] : page.slice(-1)))
  const upTo = earliest([newest, ...cuts])
  const entries = pages
    .flat()
    .filter(({ timestamp }) => timestamp <= upTo)
    .sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1))
    .map(toEntry)
  return { entries, upTo, isFull: cuts.length > 0 }
}

function earliest([first, ...others]: readonly [Transfer, ...Transfer[]]): bigint {
  let { timestamp } = first
  for (const other of others) if (other.timestamp < timestamp) timestamp = other.timestamp
  return timestamp
}

function query(
  ledger: Ledger,
  range: { after: bigint; upTo?: bigint; code?: number; limit?: number; flags?: number },
): Promise<Transfer[]> {
  return ledger.queryTransfers({
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    ledger: 0,
    code: range.code ?? 0,
    timestamp_min: range.after + 1n,
    timestamp_max: range.upTo ?? 0n,
    limit: range.limit ?? requestEventsMax,
    flags: range.flags ?? QueryFilterFlags.none,
  })
}

/** A transfer as what a reader is told of it. */
function toEntry(transfer: Transfer): TailEntry {
  const { timeout, pending_id } = transfer
  return {
    ...toStored(transfer),
    phase: phaseOf(transfer.flags),
    pendingId: pending_id === 0n ? undefined : toUuid(pending_id),
    deadline: timeout === 0 ? 0n : deadlineOf(transfer),
  }
}

export interface DerivedExpiries {
  /** The page's transfers and what has run out meanwhile, in order. */
  events: TailEvent[]
  /** Pending transfers of the page that may still run out. */
  opened: Deadline[]
  /** Transfers that cannot run out any more: they have, or were resolved before. */
  closed: Uuid[]
}

/**
 * Puts what has run out between the transfers of a page. `waiting` are the known pending transfers
 * whose deadline is not after `horizon` (ledger time, ns), up to which everything is in the page. Pure.
 */
export function deriveExpiries(
  entries: readonly TailEntry[],
  waiting: readonly Deadline[],
  horizon: bigint,
): DerivedExpiries {
  const resolved = new Set(entries.map(({ pendingId }) => pendingId))
  const opened = entries.filter(({ deadline }) => deadline > 0n).map(toDeadline)
  const open = [...waiting, ...opened].filter(({ transferId }) => !resolved.has(transferId))
  const expired = open.filter(({ deadline }) => deadline <= horizon)
  const events: TailEvent[] = [
    ...entries.map((entry) => ({ kind: 'transfer', ...entry }) as const),
    ...expired.map((it) => ({ kind: 'expiry', ...it, timestamp: it.deadline }) as const),
  ]
  return {
    events: events.sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1)),
    opened: opened.filter((it) => open.includes(it) && it.deadline > horizon),
    closed: [
      ...entries.flatMap(({ pendingId }) => pendingId ?? []),
      ...expired.map(({ transferId }) => transferId),
    ],
  }
}

function toDeadline({ transferId, operationId, code, deadline }: TailEntry): Deadline {
  return { transferId, operationId, code, deadline }
}
