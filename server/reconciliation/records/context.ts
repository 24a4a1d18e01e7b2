/** What the comparisons between PostgreSQL and the ledger work with. */

import { clearingAccount } from '../../../accounting/accounts.ts'
import { type Asset, findLedger } from '../../../accounting/chart.ts'
import type { Ledger } from '../../../accounting/client.ts'
import { toLedgerId, toUuid, type Uuid } from '../../../accounting/ids.ts'
import type { Chain } from '../../../accounting/legs.ts'
import { lookUpTransfers } from '../../../accounting/lookup.ts'
import type { ScanRange } from '../../../accounting/scan.ts'
import { attemptId } from '../../../accounting/transfers.ts'
import type { Database } from '../../../db/database.ts'
import { countBurntAttempts } from '../../../db/record-rows.ts'
import { fromLedgerTime } from '../../flows/ledger-time.ts'
import type { Break } from '../break.ts'
import type { RecordBreakKind } from './kinds.ts'

export type RecordBreak = Break<RecordBreakKind>

export interface RecordContext {
  /** A snapshot of PostgreSQL, taken after the end of the range. */
  readonly trx: Database
  readonly ledger: Ledger
  /** What of the ledger is compared. */
  readonly range: ScanRange
  /** What is unfinished since before this moment is a break. */
  readonly settledBefore: Date
  /** The numbers of payment systems, by id. */
  readonly paymentSystems: ReadonlyMap<string, number>
  /** The clearing account of a payment system, by id; undefined when there is no such system. */
  clearingOf(paymentSystemId: string, asset: Asset): bigint | undefined
  report(found: Found): void
}

/** A break as a comparison tells it. */
export interface Found {
  kind: RecordBreakKind
  subject: string
  ledgerIds?: readonly bigint[]
  recordIds?: readonly string[]
  /** Minor units of an asset. */
  amounts?: { asset: Asset | undefined; expected?: bigint; found?: bigint }
  /** Ledger time (ns since 1970), or when a row was written. */
  since: bigint | Date
  detail: string
}

/** A transfer of the chain that it was committed in. */
export interface Seen {
  transfer: Transfer
  /** The object that it belongs to. */
  operationId: Uuid
  chain: Chain
}

export type Transfer = Chain[number]

/** Compares transfers of some codes with what PostgreSQL tells of them, a page of the ledger at a time. */
export interface RecordCheck {
  codes: readonly number[]
  compare(context: RecordContext, seen: readonly Seen[]): Promise<void>
  /** Called once, after everything was compared. */
  finish?(context: RecordContext): Promise<void>
}

/** The object that a transfer belongs to. */
export const operationOf = (transfer: Transfer): Uuid => toUuid(transfer.user_data_128)

/** The key of the row that describes a transfer. */
export const inputOf = ({ operationId, transfer }: Seen): string =>
  `${operationId}/${transfer.user_data_32}`

/** A finding in the shape that all passes have. */
export function toBreak(found: Found): RecordBreak {
  const { kind, subject, ledgerIds = [], recordIds = [], amounts, since, detail } = found
  return {
    kind,
    subject,
    ledgerIds: ledgerIds.map(toUuid),
    recordIds,
    statementLines: [],
    ...(amounts?.asset && { currency: amounts.asset.currency }),
    ...(amounts?.expected !== undefined && { expected: amounts.expected }),
    ...(amounts?.found !== undefined && { found: amounts.found }),
    since: since instanceof Date ? since : fromLedgerTime(since),
    detail,
  }
}

/** Remembers the clearing accounts of payment systems: there are few, and each is needed often. */
export function rememberClearing(
  paymentSystems: ReadonlyMap<string, number>,
): RecordContext['clearingOf'] {
  const known = new Map<string, bigint>()
  return (paymentSystemId, asset) => {
    const number = paymentSystems.get(paymentSystemId)
    if (number === undefined) return undefined
    const name = `${number} ${asset.ledger}`
    const found = known.get(name) ?? toLedgerId(clearingAccount(number, asset).id)
    known.set(name, found)
    return found
  }
}

/** What a transfer moved, for a break that is about its amount or about where it went. */
export function amountsOf(transfer: Transfer, expected?: bigint): NonNullable<Found['amounts']> {
  const asset = findLedger(transfer.ledger)?.asset
  return { asset, found: transfer.amount, ...(expected !== undefined && { expected }) }
}

/** Where a break about a transfer is, and about how much. */
export const placeOf = (transfer: Transfer) => ({
  subject: operationOf(transfer),
  ledgerIds: [transfer.id],
  amounts: amountsOf(transfer),
  since: transfer.timestamp,
})

/** More attempts than this at one operation are not looked for. */
const attemptsMax = 1_000

/**
 * What is wrong with the ids of operations that may be tried again and succeed once (deposits, reversals):
 * one that is no attempt's id was not made by Kassa, and all attempts before have not happened. By the
 * transfer's id; nothing of most of them, which are first attempts.
 */
export async function findFalseAttempts(
  { trx, ledger }: RecordContext,
  seen: readonly Seen[],
): Promise<Map<bigint, string>> {
  const others = seen.filter((it) => it.transfer.id !== toAttempt(it, 0))
  const faults = new Map<bigint, string>()
  if (others.length === 0) return faults
  const burnt = await countBurntAttempts(
    trx,
    others.map(({ operationId }) => operationId),
  )
  const earlier = new Map<bigint, bigint>()
  for (const other of others) {
    const { id } = other.transfer
    const last = (burnt.get(other.operationId) ?? 0) + attemptsMax
    const before: bigint[] = []
    let attempt = 0
    for (; attempt <= last && toAttempt(other, attempt) !== id; attempt += 1) {
      before.push(toAttempt(other, attempt))
    }
    if (attempt > last) faults.set(id, 'it was not booked under an id that Kassa gives it')
    else for (const earlierId of before) earlier.set(earlierId, id)
  }
  for (const [id] of await lookUpTransfers(ledger, [...earlier.keys()])) {
    faults.set(earlier.get(id)!, `it was booked before, as ${toUuid(id)}`)
  }
  return faults
}

const toAttempt = ({ operationId }: Seen, attempt: number): bigint =>
  toLedgerId(attemptId(operationId, attempt))
