import { type NotDone, submitEach } from '../../accounting/batches.ts'
import { assetOf } from '../../accounting/chart.ts'
import { type Fee, findFees } from '../../accounting/fees.ts'
import type { Uuid } from '../../accounting/ids.ts'
import {
  type Plan,
  planNever,
  type StoredOperation,
  type Submission,
} from '../../accounting/transfers.ts'
import {
  type DescriptionKey,
  findLastDeclines,
  insertMemos,
  type Memo,
} from '../../db/descriptions.ts'
import type { Payer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { readCurrency } from './amount.ts'
import { readCharges } from './charges.ts'
import {
  type PayDeps,
  type PayInput,
  type PaymentPlan,
  paymentTerms,
  planRoute,
  readDecline,
} from './pay.ts'
import { findKnownRoute, type Route, resolveRoute } from './resolve-wallets.ts'
import { afterMoving, declineCodes, keepDeclines, refuseInvalid, settle } from './settle.ts'
import { findIn } from './wallet-finder.ts'

/** One payment of several, under an id of its own. */
export interface PayItem {
  key: DescriptionKey
  input: PayInput
}

export type PayResult = { replayed: boolean } & (
  | { status: 'done'; operation: StoredOperation; fee: Fee | undefined }
  | { status: 'refused'; code: RefusalCode }
)

/**
 * Submits payments that succeed or fail each for itself, in this order; the results have the same order.
 * What is wrong with one is there in place of its plan.
 * Each result is final: who sends the same items again is told the same, be it another process at the
 * same time. So also what was refused before it got to the ledger has its id burnt there. One whose id
 * another input has used is idempotency_key_reused, in its place.
 * Refusal, of all together: outcome_unknown (with `batchId`).
 */
export async function submitPlanned(
  deps: PayDeps,
  batchId: Uuid,
  items: readonly PayItem[],
  planned: readonly (PaymentPlan | Refusal)[],
): Promise<PayResult[]> {
  await insertMemos(deps.db, memosOf(items))
  const plans = planned.map((plan, index) =>
    plan instanceof Refusal ? planNever(items[index]!.key) : plan,
  )
  const submissions = await settle(batchId, submitEach(deps.ledger, plans))
  return afterMoving(batchId, readResults(deps, planned, plans, submissions))
}

/**
 * Plans each of several payments, as one alone is planned; what is wrong with one is told in its place.
 * What has to be waited for is read once for all of them.
 */
export async function planEach(
  deps: PayDeps,
  caller: Payer,
  items: readonly PayItem[],
): Promise<(PaymentPlan | Refusal)[]> {
  const routes = await resolveEach(deps, caller, items)
  const currencies = new Set(routes.flatMap((it) => ('from' in it ? [it.from.currency] : [])))
  const charges = await readEach(currencies, (it) => readCharges(deps, caller, assetOf(it)))
  return items.map(({ key, input }, index) => {
    const route = routes[index]!
    if (route instanceof Refusal) return route
    try {
      return planRoute(route, charges.get(route.from.currency)!, input, paymentTerms, key)
    } catch (error) {
      return asRefusal(error)
    }
  })
}

/** The wallets of each payment, or why there are none. */
async function resolveEach(
  deps: PayDeps,
  caller: Payer,
  items: readonly PayItem[],
): Promise<(Route | Refusal)[]> {
  const named = new Set(items.flatMap(({ input: { currency } }) => currency ?? []))
  const currencies = await readEach(named, (it) => readCurrency(deps, it).catch(asRefusal))
  const finder = findIn(deps.db)
  const routes = items.map(({ input }) => {
    const currency = input.currency === undefined ? undefined : currencies.get(input.currency)
    if (currency instanceof Refusal) return currency
    const known = findKnownRoute(caller, input)
    return known ?? resolveRoute(deps, caller, input, finder).catch(asRefusal)
  })
  return Promise.all(routes)
}

async function readEach<Key, Value>(
  keys: ReadonlySet<Key>,
  read: (key: Key) => Promise<Value>,
): Promise<Map<Key, Value>> {
  return new Map(await Promise.all([...keys].map(async (key) => [key, await read(key)] as const)))
}

/** What is wrong with one payment; throws what is wrong with Kassa. */
function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  throw error
}

/** The memos of those payments that have one. */
export function memosOf(items: readonly PayItem[]): Memo[] {
  return items.flatMap(({ key, input: { memo } }) => (memo === undefined ? [] : [{ ...key, memo }]))
}

async function readResults(
  deps: Pick<Deps, 'db' | 'ledger' | 'log'>,
  planned: readonly (PaymentPlan | Refusal)[],
  plans: readonly Plan[],
  submissions: readonly Submission[],
): Promise<PayResult[]> {
  const before = plans.filter((_, index) => isDeclinedBefore(submissions[index]!))
  const known = await findLastDeclines(
    deps.db,
    before.map(({ operationId }) => operationId),
  )
  const feeOf = await findFeesOf(deps, submissions.flatMap(toDone), planned)
  const results = submissions.map((submission, index): PayResult => {
    const plan = planned[index]!
    // Not fresh: what has happened under its id is no decline, and is kept.
    if (submission.kind === 'conflict') {
      return { status: 'refused', replayed: true, code: 'idempotency_key_reused' }
    }
    if (submission.kind === 'done') {
      const { replayed, operation } = submission
      return { status: 'done', replayed, operation, fee: feeOf(submission) }
    }
    if (isDeclinedBefore(submission)) {
      const decline = known.get(plans[index]!.operationId)
      const code = (decline?.code as RefusalCode | undefined) ?? 'declined'
      return { status: 'refused', replayed: true, code }
    }
    const code = plan instanceof Refusal ? plan.code : codeOf(submission, plan)
    return { status: 'refused', replayed: false, code }
  })
  const fresh = results.flatMap((result, index) => {
    if (result.status === 'done' || result.replayed) return []
    const { operationId, inputHash } = plans[index]!
    return [{ operationId, inputHash, attempt: 0, code: result.code }]
  })
  await keepDeclines(deps, fresh)
  return results
}

const isDeclinedBefore = (submission: Submission): boolean =>
  submission.kind === 'declined' && submission.reason === undefined

/** A payment of several that has happened. */
export type DonePayment = Pick<Extract<Submission, { kind: 'done' }>, 'operation' | 'replayed'>

const toDone = (submission: Submission): DonePayment[] =>
  submission.kind === 'done' ? [submission] : []

/** The fees of payments: as they were planned, or of those that had happened before as the ledger has them. */
export async function findFeesOf(
  { ledger }: Pick<Deps, 'ledger'>,
  payments: readonly DonePayment[],
  planned: readonly (PaymentPlan | Refusal)[],
): Promise<(payment: DonePayment) => Fee | undefined> {
  const fees = new Map(
    planned.flatMap((plan) => ('fee' in plan && plan.fee ? [[plan.operationId, plan.fee]] : [])),
  )
  const before = payments.filter(({ replayed }) => replayed).map(({ operation }) => operation)
  const stored = await findFees(ledger, before)
  return ({ replayed, operation: { operationId, transferId } }) =>
    replayed ? stored.get(transferId) : fees.get(operationId)
}

/** What it means for a payment that the ledger has not carried it out. */
export function codeOf(submission: NotDone, plan: Plan): RefusalCode {
  if (submission.kind === 'invalid') return refuseInvalid(submission.status).code
  if (submission.reason === undefined) return 'declined'
  return readDecline(plan, submission.leg, declineCodes[submission.reason]).code
}
