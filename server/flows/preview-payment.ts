import type { Fee } from '../../accounting/fees.ts'
import { principalOf } from '../../accounting/transfers.ts'
import { mintId } from '../../db/ids.ts'
import type { Customer } from '../caller.ts'
import { type PayDeps, type PayInput, paymentTerms, planPayment } from './pay.ts'

/** What a payment would move, in minor units. */
export interface PaymentPreview {
  amountMinor: bigint
  fee: Fee | undefined
  /** What would leave the sender's wallet. */
  totalMinor: bigint
  /** What the recipient would get. */
  arrivesMinor: bigint
  currency: string
}

/**
 * What a payment would cost, by the plan that paying carries out; nothing is moved.
 * Refusals: those of amounts and of resolveRoute, currency_not_supported.
 */
export async function previewPayment(
  deps: PayDeps,
  caller: Customer,
  input: PayInput,
): Promise<PaymentPreview> {
  const key = { operationId: mintId(), inputHash: 1 }
  const plan = await planPayment(deps, caller, input, paymentTerms, key)
  const { amountMinor, asset } = principalOf(plan)
  const { fee } = plan
  const onTop = fee?.bearer === 'sender' ? fee.amountMinor : 0n
  const outOf = fee?.bearer === 'recipient' ? fee.amountMinor : 0n
  return {
    amountMinor,
    fee,
    totalMinor: amountMinor + onTop,
    arrivesMinor: amountMinor - outOf,
    currency: asset.currency,
  }
}
