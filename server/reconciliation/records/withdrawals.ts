/** Each withdrawal was asked for, and ends as its payment system has told. */
import { findLedger, TransferCode } from '../../../accounting/chart.ts'
import { toLedgerId } from '../../../accounting/ids.ts'
import { phaseOf } from '../../../accounting/transfers.ts'
import { hashConfirmation, hashFailure } from '../../../accounting/withdrawals.ts'
import { byInput, findOutcomeRows, findWithdrawalRows } from '../../../db/record-rows.ts'
import { inputOf, placeOf, type RecordCheck, type RecordContext, type Transfer } from './context.ts'

export const withdrawals: RecordCheck = {
  codes: [TransferCode.withdrawal],
  async compare(context, seen) {
    const ids = seen.map(({ operationId }) => operationId)
    const asked = byInput(await findWithdrawalRows(context.trx, ids))
    const outcomes = byInput(await findOutcomeRows(context.trx, ids))
    for (const it of seen) {
      const { transfer } = it
      const key = inputOf(it)
      const isStart = phaseOf(transfer.flags) === 'pending'
      if (isStart) compareStart(context, transfer, asked.get(key))
      // Who cancels a withdrawal tells nothing: the transfer has the hash of the request.
      else if (!(phaseOf(transfer.flags) === 'void' && asked.has(key))) {
        compareEnd(context, transfer, outcomes.get(key))
      }
    }
  },
}

type WithdrawalRow = Awaited<ReturnType<typeof findWithdrawalRows>>[number]
type OutcomeRow = Awaited<ReturnType<typeof findOutcomeRows>>[number]

function compareStart(
  { clearingOf, report }: RecordContext,
  transfer: Transfer,
  row: WithdrawalRow | undefined,
): void {
  if (!row) {
    const detail = 'Nobody has asked for this withdrawal.'
    report({ kind: 'withdrawal_without_record', ...placeOf(transfer), detail })
    return
  }
  const faults: string[] = []
  if (toLedgerId(row.wallet_id) !== transfer.debit_account_id) {
    faults.push(`it is not from wallet ${row.wallet_id}`)
  }
  const asset = findLedger(transfer.ledger)?.asset
  const clearing = asset && clearingOf(row.payment_system_id, asset)
  if (clearing !== transfer.credit_account_id) {
    faults.push('it is not through the payment system that was asked for')
  }
  if (faults.length === 0) return
  const recordIds = [`withdrawals:${row.id}`]
  const detail = `Of this withdrawal: ${faults.join('; ')}.`
  report({ kind: 'withdrawal_differs', ...placeOf(transfer), recordIds, detail })
}

function compareEnd(
  { report }: RecordContext,
  transfer: Transfer,
  row: OutcomeRow | undefined,
): void {
  const isPaid = phaseOf(transfer.flags) === 'post'
  const end = isPaid ? 'was paid out' : 'has failed'
  if (!row) {
    const detail = `The withdrawal ${end}, and the payment system has not told so.`
    report({ kind: 'withdrawal_without_record', ...placeOf(transfer), detail })
    return
  }
  const { id, reference, reason } = row
  const isTold = isPaid
    ? reference !== null && hashConfirmation(id, reference) === transfer.user_data_32
    : reason !== null && hashFailure(id, reason) === transfer.user_data_32
  if (isTold) return
  const recordIds = [`withdrawal_outcomes:${id}`]
  const detail = `The withdrawal ${end}, and that is not what the payment system has told.`
  report({ kind: 'withdrawal_differs', ...placeOf(transfer), recordIds, detail })
}
