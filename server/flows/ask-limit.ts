import { hashInput, type Uuid } from '../../accounting/ids.ts'
import { mintId } from '../../db/ids.ts'
import type { DefaultLimit } from '../../db/limits.ts'
import type { Operator } from '../caller.ts'
import { type ApprovalDeps, ask, type DescribedApproval, wasApprovedAtOnce } from './approvals.ts'
import {
  type CapBody,
  isRaisedCap,
  type Limit,
  type LimitChange,
  setDefaultLimit,
  setLimit,
} from './limits.ts'

/**
 * Sets a limit of a user, or asks for it when it raises what a payment system may bring in. Without four
 * eyes that happens at once as well.
 * Refusals: those of setLimit, busy.
 */
export async function askLimit(
  deps: ApprovalDeps,
  operator: Operator,
  wanted: Pick<LimitChange, 'userId' | 'currency' | 'window' | 'amount'>,
): Promise<{ approval: DescribedApproval } | { limit: Limit }> {
  const id = mintId()
  const { userId, ...limit } = wanted
  const approval = await askRaise(deps, operator, id, { user_id: userId, ...limit })
  if (approval && !wasApprovedAtOnce(approval)) return { approval }
  return { limit: await setLimit(deps, { ...wanted, id, setBy: operator.userId }) }
}

/**
 * The same of a limit of everyone of a kind.
 * Refusals: those of setDefaultLimit, busy, outcome_unknown.
 */
export async function askDefaultLimit(
  deps: ApprovalDeps,
  operator: Operator,
  wanted: Omit<DefaultLimit, 'amountMinor' | 'version'> & { amount: string | null },
): Promise<{ approval: DescribedApproval } | { limit: Omit<DefaultLimit, 'version'> }> {
  const id = mintId()
  const { kind } = wanted
  if (kind === 'payment_system') {
    const approval = await askRaise(deps, operator, id, { ...wanted, kind })
    if (approval && !wasApprovedAtOnce(approval)) return { approval }
  }
  return { limit: await setDefaultLimit(deps, { ...wanted, id, setBy: operator.userId }) }
}

/** The approval of a cap when it raises what may be brought in; otherwise none is needed. */
async function askRaise(
  deps: ApprovalDeps,
  operator: Operator,
  operationId: Uuid,
  body: CapBody,
): Promise<DescribedApproval | undefined> {
  if (!(await isRaisedCap(deps, body))) return undefined
  const reason = 'It raises what may be brought in'
  const subject = { kind: 'limit', body, reason } as const
  const inputHash = hashInput('limit', ...Object.values(body))
  const { approval } = await ask(deps, operator, subject, { operationId, inputHash })
  return approval
}
