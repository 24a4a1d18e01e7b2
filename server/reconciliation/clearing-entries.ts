/**
 * What a payment system's clearing account did, with the references under which the outside knows it:
 * the ledger's half of the comparison with a bank statement.
 */
import type { AccountPlan } from '../../accounting/accounts.ts'
import { assetOfLedger, TransferCode } from '../../accounting/chart.ts'
import { type ClearingMovement, readClearing } from '../../accounting/clearing.ts'
import type { Ledger } from '../../accounting/client.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { readReturnUses } from '../../accounting/returnable.ts'
import { findApprovalBodies } from '../../db/approvals.ts'
import type { Database } from '../../db/database.ts'
import { findDepositReferences } from '../../db/descriptions.ts'
import { findReversals, type ReversalDescription } from '../../db/reversals.ts'
import { findWithdrawalOutcomes } from '../../db/withdrawals.ts'
import type { Day } from './statement.ts'

/** A posted transfer of a clearing account. */
export interface ClearingEntry {
  transferId: Uuid
  /** Rows in PostgreSQL that tell of it: `table:key`. */
  recordIds: readonly string[]
  /** TigerBeetle's code of the transfer. */
  code: number
  currency: string
  /** Minor units; money that came in is positive. */
  amountMinor: bigint
  /** When it happened outside, if that was told, and else when the ledger committed it. */
  day: Day
  /** Both of these days, or the one. */
  days: readonly Day[]
  at: Date
  /** The one that is its own is the first; others name what it belongs to. */
  references: readonly string[]
}

interface Described {
  recordIds: string[]
  references: (string | null | undefined)[]
}

type EntryDeps = { db: Database; ledger: Ledger }

/** Entries of an account between two ledger times (ns, both inclusive), oldest first, in pages. */
export async function* readEntries(
  deps: EntryDeps,
  account: AccountPlan,
  range: { from: bigint; upTo: bigint },
  dayOf: (at: Date) => Day,
): AsyncGenerator<ClearingEntry[], void> {
  for await (const movements of readClearing(deps.ledger, account, range)) {
    const told = await describe(deps, account, movements)
    yield movements.map((movement) => toEntry(movement, told.get(movement.transferId), dayOf))
  }
}

const toDate = (ns: bigint): Date => new Date(Number(ns / 1_000_000n))

function toEntry(
  { transferId, code, ledger, signedMinor, occurredAt, timestamp }: ClearingMovement,
  { recordIds, references }: Described = { recordIds: [], references: [] },
  dayOf: (at: Date) => Day,
): ClearingEntry {
  const at = toDate(occurredAt || timestamp)
  const days = [at, toDate(timestamp)].map(dayOf)
  return {
    transferId,
    recordIds,
    code,
    currency: assetOfLedger(ledger).currency,
    amountMinor: signedMinor,
    day: days[0]!,
    days: [...new Set(days)],
    at,
    references: [...new Set(references.filter((reference) => reference != null))],
  }
}

/** What PostgreSQL tells of a page of movements, by the transfer's id. */
async function describe(
  deps: EntryDeps,
  account: AccountPlan,
  movements: readonly ClearingMovement[],
): Promise<Map<Uuid, Described>> {
  const parts = await Promise.all([
    describeDeposits(deps, movements.filter(isOf('deposit', 'suspense'))),
    describeReturns(deps, account, movements.filter(isOf('suspense_return'))),
    describeChargebacks(deps, movements.filter(isOf('chargeback'))),
    describeWithdrawals(deps, movements.filter(isOf('withdrawal'))),
    describeAdjustments(
      deps,
      movements.filter(
        isOf('settlement', 'prefunding', 'payment_system_fee', 'payment_system_income'),
      ),
    ),
  ])
  return new Map(parts.flat())
}

const isOf = (...kinds: (keyof typeof TransferCode)[]) => {
  const codes: ReadonlySet<number> = new Set(kinds.map((kind) => TransferCode[kind]))
  return ({ code }: ClearingMovement) => codes.has(code)
}

type Descriptions = [Uuid, Described][]

/** A deposit has the reference of the payment system. */
async function describeDeposits(
  { db }: EntryDeps,
  deposits: readonly ClearingMovement[],
): Promise<Descriptions> {
  const ids = deposits.map(({ operationId }) => operationId)
  const references = await findDepositReferences(db, ids)
  return deposits.map(({ transferId, operationId }) => [
    transferId,
    { recordIds: [`deposits:${operationId}`], references: [references.get(operationId)] },
  ])
}

/** A return from suspense carries the deposit's id; when a reversal has caused it, that has its own reference. */
async function describeReturns(
  deps: EntryDeps,
  { asset }: AccountPlan,
  returns: readonly ClearingMovement[],
): Promise<Descriptions> {
  const deposits = new Map(await describeDeposits(deps, returns))
  const found: Descriptions = []
  for (const { transferId, operationId, amountMinor } of returns) {
    const whole = { operationId, amountMinor, asset }
    const all = { timestampMin: 0n, timestampMax: 0n, limit: 1 }
    const [use] = await readReturnUses(deps.ledger, whole, all)
    const reversals = use ? await findReversals(deps.db, [use]) : new Map()
    const deposit = deposits.get(transferId)!
    found.push([transferId, use ? withReversal(deposit, reversals.get(use.operationId)) : deposit])
  }
  return found
}

/** A charge-back has a reference of its own, and belongs to a deposit that has one. */
async function describeChargebacks(
  { db }: EntryDeps,
  chargebacks: readonly ClearingMovement[],
): Promise<Descriptions> {
  const reversals = await findReversals(db, chargebacks)
  const ids = [...reversals.values()].map(({ depositId }) => depositId)
  const references = await findDepositReferences(db, ids)
  return chargebacks.map(({ transferId, operationId }) => {
    const reversal = reversals.get(operationId)
    const deposit = {
      recordIds: reversal ? [`deposits:${reversal.depositId}`] : [],
      references: [reversal && references.get(reversal.depositId)],
    }
    return [transferId, withReversal(deposit, reversal)]
  })
}

function withReversal(deposit: Described, reversal: ReversalDescription | undefined): Described {
  if (!reversal) return deposit
  return {
    recordIds: [`reversals:${reversal.operationId}`, ...deposit.recordIds],
    references: [reversal.reference, ...deposit.references],
  }
}

/** A withdrawal has the reference by which it was confirmed; its own id is what Kassa calls it. */
async function describeWithdrawals(
  { db }: EntryDeps,
  withdrawals: readonly ClearingMovement[],
): Promise<Descriptions> {
  const outcomes = await findWithdrawalOutcomes(db, withdrawals)
  return withdrawals.map(({ transferId, operationId }) => [
    transferId,
    {
      recordIds: [`withdrawals:${operationId}`],
      references: [outcomes.get(operationId)?.reference, operationId],
    },
  ])
}

/** An adjustment has the reference that the operator gave it, if any; else the approval's id. */
async function describeAdjustments(
  { db }: EntryDeps,
  adjustments: readonly ClearingMovement[],
): Promise<Descriptions> {
  const approvals = await findApprovalBodies(db, adjustments)
  return adjustments.map(({ transferId, operationId }) => {
    const { reference } = (approvals.get(operationId)?.body ?? {}) as { reference?: string }
    return [
      transferId,
      { recordIds: [`approvals:${operationId}`], references: [reference, operationId] },
    ]
  })
}
