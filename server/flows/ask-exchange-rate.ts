import { hashInput } from '../../accounting/ids.ts'
import { isAskedFor } from '../../db/approvals.ts'
import {
  type ExchangeRateRow,
  findExchangeRate,
  type NewExchangeRate,
} from '../../db/exchange-rates.ts'
import type { Operator } from '../caller.ts'
import {
  type ApprovalDeps,
  ask,
  type DescribedApproval,
  refuseFailed,
  wasApprovedAtOnce,
} from './approvals.ts'
import {
  checkRate,
  type ExchangeRateBody,
  findFarFrom,
  readMid,
  setExchangeRate,
} from './exchange-rates.ts'
import { nameOperation } from './pay.ts'

/**
 * Sets the rate of a pair of currencies, or asks for it when it is far from the last one (findFarFrom).
 * Without four eyes that happens at once as well. With an idempotency key it happens at most once, and is
 * told as it was told first, however far the rate is by then.
 * Refusals: those of setExchangeRate, exchange_rate_expired, busy, outcome_unknown.
 */
export async function askExchangeRate(
  deps: ApprovalDeps,
  operator: Operator,
  { mid, ...told }: Omit<NewExchangeRate, 'id'>,
  idempotencyKey: string | undefined,
): Promise<{ replayed: boolean } & ({ approval: DescribedApproval } | { rate: ExchangeRateRow })> {
  const id = nameOperation(operator, idempotencyKey)
  const rate = { id, ...told, mid: readMid(mid) }
  let reason = 'It is far from the last rate'
  if (!(await isAskedFor(deps.db, id))) {
    const isSet = (await findExchangeRate(deps.db, id)) !== undefined
    const last = isSet ? undefined : await findFarFrom(deps, rate)
    if (!last) return setExchangeRate(deps, rate)
    await checkRate(deps, rate)
    reason += `, which is ${last.base}/${last.quote} ${last.mid}`
  }
  const body = toBody(rate)
  const subject = { kind: 'exchange_rate', body, reason } as const
  const inputHash = hashInput('exchange rate', ...Object.values(body))
  const { approval, replayed } = await ask(deps, operator, subject, { operationId: id, inputHash })
  if (!wasApprovedAtOnce(approval)) return { approval, replayed }
  refuseFailed(approval)
  const set = await setExchangeRate(deps, rate)
  return { rate: set.rate, replayed }
}

function toBody(rate: NewExchangeRate): ExchangeRateBody {
  const { base, quote, mid, spreadBasisPoints, source, validUntil } = rate
  return {
    base,
    quote,
    mid,
    spread_basis_points: spreadBasisPoints,
    source,
    valid_until: validUntil.toISOString(),
  }
}
