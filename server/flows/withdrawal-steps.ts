import { hashInput, type Uuid } from '../../accounting/ids.ts'
import { readStanding, reopenAccount } from '../../accounting/standing.ts'
import type { Step } from '../../accounting/steps.ts'
import { burnId } from '../../accounting/transfers.ts'
import {
  cancelWithdrawal,
  confirmWithdrawal,
  failWithdrawal,
  hashConfirmation,
  hashFailure,
  takeWithdrawal,
  type Withdrawal,
  type WithdrawalState,
} from '../../accounting/withdrawals.ts'
import { mintId } from '../../db/ids.ts'
import { insertWithdrawalOutcome } from '../../db/withdrawals.ts'
import type { Caller, Customer, PaymentSystem } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { nameOperation } from './pay.ts'
import { afterMoving, settle } from './settle.ts'
import {
  type DescribedWithdrawal,
  describeOne,
  findVisible,
  findWithdrawal,
} from './withdrawals.ts'

type StepDeps = Pick<Deps, 'db' | 'ledger' | 'destinations'>

/** A withdrawal after a step, or after an earlier step that was the same. */
export interface Stepped {
  withdrawal: DescribedWithdrawal
  replayed: boolean
}

/**
 * Gives the money back, until the payment system has taken the withdrawal. Repeating it answers the same.
 * Refusals: withdrawal_not_found, withdrawal_taken, withdrawal_confirmed, withdrawal_failed,
 * outcome_unknown.
 */
export function cancel(deps: StepDeps, caller: Customer, id: Uuid): Promise<Stepped> {
  return inTurns(deps, caller, id, async (withdrawal) => {
    if (withdrawal.state === 'cancelled') return 'replay'
    refuseUnless(withdrawal, 'requested')
    return cancelWithdrawal(deps.ledger, withdrawal, mintId)
  })
}

/**
 * Takes a withdrawal, to pay it outside: of all who try, one may. Only with the same idempotency key is
 * it answered again. What goes out of a frozen wallet is not taken.
 * Refusals: withdrawal_not_found, withdrawal_taken, withdrawal_confirmed, withdrawal_failed,
 * withdrawal_cancelled, wallet_closed, declined, idempotency_key_reused, outcome_unknown.
 */
export function take(
  deps: StepDeps,
  caller: PaymentSystem,
  id: Uuid,
  idempotencyKey: string | undefined,
): Promise<Stepped> {
  const takeId = nameOperation(caller, idempotencyKey)
  return inTurns(deps, caller, id, async (withdrawal) => {
    // Once it has ended, a worker that asks again must not believe that it is still to be paid.
    if (withdrawal.takeId === takeId && withdrawal.state === 'taken') return 'replay'
    refuseUnless(withdrawal, 'requested')
    const { state } = await readStanding(deps.ledger, withdrawal.walletId)
    if (state === 'frozen') {
      const isTaken = idempotencyKey !== undefined && (await hasHappened(deps, takeId, id))
      if (isTaken) return { kind: 'stale' }
      throw new Refusal('wallet_closed', 'The wallet is frozen.')
    }
    // A destination that this process cannot decrypt would be taken by nobody who can pay it.
    await describeOne(deps, caller, { ...withdrawal, takeId })
    const step = { id: takeId, inputHash: hashInput('take', id) }
    return takeWithdrawal(deps.ledger, withdrawal, step)
  })
}

/**
 * Books that a withdrawal was paid outside, also when the wallet was frozen meanwhile. Repeating it with
 * the same reference answers the same.
 * Refusals: withdrawal_not_found, withdrawal_not_taken, withdrawal_confirmed, withdrawal_failed,
 * withdrawal_cancelled, outcome_unknown.
 */
export function confirm(
  deps: StepDeps,
  caller: PaymentSystem,
  id: Uuid,
  reference: string,
): Promise<Stepped> {
  const inputHash = hashConfirmation(id, reference)
  let isClosed = false
  return inTurns(deps, caller, id, async (withdrawal) => {
    if (isRepeated(withdrawal, 'confirmed', inputHash)) return 'replay'
    refuseUnless(withdrawal, 'taken')
    await insertWithdrawalOutcome(deps.db, { operationId: id, inputHash, reference, reason: null })
    const freeze = {
      id: isClosed ? await findFreeze(deps, withdrawal) : undefined,
      freshId: mintId,
    }
    const step = await confirmWithdrawal(
      deps.ledger,
      withdrawal,
      { id: mintId(), inputHash },
      freeze,
    )
    if (step.kind !== 'declined' || step.reason !== 'debit_account_already_closed') return step
    isClosed = true
    return { kind: 'stale' }
  })
}

/**
 * Books that a withdrawal was not paid outside: the money goes back. Repeating it with the same reason
 * answers the same. Refusals: those of confirm.
 */
export function fail(
  deps: StepDeps,
  caller: PaymentSystem,
  id: Uuid,
  reason: string,
): Promise<Stepped> {
  const inputHash = hashFailure(id, reason)
  return inTurns(deps, caller, id, async (withdrawal) => {
    if (isRepeated(withdrawal, 'failed', inputHash)) return 'replay'
    refuseUnless(withdrawal, 'taken')
    await insertWithdrawalOutcome(deps.db, { operationId: id, inputHash, reference: null, reason })
    return failWithdrawal(deps.ledger, withdrawal, { id: mintId(), inputHash })
  })
}

/** Another turn means that somebody else has taken a step, or has frozen or thawed the wallet. */
const turnsMax = 100

/**
 * Reads a withdrawal and tries a step on it, again as long as it was overtaken.
 * Refusals: withdrawal_not_found, idempotency_key_reused, outcome_unknown, busy.
 */
async function inTurns(
  deps: StepDeps,
  caller: Caller,
  id: Uuid,
  attempt: (withdrawal: Withdrawal) => Promise<Step | 'replay'>,
): Promise<Stepped> {
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const withdrawal = await findVisible(deps, caller, id)
    const step = await settle(id, attempt(withdrawal))
    if (step === 'replay') {
      return { withdrawal: await describeOne(deps, caller, withdrawal), replayed: true }
    }
    if (step.kind === 'done') {
      const { replayed } = step
      return { withdrawal: await afterMoving(id, findWithdrawal(deps, caller, id)), replayed }
    }
    if (step.kind === 'conflict') throw new Refusal('idempotency_key_reused')
    if (step.kind === 'declined' && !step.reason) throw new Refusal('declined')
    if (step.kind !== 'stale') throw new Error(`a step of withdrawal ${id} was ${step.kind}`)
  }
  throw new Refusal('busy', { retryAfterSeconds: 1 })
}

/**
 * Whether a take under this id has happened; if not, it never will: a copy of it that is still on its
 * way must not take what was refused meanwhile. Refusals: idempotency_key_reused, outcome_unknown.
 */
async function hasHappened(
  { ledger }: Pick<Deps, 'ledger'>,
  takeId: Uuid,
  id: Uuid,
): Promise<boolean> {
  const happened = await afterMoving(takeId, burnId(ledger, takeId))
  if (happened && happened.inputHash !== hashInput('take', id)) {
    throw new Refusal('idempotency_key_reused')
  }
  return happened !== undefined
}

const isRepeated = (withdrawal: Withdrawal, state: WithdrawalState, inputHash: number) =>
  withdrawal.state === state && withdrawal.stepHash === inputHash

const refusals = {
  requested: 'withdrawal_not_taken',
  taken: 'withdrawal_taken',
  confirmed: 'withdrawal_confirmed',
  failed: 'withdrawal_failed',
  cancelled: 'withdrawal_cancelled',
} as const satisfies Record<WithdrawalState, RefusalCode>

function refuseUnless({ state }: Withdrawal, expected: WithdrawalState): void {
  if (state !== expected) throw new Refusal(refusals[state])
}

/**
 * The transfer that freezes a withdrawal's wallet; undefined when it is not frozen any more. An owner's
 * attempt to close the wallet is undone: with a withdrawal pending it is not empty.
 */
async function findFreeze(
  { ledger }: Pick<Deps, 'ledger'>,
  { walletId }: Withdrawal,
): Promise<Uuid | undefined> {
  const { state, closingId } = await readStanding(ledger, walletId)
  if (state === 'frozen') return closingId
  if (state === 'closing' && closingId) await reopenAccount(ledger, walletId, closingId, mintId())
  return undefined
}
