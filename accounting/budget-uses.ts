/** The parts of budgets that are in use: giving them back early, and when the next of them is back. */
import { AccountFilterFlags, type Transfer, TransferFlags } from 'tigerbeetle-node'
import { ControlCode } from './chart.ts'
import { type Ledger, requestEventsMax } from './client.ts'
import { deadlineOf, nsPerSecond, readLedgerTime } from './clock.ts'
import { computeUuid, toLedgerId, toUuid, type Uuid } from './ids.ts'
import { toVoid } from './legs.ts'
import { type Step, submitStep } from './steps.ts'
import { readTrail } from './trail.ts'

/** The id of the transfer that gives a use back: computed, so that it can be looked up. */
const voidId = (useId: Uuid): Uuid => computeUuid('void', useId)

const isUse = (transfer: Transfer) => (transfer.flags & TransferFlags.pending) !== 0

/** What an operation uses of budgets and has not given back, at this moment of the ledger's clock. */
async function findUses(ledger: Ledger, operationId: Uuid): Promise<Transfer[]> {
  const transfers = await readTrail(ledger, operationId, { code: ControlCode.budget_use })
  const voided = new Set(transfers.map(({ pending_id }) => pending_id))
  const uses = transfers.filter((transfer) => isUse(transfer) && !voided.has(transfer.id))
  if (uses.length === 0) return []
  const now = await readLedgerTime(ledger)
  return uses.filter((use) => deadlineOf(use) > now)
}

function toUseVoid({ id, user_data_32: inputHash }: Transfer): Transfer {
  const pendingId = toUuid(id)
  return toVoid({ id: voidId(pendingId), pendingId, inputHash })
}

/**
 * Submits a step that undoes an operation, together with the transfers that give back what the
 * operation has used of budgets. A use that runs out meanwhile is left to itself.
 */
export async function givingBack(
  ledger: Ledger,
  operationId: Uuid,
  submit: (voids: readonly Transfer[]) => Promise<Step>,
): Promise<Step> {
  let uses = await findUses(ledger, operationId)
  for (;;) {
    const step = await submit(uses.map(toUseVoid))
    if (step.kind !== 'expired' || uses.length === 0) return step
    const left = await findUses(ledger, operationId)
    if (left.length === uses.length) return step
    uses = left
  }
}

/**
 * Gives back what an operation that has ended by itself has used of budgets. Answers whether there was
 * anything. Rejects with LedgerUnavailable or LedgerOutcomeUnknown; it can be repeated.
 */
export async function giveBack(ledger: Ledger, operationId: Uuid): Promise<boolean> {
  let count = 0
  await givingBack(ledger, operationId, async (voids) => {
    count = voids.length
    return count === 0 ? { kind: 'stale' } : submitStep(ledger, voids)
  })
  return count > 0
}

/** Pages that are read at most to find a use among those that were given back. */
const pagesMax = 20

/** What is back next: how much (minor units), and when (ns since 1970). */
export interface NextReturn {
  amountMinor: bigint
  at: bigint
}

/**
 * The oldest use of a budget that was not given back; undefined when there is none, or none among the
 * first thousands.
 */
export async function readNextReturn(
  ledger: Ledger,
  accountId: Uuid,
  windowSeconds: number,
): Promise<NextReturn | undefined> {
  const now = await readLedgerTime(ledger)
  let after = now - BigInt(windowSeconds) * nsPerSecond
  for (let count = 0; count < pagesMax; count += 1) {
    const page = await readUses(ledger, accountId, after)
    const uses = page.filter(isUse)
    const voided = await findVoided(ledger, uses)
    const oldest = uses.find(({ id }) => !voided.has(id))
    if (oldest) return { amountMinor: oldest.amount, at: deadlineOf(oldest) }
    const last = page.at(-1)
    if (!last || page.length < requestEventsMax) return undefined
    after = last.timestamp
  }
  return undefined
}

/** Which of some uses were given back. */
async function findVoided(ledger: Ledger, uses: readonly Transfer[]): Promise<Set<bigint>> {
  if (uses.length === 0) return new Set()
  const ids = uses.map(({ id }) => toLedgerId(voidId(toUuid(id))))
  const voids = await ledger.lookupTransfers(ids)
  return new Set(voids.map(({ pending_id }) => pending_id))
}

/** Uses of a budget and what has given them back, after a ledger time, oldest first. */
function readUses(ledger: Ledger, accountId: Uuid, after: bigint): Promise<Transfer[]> {
  return ledger.getAccountTransfers({
    account_id: toLedgerId(accountId),
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    code: ControlCode.budget_use,
    timestamp_min: after + 1n,
    timestamp_max: 0n,
    limit: requestEventsMax,
    flags: AccountFilterFlags.debits,
  })
}
