import { TransferCode } from '../../accounting/chart.ts'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { type PayInput, pay } from './pay.ts'
import { type Payment, toPayment } from './read-payment.ts'

/**
 * Pays from one of the caller's wallets into another wallet, at once: debit payer, credit payee.
 * Refusals: those of pay.
 */
export async function send(
  deps: Pick<Deps, 'db' | 'ledger' | 'log' | 'memos'>,
  caller: Customer,
  input: PayInput,
  idempotencyKey: string | undefined,
): Promise<{ payment: Payment; replayed: boolean }> {
  const terms = { name: 'payment', code: TransferCode.payment } as const
  const { operation, replayed } = await pay(deps, caller, input, terms, idempotencyKey)
  const paid = { ...operation, kind: 'payment', id: operation.operationId } as const
  return { payment: toPayment(paid, input.memo), replayed }
}
