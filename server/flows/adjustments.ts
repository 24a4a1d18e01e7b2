import { hashInput, type Uuid } from '../../accounting/ids.ts'
import type { Operator } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import type { AdjustmentBody } from './adjust.ts'
import { readAmount, readCanonicalAmount, readCurrency, showAmount } from './amount.ts'
import {
  type ApprovalDeps,
  type ApprovalQuery,
  ask,
  type DescribedApproval,
  findApproval,
  listApprovals,
} from './approvals.ts'
import { findCustomer } from './find-user.ts'
import { nameOperation, planOrReplay } from './pay.ts'
import { findNamedSystem } from './payment-systems.ts'
import { findNamedWallet } from './resolve-wallets.ts'
import { findSuspense } from './suspense.ts'

/** An adjustment as an operator writes it down; what it has to have depends on the kind. */
export interface AdjustmentInput {
  kind: AdjustmentBody['kind']
  /** Decimal text in major units. */
  amount?: string | undefined
  currency?: string | undefined
  /** By its id or name. */
  payment_system?: string | undefined
  user_id?: Uuid | undefined
  /** By its id or number. */
  wallet_id?: string | undefined
  deposit_id?: Uuid | undefined
  reference?: string | undefined
  reason: string
}

/** The approval of an adjustment: whether it is booked is whether it is approved. */
export type Adjustment = Extract<DescribedApproval, { kind: 'adjustment' }>

/**
 * Asks for a booking of the house's own, which happens with its approval. With an idempotency key it is
 * asked for at most once.
 * Refusals: those of amounts, currency_not_supported, currency_mismatch, payment_system_not_found,
 * user_not_found, wallet_not_found, wallet_number_mistyped, suspense_not_found, and those of ask.
 */
export async function adjust(
  deps: ApprovalDeps,
  operator: Operator,
  input: AdjustmentInput,
  idempotencyKey: string | undefined,
): Promise<{ adjustment: Adjustment; replayed: boolean }> {
  const operationId = nameOperation(operator, idempotencyKey)
  const key = { operationId, inputHash: hashAdjustment(input) }
  const isKeyed = idempotencyKey !== undefined
  const planned = await planOrReplay(deps, key, isKeyed, () => toBody(deps, input))
  if ('replay' in planned) {
    return { adjustment: await findAdjustment(deps, operationId), replayed: true }
  }
  const subject = { kind: 'adjustment', body: planned, reason: input.reason } as const
  const { approval, replayed } = await ask(deps, operator, subject, key)
  if (!isAdjustment(approval)) throw new Error(`${operationId} is no adjustment`)
  return { adjustment: approval, replayed }
}

/** The canonical input: what the operator wrote, before anything is looked up. */
function hashAdjustment({ amount, ...input }: AdjustmentInput): number {
  const canonical = amount === undefined ? null : readCanonicalAmount(amount)
  const { kind, currency, payment_system, user_id, wallet_id, deposit_id, reference } = input
  const named = [currency, payment_system, user_id, wallet_id, deposit_id, reference]
  const parts = named.map((part) => part ?? null)
  return hashInput('adjustment', kind, canonical, ...parts, input.reason)
}

/** What is asked for, with everything that it names found. */
async function toBody(deps: ApprovalDeps, input: AdjustmentInput): Promise<AdjustmentBody> {
  const { kind, reference, deposit_id: depositId } = input
  const [money, parties] =
    depositId === undefined
      ? await Promise.all([readMoney(deps, input), findParties(deps, input)])
      : [await readSuspended(deps, depositId), { deposit_id: depositId }]
  return { kind, ...money, ...parties, ...(reference === undefined ? {} : { reference }) }
}

type Money = Pick<AdjustmentBody, 'amount' | 'currency'>

async function readMoney(
  deps: ApprovalDeps,
  { amount = '', currency = '' }: AdjustmentInput,
): Promise<Money> {
  const amountMinor = readAmount(amount, await readCurrency(deps, currency))
  return { amount: showAmount(amountMinor, currency), currency }
}

/** Of a deposit in suspense all is paid out. */
async function readSuspended(deps: ApprovalDeps, depositId: Uuid): Promise<Money> {
  const { amountMinor, currency } = await findSuspense(deps, depositId)
  return { amount: showAmount(amountMinor, currency), currency }
}

async function findParties(
  deps: ApprovalDeps,
  input: AdjustmentInput,
): Promise<Partial<AdjustmentBody>> {
  if (input.payment_system !== undefined) {
    // Also of one that is deactivated: its money has to be settled all the same.
    const { id } = await findNamedSystem(deps, input.payment_system)
    return { payment_system_id: id }
  }
  if (input.user_id !== undefined) {
    const customer = await findCustomer(deps, input.user_id)
    if (!customer) throw new Refusal('user_not_found')
    return { user_id: customer.id }
  }
  if (input.wallet_id === undefined) return {}
  const wallet = await findNamedWallet(deps, input.wallet_id)
  if (!wallet) throw new Refusal('wallet_not_found')
  if (wallet.currency !== input.currency) {
    throw new Refusal('currency_mismatch', `The wallet is in ${wallet.currency}.`)
  }
  return { wallet_id: wallet.id }
}

type ReadDeps = Pick<Deps, 'db' | 'ledger' | 'nowMs'>

/** An adjustment that was asked for. Refusal: adjustment_not_found, also for other approvals. */
export async function findAdjustment(deps: ReadDeps, id: Uuid): Promise<Adjustment> {
  const approval = await findApproval(deps, id).catch((error: unknown) => {
    if (error instanceof Refusal && error.code === 'approval_not_found') return undefined
    throw error
  })
  if (!approval || !isAdjustment(approval)) throw new Refusal('adjustment_not_found')
  return approval
}

/** A page of adjustments, newest first; as listApprovals. */
export async function listAdjustments(
  deps: ReadDeps,
  query: Omit<ApprovalQuery, 'kind'>,
): Promise<{ adjustments: Adjustment[]; asOf: Date }> {
  const { approvals, asOf } = await listApprovals(deps, { ...query, kind: 'adjustment' })
  return { adjustments: approvals.filter(isAdjustment), asOf }
}

const isAdjustment = (approval: DescribedApproval): approval is Adjustment =>
  approval.kind === 'adjustment'
