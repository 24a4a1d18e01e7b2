import { hashInput, type Uuid } from '../../accounting/ids.ts'
import { canonicalAmount } from '../../accounting/money.ts'
import { isAskedFor } from '../../db/approvals.ts'
import { findDefaultLimit, findLimit, type NewDefaultLimit } from '../../db/limits.ts'
import type { Operator } from '../caller.ts'
import { showAmount } from './amount.ts'
import {
  type ApprovalDeps,
  ask,
  type DescribedApproval,
  refuseFailed,
  wasApprovedAtOnce,
} from './approvals.ts'
import { type CapBody, findRaised } from './caps.ts'
import {
  type DefaultLimitChange,
  type Limit,
  type LimitChange,
  setDefaultLimit,
  setLimit,
} from './limits.ts'
import { nameOperation } from './pay.ts'

/** What was set, or asked for; `replayed` when it was before, under the same key. */
type Asked<T> = { replayed: boolean } & ({ approval: DescribedApproval } | { limit: T })

/**
 * Sets a limit of a user, or asks for it when it raises what a payment system may bring in. Without four
 * eyes that happens at once as well. With an idempotency key it happens at most once.
 * Refusals: those of setLimit, busy, superseded.
 */
export async function askLimit(
  deps: ApprovalDeps,
  operator: Operator,
  wanted: Omit<LimitChange, 'id' | 'setBy'>,
  idempotencyKey: string | undefined,
): Promise<Asked<Limit>> {
  const id = nameOperation(operator, idempotencyKey)
  const { userId, ...limit } = wanted
  const body = { user_id: userId, ...limit }
  const asked = await askRaise(deps, operator, id, body, () => findLimit(deps.db, id))
  if (asked && !wasApprovedAtOnce(asked.approval)) return asked
  const set = await setLimit(deps, { ...wanted, id, setBy: operator.userId })
  return { ...set, ...(asked && { replayed: asked.replayed }) }
}

/**
 * The same of a limit of everyone of a kind.
 * Refusals: those of setDefaultLimit, busy, superseded, outcome_unknown.
 */
export async function askDefaultLimit(
  deps: ApprovalDeps,
  operator: Operator,
  wanted: Omit<DefaultLimitChange, 'id' | 'setBy'>,
  idempotencyKey: string | undefined,
): Promise<Asked<NewDefaultLimit>> {
  const id = nameOperation(operator, idempotencyKey)
  const { kind } = wanted
  const asked =
    kind === 'payment_system'
      ? await askRaise(deps, operator, id, { ...wanted, kind }, () => findDefaultLimit(deps.db, id))
      : undefined
  if (asked && !wasApprovedAtOnce(asked.approval)) return asked
  const set = await setDefaultLimit(deps, { ...wanted, id, setBy: operator.userId })
  return { ...set, ...(asked && { replayed: asked.replayed }) }
}

/**
 * Asks for a cap when it raises what may be brought in, or was asked for under this id before; otherwise no
 * approval is needed. Refuses one that is approved and superseded.
 */
async function askRaise(
  deps: ApprovalDeps,
  operator: Operator,
  operationId: Uuid,
  body: CapBody,
  findSet: () => Promise<object | undefined>,
): Promise<{ approval: DescribedApproval; replayed: boolean } | undefined> {
  let reason = 'It raises what may be brought in'
  if (!(await isAskedFor(deps.db, operationId))) {
    const before = (await findSet()) ? undefined : await findRaised(deps, body)
    if (before === undefined) return undefined
    const { currency, window } = body
    reason += `, which is ${showAmount(before, currency)} ${currency} a ${window}`
  }
  const subject = { kind: 'limit', body, reason } as const
  const amount = body.amount === null ? null : (canonicalAmount(body.amount) ?? body.amount)
  const inputHash = hashInput('limit', ...Object.values({ ...body, amount }))
  const asked = await ask(deps, operator, subject, { operationId, inputHash })
  refuseFailed(asked.approval)
  return asked
}
