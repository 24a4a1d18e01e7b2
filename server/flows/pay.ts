import { readBalances } from '../../accounting/accounts.ts'
import { isBudgetLeg } from '../../accounting/budgets.ts'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { type Fee, feeOnTopMinor, findFee } from '../../accounting/fees.ts'
import { computeUuid, hashInput, type Uuid } from '../../accounting/ids.ts'
import type { Leg } from '../../accounting/legs.ts'
import type { PassingReason } from '../../accounting/outcome.ts'
import {
  burn,
  compare,
  findOperation,
  type Plan,
  principalOf,
  type StoredOperation,
  type Submission,
  submitOnce,
} from '../../accounting/transfers.ts'
import type { DescriptionKey } from '../../db/descriptions.ts'
import { mintId } from '../../db/ids.ts'
import type { Caller, Customer, Payer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { readAmount, readCanonicalAmount, readCurrency, showAmount } from './amount.ts'
import { explainLimit } from './budget-legs.ts'
import { type Charges, chainPayment, readCharges } from './charges.ts'
import { type Recipient, type Route, resolveRoute } from './resolve-wallets.ts'
import {
  afterMoving,
  declineCodes,
  keepDecline,
  refuseAgain,
  refuseInvalid,
  settle,
} from './settle.ts'

/** What somebody who pays writes down. */
export interface PayInput {
  fromWalletId?: string | undefined
  to: Recipient
  /** Decimal text in major units. */
  amount: string
  currency?: string | undefined
  memo?: string | undefined
}

/** How the money moves: at once, or held for a time. */
export interface PayTerms {
  name: 'payment' | 'hold'
  code: TransferCode
  timeoutSeconds?: number
}

/** A payment that happens at once. */
export const paymentTerms: PayTerms = { name: 'payment', code: TransferCode.payment }

export type PayDeps = Pick<Deps, 'db' | 'ledger' | 'log' | 'memos' | 'settings' | 'nowMs'>

/** A payment as it was found, or as it is going to be, with what it costs. */
export interface PaymentPlan extends Plan {
  fee: Fee | undefined
}

/** Names an operation of a caller: by the caller's key, or afresh when there is none. */
export function nameOperation(
  caller: Pick<Caller, 'userId'>,
  idempotencyKey: string | undefined,
): Uuid {
  return idempotencyKey === undefined
    ? mintId()
    : computeUuid('operation', caller.userId, idempotencyKey)
}

/**
 * One leg out of one of the caller's wallets into another wallet, and for a payment its fee.
 *
 * With an idempotency key it happens at most once: the same key with the same input answers what
 * happened the first time (`replayed`), also a decline. Without a memo and with the recipient's
 * wallet id it costs no query to PostgreSQL.
 * Refusals: those of amounts and of resolveRoute, insufficient_funds, limit_exceeded, wallet_closed, recipient_closed,
 * declined, idempotency_key_reused, outcome_unknown.
 */
export async function pay(
  deps: PayDeps,
  caller: Customer,
  input: PayInput,
  terms: PayTerms,
  idempotencyKey: string | undefined,
): Promise<{ operation: StoredOperation; fee: Fee | undefined; replayed: boolean }> {
  const operationId = nameOperation(caller, idempotencyKey)
  const key = { operationId, inputHash: hashPay(input, terms) }

  const isKeyed = idempotencyKey !== undefined
  const plan = await planOrReplay(deps, key, isKeyed, () =>
    planPayment(deps, caller, input, terms, key),
  )
  if ('replay' in plan) return answerReplay(deps, plan.replay)
  if (input.memo !== undefined) await deps.memos.add({ ...key, memo: input.memo })

  const submission = await settle(operationId, submitOnce(deps.ledger, plan))
  const { operation, replayed } = await readSubmission(deps, plan, submission)
  return replayed ? answerReplay(deps, operation) : { operation, fee: plan.fee, replayed }
}

/** What a payment has cost is told by the ledger: the schedule can be another one by now. */
async function answerReplay({ ledger }: PayDeps, operation: StoredOperation) {
  const fee = await afterMoving(operation.operationId, findFee(ledger, operation))
  return { operation, fee, replayed: true }
}

/**
 * What an operation by key has become; what is not done is refused, by `codes` when the ledger has
 * declined. A decline is final, so its reason is kept for replays.
 * Refusals: idempotency_key_reused, amount_too_large, those of `codes`, declined, abandoned.
 */
export async function readSubmission(
  deps: Pick<Deps, 'db' | 'ledger' | 'log'>,
  plan: Plan,
  submission: Submission,
  codes: Readonly<Record<PassingReason, RefusalCode>> = declineCodes,
): Promise<{ operation: StoredOperation; replayed: boolean }> {
  switch (submission.kind) {
    case 'done':
      return { operation: submission.operation, replayed: submission.replayed }
    case 'conflict':
      throw new Refusal('idempotency_key_reused')
    case 'invalid':
      throw refuseInvalid(submission.status)
    case 'declined': {
      if (!submission.reason) throw await refuseAgain(deps, plan)
      const { leg, code, feeMinor } = readDecline(plan, submission.leg, codes[submission.reason])
      const { operationId, inputHash } = plan
      await keepDecline(deps, { operationId, inputHash, attempt: 0, code })
      throw await explainDecline(deps, leg, code, feeMinor)
    }
    default:
      throw submission satisfies never
  }
}

/**
 * What a decline is about: the limit, when the leg at this index uses one; otherwise the principal leg,
 * with what its account means to the caller and the fee (minor units) that comes on top.
 */
export function readDecline(
  plan: Pick<Plan, 'legs' | 'principalLeg'>,
  index: number,
  code: RefusalCode,
): { leg: Leg; code: RefusalCode; feeMinor: bigint } {
  const leg = plan.legs[index]
  if (isBudgetLeg(leg)) return { leg, code: 'limit_exceeded', feeMinor: 0n }
  const principal = principalOf(plan)
  return { leg: principal, code, feeMinor: feeOnTopMinor(plan.legs, principal) }
}

/** The canonical input: what the caller wrote, before anything is looked up. */
function hashPay(input: PayInput, terms: PayTerms): number {
  const amount = readCanonicalAmount(input.amount)
  const time = terms.timeoutSeconds === undefined ? [] : [terms.timeoutSeconds]
  return hashInput(terms.name, ...toHashParts(input, amount), ...time)
}

/** What of a payment its hash covers, with the amount in canonical form. */
export function toHashParts(input: PayInput, amount: string): (string | null)[] {
  const { fromWalletId, to, currency, memo } = input
  const recipient = to.kind === 'wallet' ? to.wallet : to.username
  return [fromWalletId ?? null, to.kind, recipient, amount, currency ?? null, memo ?? null]
}

/** Refusals that a request can meet although an earlier copy of it, which may be under way, did not. */
const passingRefusals: ReadonlySet<RefusalCode> = new Set([
  'wallet_ambiguous',
  'recipient_not_found',
  'payer_not_found',
  'requester_blocked',
  'payment_system_not_found',
])

/**
 * Plans an operation by key. What the caller wrote can have lost its meaning since the first try (a
 * second wallet makes the paying one ambiguous): what has happened is still answered as a replay, and what
 * has not happened then never will: as a decline of the ledger, the refusal is final under the key.
 */
export async function planOrReplay<Planned extends object>(
  deps: Pick<Deps, 'db' | 'ledger' | 'log'>,
  key: DescriptionKey,
  mayHaveHappened: boolean,
  plan: () => Promise<Planned>,
): Promise<Planned | { replay: StoredOperation }> {
  try {
    return await plan()
  } catch (error) {
    if (!(error instanceof Refusal) || !mayHaveHappened) throw error
    const happened = passingRefusals.has(error.code)
      ? await giveUp(deps, key, error)
      : await findOperation(deps.ledger, key.operationId)
    if (!happened) throw error
    if (compare(key, happened).kind === 'conflict') throw new Refusal('idempotency_key_reused')
    return { replay: happened }
  }
}

/**
 * Burns the id of what is refused, unless it has happened. Refusals: that of an earlier decline,
 * outcome_unknown.
 */
async function giveUp(
  deps: Pick<Deps, 'db' | 'ledger' | 'log'>,
  key: DescriptionKey,
  { code }: Refusal,
): Promise<StoredOperation | undefined> {
  const burning = await settle(key.operationId, burn(deps.ledger, key.operationId))
  if (burning.kind === 'happened') return burning.operation
  if (burning.wasBurnt) throw await refuseAgain(deps, key)
  await keepDecline(deps, { ...key, attempt: 0, code })
  return undefined
}

/**
 * The chain of a payment or a hold; nothing is submitted.
 * Refusals: currency_not_supported, those of amounts and of resolveRoute.
 */
export async function planPayment(
  deps: Pick<Deps, 'db' | 'ledger' | 'settings' | 'nowMs'>,
  caller: Payer,
  input: PayInput,
  terms: PayTerms,
  key: DescriptionKey,
): Promise<PaymentPlan> {
  if (input.currency !== undefined) await readCurrency(deps, input.currency)
  const route = await resolveRoute(deps, caller, input)
  const charges = await readCharges(deps, caller, assetOf(route.from.currency))
  return planRoute(route, charges, input, terms, key)
}

/** The same where its wallets and charges are known. Refusals: those of amounts. */
export function planRoute(
  { from, toWalletId }: Route,
  charges: Charges,
  input: Pick<PayInput, 'amount'>,
  { code, timeoutSeconds }: PayTerms,
  { operationId, inputHash }: DescriptionKey,
): PaymentPlan {
  const { asset } = charges
  const amountMinor = readAmount(input.amount, asset)
  const moved = { debitAccountId: from.id, creditAccountId: toWalletId, amountMinor, asset, code }
  const leg = timeoutSeconds === undefined ? moved : { ...moved, timeoutSeconds }
  const { legs, principalLeg, fee } = chainPayment(charges, leg)
  return { operationId, inputHash, legs, principalLeg, fee }
}

/**
 * The refusal of a payment that the ledger has declined at a leg. It tells the owner of the paying
 * wallet, and nobody else, what is there and what would be needed, with the fee (minor units) that comes
 * on top.
 */
export async function explainDecline(
  deps: Pick<Deps, 'ledger'>,
  leg: Leg,
  code: RefusalCode,
  feeMinor = 0n,
): Promise<Refusal> {
  const { debitAccountId, amountMinor, asset } = leg
  if (code === 'limit_exceeded') return explainLimit(deps, leg)
  if (code !== 'insufficient_funds') return new Refusal(code)
  const balances = await readBalances(deps.ledger, [debitAccountId]).catch(() => undefined)
  const balance = balances?.get(debitAccountId)
  if (!balance) return new Refusal(code)
  const { currency } = asset
  const available = showAmount(balance.availableMinor, currency)
  const required = showAmount(amountMinor + feeMinor, currency)
  const fee = feeMinor > 0n ? { fee: showAmount(feeMinor, currency) } : {}
  const withFee = feeMinor > 0n ? ' with the fee' : ''
  return new Refusal(code, {
    detail: `${required} ${currency} were to be paid${withFee}, ${available} are available.`,
    extra: { available, required, ...fee, currency },
  })
}
