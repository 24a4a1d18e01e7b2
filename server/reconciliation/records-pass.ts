/**
 * PostgreSQL against the ledger, both ways: what the ledger has is described by the rows that Kassa writes
 * before it asks, and what rows say of the ledger is so. docs/reconciliation-records.md tells what each
 * row claims.
 *
 * It may run while money moves. The ledger is asked for its time first, and then PostgreSQL is read as it
 * is at one moment: whatever the ledger had committed before was described before, so that its rows are
 * seen. What is written after the ledger has decided is looked up in the ledger later still. What recovery
 * finishes is a break only after the time that it takes.
 */

import { readChains } from '../../accounting/chains.ts'
import { addOwnAsset } from '../../accounting/chart.ts'
import type { Ledger } from '../../accounting/client.ts'
import { readLedgerTime } from '../../accounting/clock.ts'
import { listCurrencies } from '../../db/currencies.ts'
import type { Database } from '../../db/database.ts'
import { readPaymentSystemNumbers } from '../../db/record-pages.ts'
import { readSnapshot } from '../../db/snapshot.ts'
import { readCursor } from '../../db/tail.ts'
import { readModel } from '../flows/read-model.ts'
import { compareAccounts, compareWallets } from './records/accounts.ts'
import { approvals } from './records/approvals.ts'
import {
  compareDeclines,
  compareEffects,
  comparePayrolls,
  compareUnfinished,
} from './records/claims.ts'
import {
  type Found,
  type RecordBreak,
  type RecordCheck,
  type RecordContext,
  type Seen,
  toBreak,
} from './records/context.ts'
import { deposits } from './records/deposits.ts'
import { exchanges } from './records/exchanges.ts'
import { fees } from './records/fees.ts'
import { paymentRequests } from './records/payment-requests.ts'
import { followReadModel } from './records/read-model.ts'
import { returns } from './records/returns.ts'
import { watchClosings } from './records/standing.ts'
import { withdrawals } from './records/withdrawals.ts'

export interface RecordsDeps {
  db: Database
  ledger: Ledger
  /** The clock; milliseconds since 1970. */
  nowMs: () => number
}

export interface RecordsOptions {
  /** Only what the ledger has committed after this time (ns since 1970), which is compared with all rows. */
  since?: bigint
  /** After which time what recovery finishes is a break. */
  settleMs?: number
  /** Is told how many transfers were compared so far, and up to which ledger time (ns). */
  onProgress?: (transfers: number, upTo: bigint) => void
}

export interface RecordsResult {
  /** Everything that the ledger had committed until then was compared (ns since 1970). */
  moment: bigint
  transfers: number
  breaks: readonly RecordBreak[]
  /** How many more breaks there are than are told. */
  breaksLeftOut: number
}

/** Recovery runs every minute and leaves alone what is younger than one. */
const settleMsDefault = 10 * 60_000
/** More breaks than these are counted only. */
const breaksMax = 10_000

/**
 * Compares PostgreSQL with the ledger, without writing anything into either.
 * Rejects when a part of it could not be compared: with LedgerUnavailable, LedgerOutcomeUnknown or the
 * error of PostgreSQL. Then nothing is known.
 */
export async function reconcileRecords(
  { db, ledger, nowMs }: RecordsDeps,
  { since = 0n, settleMs = settleMsDefault, onProgress = () => {} }: RecordsOptions = {},
): Promise<RecordsResult> {
  const ledgerTime = await readLedgerTime(ledger)
  return readSnapshot(db, async (trx) => {
    // Own assets that were registered by another process.
    for (const asset of await listCurrencies(trx)) if (asset.isOwn) addOwnAsset(asset)
    const { ledgerTime: cursor } = await readCursor(trx, readModel.name)
    // What the read model has read was committed before the snapshot, too.
    const moment = latest(cursor, ledgerTime)
    const found = collect()
    const context: RecordContext = {
      trx,
      ledger,
      range: { after: since, upTo: moment },
      settledBefore: new Date(nowMs() - settleMs),
      paymentSystems: await readPaymentSystemNumbers(trx),
      report: found.report,
    }
    const closed = new Set<bigint>()
    const checks = [...statelessChecks, watchClosings(closed), followReadModel(cursor)]
    const transfers = await compareChains(context, checks, onProgress)
    await compareAccounts(context)
    await compareWallets(context, closed)
    await compareDeclines(context)
    await comparePayrolls(context)
    await compareUnfinished(context)
    await compareEffects(context)
    return { moment, transfers, breaks: found.breaks, breaksLeftOut: found.leftOut() }
  })
}

const statelessChecks: readonly RecordCheck[] = [
  deposits,
  withdrawals,
  paymentRequests,
  returns,
  exchanges,
  approvals,
  fees,
]

/** Hands each check the transfers of its codes, a page at a time; answers how many transfers there are. */
async function compareChains(
  context: RecordContext,
  checks: readonly RecordCheck[],
  onProgress: NonNullable<RecordsOptions['onProgress']>,
): Promise<number> {
  const waiting = checks.map((check) => ({ check, seen: [] as Seen[] }))
  const byCode = new Map<number, Seen[][]>()
  for (const { check, seen } of waiting) {
    for (const code of check.codes) byCode.set(code, [...(byCode.get(code) ?? []), seen])
  }
  let count = 0
  for await (const chains of readChains(context.ledger, context.range)) {
    let upTo = 0n
    for (const chain of chains) {
      for (const transfer of chain) {
        count += 1
        upTo = transfer.timestamp
        const wanted = byCode.get(transfer.code)
        if (wanted) for (const seen of wanted) seen.push({ transfer, chain })
      }
    }
    for (const { check, seen } of waiting) {
      // Emptied in place: it is the same list that transfers are put into.
      if (seen.length > 0) await check.compare(context, seen.splice(0))
    }
    onProgress(count, upTo)
  }
  for (const { check } of waiting) await check.finish?.(context)
  return count
}

/** Keeps the first breaks, each subject once of a kind, and counts the others. */
function collect() {
  const breaks: RecordBreak[] = []
  const known = new Set<string>()
  let leftOut = 0

  function report(found: Found): void {
    const name = `${found.kind} ${found.subject}`
    if (known.has(name)) return
    if (breaks.length === breaksMax) {
      leftOut += 1
      return
    }
    known.add(name)
    breaks.push(toBreak(found))
  }

  return { breaks, report, leftOut: () => leftOut }
}

const latest = (a: bigint, b: bigint): bigint => (a > b ? a : b)
