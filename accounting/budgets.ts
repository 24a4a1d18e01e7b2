/**
 * Budgets: how much one user may spend of a currency, or a payment system bring in, within a window of
 * time that moves on with the clock. By user, so that opening another wallet evades nothing.
 *
 * A budget is an account on the control ledger, granted as much as the limit. Using a part is a pending
 * transfer out of it, which is never posted: it runs out when the window has passed, by TigerBeetle's
 * clock, and the part is back by itself. Its leg stands in the same chain as the payment, so that the
 * two happen together or not at all.
 *
 * Which limit is in force is told by the newest transfer that has granted or taken something, which
 * carries the version of the limit. Versions only grow, so that of processes which have heard of
 * different limits the one that has heard of the newest prevails.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Account, Transfer } from 'tigerbeetle-node'
import {
  type AccountPlan,
  budgetAccount,
  controlAccount,
  createAccounts,
  provideAccounts,
} from './accounts.ts'
import { type Asset, ControlCode, controlOf } from './chart.ts'
import type { Ledger } from './client.ts'
import { computeUuid, hashInput, toLedgerId, toUuid, type Uuid } from './ids.ts'
import { type Leg, toTransfer } from './legs.ts'
import { lookUpAccounts } from './lookup.ts'
import { createMemo } from './memo.ts'
import { readTrail } from './trail.ts'
import { submitChain } from './transfers.ts'

export interface Budget {
  /** Who spends, or the payment system. */
  userId: Uuid
  asset: Asset
  /** Tells the budgets of a user and currency apart, for ever. */
  window: string
  /** After which time what was used is back. */
  windowSeconds: number
}

/** How much may be used within the window (minor units), by which version of the limit. */
export interface BudgetLimit {
  amountMinor: bigint
  /** At least 1. */
  version: bigint
}

/** The most that a limit may be, so that the sum of all grants stays far below TigerBeetle's 128 bits. */
export const limitMaxMinor = 2n ** 96n - 1n

/** Each turn that is lost means that another process has put some version into force. */
const turnsMax = 1_000

/**
 * The leg that uses a part of a budget (minor units); declined with `exceeds_credits` when so much is
 * not left.
 */
export function toBudgetLeg(budget: Budget, amountMinor: bigint): Leg {
  return {
    debitAccountId: budgetAccount(budget, budget.asset).id,
    creditAccountId: controlAccount(budget.asset).id,
    amountMinor,
    asset: controlOf(budget.asset),
    code: ControlCode.budget_use,
    timeoutSeconds: budget.windowSeconds,
  }
}

/** Whether a leg uses a budget. */
export const isBudgetLeg = (leg: Leg | undefined): leg is Leg =>
  leg?.code === ControlCode.budget_use

/** Versions that a process has seen to be in force, by account. */
const seenVersions = createMemo<Uuid, bigint>()

/** What is put into force when this turn of the event loop ends, by account and version. */
const asked = createMemo<string, Promise<void>>()

/**
 * Puts a limit into force, unless a newer one is. More is granted at once; less takes only what is not
 * in use. Called again it takes what has come back since, so it is called before each use; a limit that
 * this process has seen in force costs nothing. Those who ask for the same in one turn of the event loop
 * share one look at the ledger, which comes after all of them have asked.
 * Rejects with LedgerUnavailable or LedgerOutcomeUnknown, which does not matter: it can be repeated.
 */
export async function putInForce(
  ledger: Ledger,
  budget: Budget,
  limit: BudgetLimit,
): Promise<void> {
  const account = budgetAccount(budget, budget.asset)
  if ((seenVersions(ledger).get(account.id) ?? 0n) >= limit.version) return
  const shared = asked(ledger)
  const name = `${account.id} ${limit.version}`
  const sharing = shared.get(name)
  if (sharing) return sharing
  const putting = nextTurn().then(() => {
    shared.delete(name)
    return change(ledger, budget, account, limit)
  })
  shared.set(name, putting)
  return putting
}

async function change(
  ledger: Ledger,
  budget: Budget,
  account: AccountPlan,
  limit: BudgetLimit,
): Promise<void> {
  const seen = seenVersions(ledger)
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const [newest] = await readTrail(ledger, account.id, { limit: 1, newestFirst: true })
    const inForce = newest?.user_data_64 ?? 0n
    if (!newest) await openBudget(ledger, budget, account)
    const { totalMinor, usedMinor } = await readBudget(ledger, account.id)
    const isApplied = inForce === limit.version
    if (inForce > limit.version || (isApplied && totalMinor <= limit.amountMinor)) {
      seen.set(account.id, limit.version)
      return
    }
    // The rest is taken when it has come back.
    if (isApplied && totalMinor <= usedMinor) return
    const transfer = toChange(account.id, budget.asset, limit, { newest, totalMinor })
    const submission = await submitChain(ledger, [transfer])
    // In conflict with another change that was made from the same state: it is looked at first.
    if (submission.kind !== 'done' && submission.kind !== 'conflict') {
      throw new Error(`budget ${account.id} was not changed: ${submission.kind}`)
    }
  }
  throw new Error(`budget ${account.id} was changed by others ${turnsMax} times`)
}

async function openBudget(ledger: Ledger, { asset }: Budget, account: AccountPlan): Promise<void> {
  await provideAccounts(ledger, [controlAccount(asset)])
  await createAccounts(ledger, [account])
}

/**
 * The transfer that leads from how a budget stands to a limit. Its id is computed from the change before
 * it: whoever changes the budget from there uses the same, so that one of them does.
 */
function toChange(
  accountId: Uuid,
  asset: Asset,
  { amountMinor, version }: BudgetLimit,
  { newest, totalMinor }: { newest: Transfer | undefined; totalMinor: bigint },
): Transfer {
  const control = controlAccount(asset).id
  const isLess = amountMinor < totalMinor
  const leg: Leg = {
    debitAccountId: isLess ? accountId : control,
    creditAccountId: isLess ? control : accountId,
    amountMinor: isLess ? totalMinor - amountMinor : amountMinor - totalMinor,
    asset: controlOf(asset),
    code: isLess ? ControlCode.budget_take : ControlCode.budget_grant,
    ruleNumber: version,
    ...(isLess ? { balancing: 'debit' } : {}),
  }
  const id = computeUuid('budget', accountId, newest ? toUuid(newest.id) : 'first')
  const inputHash = hashInput('budget', accountId, version, amountMinor)
  return toTransfer(leg, { id, operationId: accountId, inputHash })
}

/** How a budget stands, in minor units. */
export interface BudgetState {
  /** What may be used within the window. */
  totalMinor: bigint
  /** What of it is in use now. */
  usedMinor: bigint
}

const toState = (account: Account | undefined): BudgetState => ({
  totalMinor: account ? account.credits_posted - account.debits_posted : 0n,
  usedMinor: account?.debits_pending ?? 0n,
})

/** How a budget stands, by its account; nothing of one that does not exist. */
export async function readBudget(ledger: Ledger, accountId: Uuid): Promise<BudgetState> {
  return toState((await ledger.lookupAccounts([toLedgerId(accountId)]))[0])
}

/** How several budgets stand, in their order. */
export async function readBudgets(
  ledger: Ledger,
  budgets: readonly Budget[],
): Promise<BudgetState[]> {
  const ids = budgets.map((budget) => toLedgerId(budgetAccount(budget, budget.asset).id))
  const found = await lookUpAccounts(ledger, ids)
  return ids.map((id) => toState(found.get(id)))
}
