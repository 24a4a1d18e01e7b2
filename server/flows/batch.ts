import { findTogether, submitTogether, type Together } from '../../accounting/batches.ts'
import { computeUuid, hashInput, placeId, type Uuid } from '../../accounting/ids.ts'
import { canonicalAmount } from '../../accounting/money.ts'
import { burn, type Plan } from '../../accounting/transfers.ts'
import { claimBatch } from '../../db/batches.ts'
import { type DescriptionKey, findLastDeclines, insertMemos } from '../../db/descriptions.ts'
import type { Customer } from '../caller.ts'
import { Refusal, type RefusalCode, type RefusalOptions } from '../refusals.ts'
import { nameOperation, type PayDeps, type PayInput, type PaymentPlan, toHashParts } from './pay.ts'
import {
  codeOf,
  findFeesOf,
  memosOf,
  type PayItem,
  type PayResult,
  planEach,
  submitPlanned,
} from './pay-each.ts'
import { afterMoving, keepDecline, settle } from './settle.ts'

/** Payments that are sent together. */
export interface BatchInput {
  /** Whether all happen or none does; otherwise each succeeds or fails for itself. */
  atomic: boolean
  transfers: readonly PayInput[]
}

export interface Batch {
  id: string
  /** In the order of the payments. */
  results: readonly PayResult[]
  /** Whether nothing of it has happened only now. */
  replayed: boolean
}

/** How many payments that succeed or fail each for itself one batch may have. */
const independentMax = 5_000

/**
 * Sends several payments. The key gives each its id by its place: sent again, what has happened is
 * answered as it was, and what was cut off goes on. A payment that is not made is told in its place,
 * unless the batch is atomic: then the refusal is that of the payment that failed, with its `index`.
 * Refusals: batch_too_large, idempotency_key_reused, outcome_unknown; of an atomic one those of pay.
 */
export async function sendBatch(
  deps: PayDeps,
  caller: Customer,
  input: BatchInput,
  idempotencyKey: string | undefined,
): Promise<Batch> {
  const { atomic, transfers } = input
  if (!atomic && transfers.length > independentMax) {
    throw refuseTooLarge({ transfers: transfers.length, transfers_max: independentMax })
  }
  const key = { operationId: nameBatch(caller, idempotencyKey), inputHash: hashBatch(input) }
  const isKeyed = idempotencyKey !== undefined
  const items = transfers.map((transfer, index) => ({
    key: itemKey(key, index),
    input: transfer,
  }))
  // Planning moves nothing, so it need not wait until PostgreSQL has kept the claim.
  const [isClaimed, planned] = await Promise.all([
    !isKeyed || claimBatch(deps.db, key),
    planEach(deps, caller, items),
  ])
  if (!isClaimed) throw new Refusal('idempotency_key_reused')
  const results = atomic
    ? await payTogether(deps, key, items, planned, isKeyed)
    : await submitPlanned(deps, key.operationId, items, planned)
  return { id: key.operationId, results, replayed: results.every(({ replayed }) => replayed) }
}

/** Names a batch apart from the payment that may have the same key. */
export function nameBatch(
  caller: Pick<Customer, 'userId'>,
  idempotencyKey: string | undefined,
): Uuid {
  return computeUuid('batch', nameOperation(caller, idempotencyKey))
}

/** Names a payment by its place among those that are sent together. */
export function itemKey({ operationId, inputHash }: DescriptionKey, index: number): DescriptionKey {
  return { operationId: placeId(operationId, index), inputHash }
}

function hashBatch({ atomic, transfers }: BatchInput): number {
  const parts = transfers.map((transfer) =>
    toHashParts(transfer, canonicalAmount(transfer.amount) ?? transfer.amount),
  )
  return hashInput('batch', String(atomic), transfers.length, JSON.stringify(parts))
}

async function payTogether(
  deps: PayDeps,
  { operationId }: DescriptionKey,
  items: readonly PayItem[],
  planned: readonly (PaymentPlan | Refusal)[],
  isKeyed: boolean,
): Promise<PayResult[]> {
  const keys = items.map(({ key }) => key) as [DescriptionKey]
  const fault = planned.findIndex((plan) => plan instanceof Refusal)
  if (fault !== -1) {
    const { code, options } = planned[fault] as Refusal
    const happened = isKeyed && (await giveUp(deps, operationId, keys, { fault, code }))
    if (happened) return toResults(deps, happened, [])
    throw refuseItem(fault, code, options)
  }
  const plans = planned as readonly PaymentPlan[] as [PaymentPlan]
  await insertMemos(deps.db, memosOf(items))
  const together = await settle(operationId, submitTogether(deps.ledger, plans))
  if (together.kind === 'too large') {
    // It was not, when an earlier copy was sent, if it costs more now: a fee is a leg as well.
    const refused = { fault: 0, code: 'batch_too_large' } as const
    const happened = isKeyed && (await giveUp(deps, operationId, keys, refused))
    if (happened) return toResults(deps, happened, [])
    throw refuseTooLarge({ legs: together.legs, legs_max: together.legsMax })
  }
  if (together.kind === 'done' || together.kind === 'conflict')
    return toResults(deps, together, plans)
  throw await afterMoving(operationId, explainDecline(deps, plans, together))
}

/**
 * Burns the id that stands for payments which are refused together, so that no copy of them can happen
 * later; answers what has happened before.
 */
async function giveUp(
  deps: Pick<PayDeps, 'db' | 'ledger' | 'log'>,
  batchId: Uuid,
  keys: readonly [DescriptionKey, ...DescriptionKey[]],
  { fault, code }: { fault: number; code: RefusalCode },
): Promise<Extract<Together, { kind: 'done' | 'conflict' }> | undefined> {
  const burning = await settle(batchId, burn(deps.ledger, keys[0].operationId))
  if (burning.kind === 'happened') {
    return afterMoving(batchId, findTogether(deps.ledger, keys))
  }
  if (burning.wasBurnt) throw await afterMoving(batchId, refuseTogetherAgain(deps, keys))
  await keepDecline(deps, { ...keys[fault]!, attempt: 0, code })
  return undefined
}

async function toResults(
  deps: Pick<PayDeps, 'ledger'>,
  together: Extract<Together, { kind: 'done' | 'conflict' }>,
  plans: readonly PaymentPlan[],
): Promise<PayResult[]> {
  if (together.kind === 'conflict') throw new Refusal('idempotency_key_reused')
  const { replayed } = together
  const payments = together.operations.map((operation) => ({ replayed, operation }))
  const feeOf = await findFeesOf(deps, payments, plans)
  return payments.map((payment) => ({ status: 'done', ...payment, fee: feeOf(payment) }))
}

/**
 * The refusal of payments that the ledger has declined together. Which one it was because of is kept
 * with the reason, because a replay is only told that it was declined before.
 */
async function explainDecline(
  deps: Pick<PayDeps, 'db' | 'log'>,
  plans: readonly Plan[],
  { plan, submission }: Extract<Together, { kind: 'refused' }>,
): Promise<Refusal> {
  const isKnown = submission.kind === 'invalid' || submission.reason !== undefined
  if (isKnown) {
    const { operationId, inputHash } = plans[plan]!
    const code = codeOf(submission, plans[plan]!)
    await keepDecline(deps, { operationId, inputHash, attempt: 0, code })
    return refuseItem(plan, code)
  }
  return refuseTogetherAgain(deps, plans)
}

/** The refusal of payments that were declined together before: with the reason of then. */
async function refuseTogetherAgain(
  deps: Pick<PayDeps, 'db'>,
  keys: readonly DescriptionKey[],
): Promise<Refusal> {
  const ids = keys.map(({ operationId }) => operationId)
  const [decline] = (await findLastDeclines(deps.db, ids)).values()
  const headers = { 'Idempotency-Replayed': 'true' }
  if (!decline) return new Refusal('declined', { headers })
  return refuseItem(ids.indexOf(decline.operationId), decline.code as RefusalCode, { headers })
}

/** The refusal of a batch because of the payment with this index. */
function refuseItem(index: number, code: RefusalCode, options: RefusalOptions = {}): Refusal {
  const errors = options.errors?.map((error) => ({
    ...error,
    pointer: `/transfers/${index}${error.pointer}`,
  }))
  return new Refusal(code, {
    ...options,
    ...(errors ? { errors } : {}),
    extra: { ...options.extra, index },
  })
}

const refuseTooLarge = (extra: Record<string, number>) => new Refusal('batch_too_large', { extra })
