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
import { findChainEnd, scanChains } from '../../accounting/chains.ts'
import { readLedgerTime } from '../../accounting/clock.ts'
import { readPaymentSystemNumbers } from '../../db/record-pages.ts'
import { readSnapshot } from '../../db/snapshot.ts'
import { readCursor } from '../../db/tail.ts'
import { fromLedgerTime, toLedgerTime } from '../flows/ledger-time.ts'
import { readModel } from '../flows/read-model.ts'
import { learnCurrencies } from './currencies.ts'
import type { Pass, PassContext, PassResult, Progress } from './pass.ts'
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
  operationOf,
  type RecordBreak,
  type RecordCheck,
  type RecordContext,
  rememberClearing,
  type Seen,
  toBreak,
} from './records/context.ts'
import { deposits } from './records/deposits.ts'
import { exchanges } from './records/exchanges.ts'
import { fees } from './records/fees.ts'
import { type RecordBreakKind, recordBreakKinds } from './records/kinds.ts'
import { paymentRequests } from './records/payment-requests.ts'
import { followReadModel } from './records/read-model.ts'
import { returns } from './records/returns.ts'
import { watchClosings } from './records/standing.ts'
import { withdrawals } from './records/withdrawals.ts'
import { scopeSince } from './since.ts'

export interface RecordsOptions {
  /** Only what the ledger has committed after this time (ns since 1970); it is compared with all rows. */
  since?: bigint
  /** After which time what recovery finishes is a break. */
  settleMs?: number
}

/** Recovery runs every minute and leaves alone what is younger than one. */
const settleMsDefault = 10 * 60_000
/**
 * Before the moment of a checkpoint this much is compared again: what recovery had not finished and the read
 * model had not read yet was not judged then. Clocks may differ by what is more than `settleMsDefault`.
 */
const overlapMs = 15 * 60_000
/** Further breaks of a kind are counted only. */
const breaksPerKindMax = 1_000

/** Compares PostgreSQL with the ledger, or with what the ledger has come to since a checkpoint. */
export const recordsPass: Pass<RecordBreakKind> = {
  name: 'records',
  kinds: recordBreakKinds,
  async run(context, progress) {
    const { ledger, since } = context
    if (!since) return reconcileRecords(context, progress)
    const from = since.moment - toLedgerTime(overlapMs)
    const result = await reconcileRecords(context, progress, {
      since: await findChainEnd(ledger, from),
    })
    return { ...result, ...scopeSince(since) }
  },
}

/**
 * Compares PostgreSQL with the ledger, without writing anything into either.
 * Rejects when a part of it could not be compared, with LedgerUnavailable, LedgerOutcomeUnknown or the
 * error of PostgreSQL: then nothing is known.
 */
export async function reconcileRecords(
  { db, ledger, nowMs }: PassContext,
  progress: Progress = () => {},
  { since = 0n, settleMs = settleMsDefault }: RecordsOptions = {},
): Promise<PassResult<RecordBreakKind>> {
  const ledgerTime = await readLedgerTime(ledger)
  return readSnapshot(db, async (trx) => {
    // Own assets that were registered by another process.
    await learnCurrencies(trx)
    const { ledgerTime: cursor } = await readCursor(trx, readModel.name)
    // What the read model has read was committed before the snapshot, too.
    const upTo = latest(cursor, ledgerTime)
    const paymentSystems = await readPaymentSystemNumbers(trx)
    const findings = collect()
    const context: RecordContext = {
      trx,
      ledger,
      range: { after: since, upTo },
      settledBefore: new Date(nowMs() - settleMs),
      paymentSystems,
      clearingOf: rememberClearing(paymentSystems),
      report: findings.report,
    }
    const closed = new Set<bigint>()
    const checks = [...statelessChecks, watchClosings(closed), followReadModel(cursor)]
    const transfers = await compareChains(context, checks, progress)
    await compareAccounts(context)
    const wallets = await compareWallets(context, closed)
    const declines = await compareDeclines(context)
    const payrollRows = await comparePayrolls(context)
    await compareUnfinished(context)
    await compareEffects(context)
    const { breaks, omitted } = findings
    const counts = { transfers, wallets, declines, 'payroll rows': payrollRows }
    return { counts, asOf: fromLedgerTime(upTo), totals: [], breaks, omitted }
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
  progress: Progress,
): Promise<number> {
  const waiting = checks.map((check) => ({ check, seen: [] as Seen[] }))
  const byCode = new Map<number, Seen[][]>()
  for (const { check, seen } of waiting) {
    for (const code of check.codes) byCode.set(code, [...(byCode.get(code) ?? []), seen])
  }
  const { upTo } = context.range
  let first: bigint | undefined
  let count = 0
  for await (const chains of scanChains(context.ledger, context.range)) {
    let at = upTo
    for (const chain of chains) {
      for (const transfer of chain) {
        count += 1
        at = transfer.timestamp
        const wanted = byCode.get(transfer.code)
        if (!wanted) continue
        const seen = { transfer, operationId: operationOf(transfer), chain }
        for (const list of wanted) list.push(seen)
      }
    }
    for (const { check, seen } of waiting) {
      // Emptied in place: it is the same list that transfers are put into.
      if (seen.length > 0) await check.compare(context, seen.splice(0))
    }
    first ??= at
    const part = upTo > first ? Number(((at - first) * 1_000n) / (upTo - first)) / 1_000 : 1
    progress(part, `${count} transfers`)
  }
  for (const { check } of waiting) await check.finish?.(context)
  return count
}

/** Keeps the first breaks of each kind, each subject once, and counts the others. */
function collect() {
  const breaks: RecordBreak[] = []
  const known = new Set<string>()
  const kept: Partial<Record<RecordBreakKind, number>> = {}
  const omitted: Partial<Record<RecordBreakKind, number>> = {}

  function report(found: Found): void {
    const { kind } = found
    const name = `${kind} ${found.subject}`
    if (known.has(name)) return
    if ((kept[kind] ?? 0) >= breaksPerKindMax) {
      omitted[kind] = (omitted[kind] ?? 0) + 1
      return
    }
    known.add(name)
    kept[kind] = (kept[kind] ?? 0) + 1
    breaks.push(toBreak(found))
  }

  return { breaks, omitted, report }
}

const latest = (a: bigint, b: bigint): bigint => (a > b ? a : b)
