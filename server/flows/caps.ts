/** Caps: what payment systems may bring in, of which a raise can need an approval. */
import type { Uuid } from '../../accounting/ids.ts'
import {
  insertApprovedDefaultLimit,
  insertApprovedLimit,
  type LimitKey,
  type UserLimits,
} from '../../db/limits.ts'
import type { Deps } from '../deps.ts'
import type { RefusalCode } from '../refusals.ts'
import { readCurrency } from './amount.ts'
import type { ApprovalParty } from './approval-effects.ts'
import { isRaise, resolveLimit } from './limit-rules.ts'
import {
  findLimited,
  type LimitChange,
  putLimitInForce,
  readLimitAmount,
  toNewDefaultLimit,
  toNewLimit,
} from './limits.ts'

/** A cap that an operator asks for: of a payment system, or of all for which none is set alone. */
export type CapBody =
  | (LimitKey & { user_id: Uuid; amount: LimitChange['amount'] })
  | (LimitKey & { kind: 'payment_system'; amount: string | null })

type CapDeps = Pick<Deps, 'db' | 'ledger' | 'settings'>

/**
 * What is set (minor units), if what is asked for lets a payment system bring in more. It is at most a
 * second old: what is not told to be a raise is at most what held a second ago.
 * Refusals: those of setLimit and setDefaultLimit but idempotency_key_reused and outcome_unknown.
 */
export async function findRaised(deps: CapDeps, cap: CapBody): Promise<bigint | undefined> {
  const { currency, amount } = cap
  const asset = await readCurrency(deps, currency)
  const wanted = amount === 'default' ? amount : readLimitAmount(amount, asset)
  const settings = await deps.settings.read()
  const byDefault = { kind: 'payment_system', kindVersion: 0n, own: [] } as const
  const user = 'user_id' in cap ? await findLimited(deps, cap.user_id) : byDefault
  if (user.kind !== 'payment_system') return undefined
  const amountOf = (it: Omit<UserLimits, 'userId'>) => resolveLimit(it, settings, cap).amountMinor
  const [before, after] = [amountOf(user), wanted === 'default' ? amountOf(byDefault) : wanted]
  return before !== null && isRaise(before, after) ? before : undefined
}

/**
 * Sets a cap that is approved, once, to the amount that was asked for, unless another one was set in its
 * place since. Answers why it could not be set, or null.
 */
export async function setCap(
  deps: CapDeps & Pick<Deps, 'sessions'>,
  body: CapBody,
  { id, requestedBy, approvedAt }: ApprovalParty,
): Promise<RefusalCode | null> {
  const setBy = requestedBy.id
  if ('kind' in body) {
    const limit = await toNewDefaultLimit(deps, { ...body, id, setBy })
    const isSet = await insertApprovedDefaultLimit(deps.db, limit, approvedAt)
    deps.settings.forget()
    return isSet ? null : 'superseded'
  }
  const { user_id: userId, ...change } = body
  const limit = await toNewLimit(deps, { ...change, id, userId, setBy })
  if (!(await insertApprovedLimit(deps.db, limit, approvedAt))) return 'superseded'
  await putLimitInForce(deps, limit)
  return null
}
