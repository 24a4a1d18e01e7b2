/**
 * Withdrawals: money that leaves a wallet and that a payment system pays out.
 *
 * A withdrawal is a pending transfer wallet -> clearing account without a timeout, linked with a right
 * on the control ledger. The right is resolved once: by the payment system that takes the withdrawal
 * (post), or by the owner who cancels it (void). Of one that is taken only the outside knows what
 * became of it: it was paid (post of the money), or it has failed (void). A fee is pending beside the
 * money and is resolved in the same chain. All transfers carry the withdrawal's id in `user_data_128`, so
 * that its state is read from the ledger alone. What it has used of its owner's budgets is given back in
 * the chain that gives the money back.
 */
import type { Transfer } from 'tigerbeetle-node'
import { givingBack } from './budget-uses.ts'
import { type Asset, assetOfLedger, ControlCode, TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import { type StoredFee, toStoredFee } from './fees.ts'
import { hashInput, toUuid, type Uuid } from './ids.ts'
import { type Leg, legId, toPost, toVoid } from './legs.ts'
import { toRightLeg } from './rights.ts'
import { throughFreeze } from './standing.ts'
import { type Step, submitStep } from './steps.ts'
import { readTrail } from './trail.ts'
import { type Phase, phaseOf } from './transfers.ts'

export type WithdrawalState =
  /** Its money is reserved; the owner may cancel it. */
  | 'requested'
  /** The payment system pays it outside. */
  | 'taken'
  /** It was paid. */
  | 'confirmed'
  /** It was not paid, and the money went back. */
  | 'failed'
  | 'cancelled'

export interface Withdrawal {
  id: Uuid
  walletId: Uuid
  /** Of the payment system. */
  clearingAccountId: Uuid
  ledger: number
  amountMinor: bigint
  /** What it costs, with its pending transfer; undefined when that is nothing. */
  fee: (StoredFee & { id: Uuid }) | undefined
  state: WithdrawalState
  /** Of the request. */
  inputHash: number
  /** Of the step that led to the state. */
  stepHash: number
  /** The pending right to take or to cancel it. */
  rightId: Uuid
  /** The transfer by which it was taken; undefined when it never was. */
  takeId: Uuid | undefined
  /** When it was requested, and when its state last changed; nanoseconds since 1970. */
  timestamp: bigint
  changedAt: bigint
}

/** The money, the right, the fee, and what resolves each; budgets have transfers of the same id, too. */
const codes: ReadonlySet<number> = new Set([
  TransferCode.withdrawal,
  TransferCode.fee,
  ControlCode.withdrawal_take,
])

/** A withdrawal as the ledger has it; undefined when there is none. */
export async function readWithdrawal(ledger: Ledger, id: Uuid): Promise<Withdrawal | undefined> {
  const transfers = await readTrail(ledger, id)
  return foldWithdrawal(transfers.filter(({ code }) => codes.has(code)))
}

/** The state that resolving the money, or the right, leads to. */
const states = new Map<number, Partial<Record<Phase, WithdrawalState>>>([
  [TransferCode.withdrawal, { post: 'confirmed', void: 'failed' }],
  [ControlCode.withdrawal_take, { post: 'taken', void: 'cancelled' }],
])

/** What a withdrawal's transfers, oldest first, amount to. Pure. */
function foldWithdrawal(transfers: readonly Transfer[]): Withdrawal | undefined {
  const find = (code: number) => transfers.find((transfer) => transfer.code === code)
  const money = find(TransferCode.withdrawal)
  const right = find(ControlCode.withdrawal_take)
  if (!money || !right) return undefined
  const fee = find(TransferCode.fee)
  let state: WithdrawalState = 'requested'
  let step = money
  let takeId: Uuid | undefined
  for (const transfer of transfers) {
    const next = states.get(transfer.code)?.[phaseOf(transfer.flags)]
    // In a cancelling chain the right goes first; the money only follows it.
    if (next === undefined || state === 'cancelled') continue
    state = next
    step = transfer
    if (state === 'taken') takeId = toUuid(transfer.id)
  }
  return {
    id: toUuid(money.user_data_128),
    walletId: toUuid(money.debit_account_id),
    clearingAccountId: toUuid(money.credit_account_id),
    ledger: money.ledger,
    amountMinor: money.amount,
    fee: fee && { ...toStoredFee(fee, money.debit_account_id), id: toUuid(fee.id) },
    state,
    inputHash: money.user_data_32,
    stepHash: step.user_data_32,
    rightId: toUuid(right.id),
    takeId,
    timestamp: money.timestamp,
    changedAt: step.timestamp,
  }
}

/** What is asked for: the amount in minor units, from a wallet through a payment system. */
export interface WithdrawalOrder {
  walletId: Uuid
  clearingAccountId: Uuid
  amountMinor: bigint
  asset: Asset
}

/**
 * The legs of a request. The first is declined with `exceeds_debits` or `credit_account_not_found` when
 * the payment system has not brought in so much; the fee, which it does not pay out, has no part in that.
 */
export function toWithdrawalLegs(
  order: WithdrawalOrder,
  feeLegs: readonly Leg[],
): [money: Leg, right: Leg, ...fee: Leg[]] {
  const { walletId, clearingAccountId, amountMinor, asset } = order
  return [
    {
      debitAccountId: walletId,
      creditAccountId: clearingAccountId,
      amountMinor,
      asset,
      code: TransferCode.withdrawal,
      timeoutSeconds: 0,
    },
    toRightLeg(asset, ControlCode.withdrawal_take, 0),
    ...feeLegs.map((leg) => ({ ...leg, timeoutSeconds: 0 })),
  ]
}

/** Stands for the reference under which a withdrawal was paid. */
export const hashConfirmation = (id: Uuid, reference: string): number =>
  hashInput('confirm', id, reference)

/** Stands for the reason why a withdrawal has failed. */
export const hashFailure = (id: Uuid, reason: string): number => hashInput('fail', id, reason)

/** A transfer that resolves something: `inputHash` stands for what was told. */
export interface NamedStep {
  id: Uuid
  inputHash: number
}

/**
 * Takes a withdrawal: from now on it cannot be cancelled. `stale` when it was taken or cancelled before.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown; so do the other steps.
 */
export function takeWithdrawal(
  ledger: Ledger,
  { rightId: pendingId }: Withdrawal,
  step: NamedStep,
): Promise<Step> {
  return submitStep(ledger, [toPost({ ...step, pendingId }, 0n)])
}

/** Cancels a withdrawal and gives the money back, and what it has used of budgets. `stale` when it was taken or cancelled before. */
export function cancelWithdrawal(
  ledger: Ledger,
  withdrawal: Withdrawal,
  freshId: () => Uuid,
): Promise<Step> {
  const { rightId, inputHash } = withdrawal
  const right = toVoid({ id: freshId(), pendingId: rightId, inputHash })
  const chain = [right, ...giveBack(withdrawal, { id: freshId(), inputHash })]
  return givingBack(ledger, withdrawal.id, (voids) => submitStep(ledger, [...chain, ...voids]))
}

/** What gives the money and the fee back. */
function giveBack({ id: pendingId, fee }: Withdrawal, step: NamedStep): Transfer[] {
  const money = toVoid({ ...step, pendingId })
  if (!fee) return [money]
  return [money, toVoid({ id: legId(step.id, 1), pendingId: fee.id, inputHash: step.inputHash })]
}

/**
 * Books that a withdrawal that was taken has failed: the money goes back, and what it has used of budgets.
 */
export function failWithdrawal(
  ledger: Ledger,
  withdrawal: Withdrawal,
  step: NamedStep,
): Promise<Step> {
  const chain = giveBack(withdrawal, step)
  return givingBack(ledger, withdrawal.id, (voids) => submitStep(ledger, [...chain, ...voids]))
}

/**
 * Books that a withdrawal that was taken was paid: debit wallet, credit clearing, and the fee.
 * Declined with `debit_account_already_closed` when the wallet is frozen; with the freeze's transfer it
 * is booked in a chain that thaws and freezes again, and is `stale` when the freeze was undone before.
 */
export function confirmWithdrawal(
  ledger: Ledger,
  withdrawal: Withdrawal,
  step: NamedStep,
  freeze: { id: Uuid | undefined; freshId: () => Uuid },
): Promise<Step> {
  const { id: pendingId, walletId, amountMinor, fee } = withdrawal
  const posts = [toPost({ ...step, pendingId }, amountMinor)]
  if (fee) {
    const { inputHash } = step
    posts.push(toPost({ id: legId(step.id, 1), pendingId: fee.id, inputHash }, fee.amountMinor))
  }
  if (freeze.id === undefined) return submitStep(ledger, posts)
  const wallet = { id: walletId, asset: assetOfLedger(withdrawal.ledger) }
  return submitStep(ledger, throughFreeze(wallet, freeze.id, posts, freeze.freshId), 1)
}
