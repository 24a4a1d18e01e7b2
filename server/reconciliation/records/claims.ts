/** What PostgreSQL says of the ledger by itself: declines, results of payrolls, what is carried out. */
import { readApproval } from '../../../accounting/approvals.ts'
import { toLedgerId } from '../../../accounting/ids.ts'
import { lookUpTransfers } from '../../../accounting/lookup.ts'
import { attemptId } from '../../../accounting/transfers.ts'
import {
  declinePages,
  effectPages,
  findNotCarriedOut,
  findUnfinished,
  type PayrollRow,
  payrollRowPages,
} from '../../../db/record-pages.ts'
import { appliedKinds } from '../../flows/approval-effects.ts'
import { itemKey } from '../../flows/batch.ts'
import { toLedgerTime } from '../../flows/ledger-time.ts'
import { amountsOf, type RecordContext, type Transfer } from './context.ts'

/**
 * What was declined has not happened: neither the operation by its id, nor this
 * attempt at it. Answers how many rows there are.
 */
export async function compareDeclines({ trx, ledger, report }: RecordContext): Promise<number> {
  let count = 0
  for await (const page of declinePages(trx)) {
    count += page.length
    const idsOf = (row: (typeof page)[number]) => [
      ...(row.attempt === 0 ? [toLedgerId(row.operation_id)] : []),
      toLedgerId(attemptId(row.operation_id, row.attempt)),
    ]
    const happened = await lookUpTransfers(ledger, page.flatMap(idsOf))
    if (happened.size === 0) continue
    for (const row of page) {
      const transfer = idsOf(row)
        .map((id) => happened.get(id))
        .find((it) => it !== undefined)
      if (!transfer) continue
      report({
        kind: 'declined_but_done',
        subject: row.operation_id,
        ledgerIds: [transfer.id],
        recordIds: [`declines:${row.operation_id}/${row.attempt}`],
        amounts: amountsOf(transfer),
        since: transfer.timestamp,
        detail: `It was declined (${row.code}), and it has happened.`,
      })
    }
  }
  return count
}

/** Rows of payrolls were paid when they say so, and as they say. Answers how many have ended. */
export async function comparePayrolls({ trx, ledger, report }: RecordContext): Promise<number> {
  let count = 0
  for await (const page of payrollRowPages(trx)) {
    count += page.length
    const found = await lookUpTransfers(
      ledger,
      page.map((row) => toLedgerId(paymentOf(row))),
    )
    for (const row of page) {
      const subject = paymentOf(row)
      const transfer = found.get(toLedgerId(subject))
      const fault = findPayrollFault(row, transfer)
      if (!fault) continue
      const expected = row.status === 'done' ? BigInt(row.amount_minor ?? 0) : 0n
      report({
        kind: 'payroll_row_differs',
        subject,
        ledgerIds: transfer ? [transfer.id] : [],
        recordIds: [`payroll_items:${row.payroll_id}/${row.place}`],
        ...(transfer && { amounts: amountsOf(transfer, expected) }),
        since: transfer?.timestamp ?? row.created_at,
        detail: `Row ${row.place} of payroll ${row.payroll_id} ${fault}.`,
      })
    }
  }
  return count
}

const paymentOf = ({ payroll_id: operationId, input_hash, place }: PayrollRow): string =>
  itemKey({ operationId, inputHash: Number(input_hash) }, place).operationId

function findPayrollFault(row: PayrollRow, transfer: Transfer | undefined): string | undefined {
  const isOfInput = transfer && BigInt(transfer.user_data_32) === row.input_hash
  // What another input has used its id for is a reason to refuse it.
  if (row.status === 'refused') return isOfInput ? 'was refused, and was paid' : undefined
  if (!transfer || !isOfInput) return 'was paid, and the ledger does not have it'
  if (transfer.amount !== BigInt(row.amount_minor ?? 0)) return 'was paid by another amount'
  const isFromWallet = transfer.debit_account_id === toLedgerId(row.wallet_id)
  return isFromWallet ? undefined : 'was paid from another wallet'
}

/** How many of each kind are told; there is one reason for all of them. */
const unfinishedMax = 100

/** What recovery has to finish is finished after the time that this takes. */
export async function compareUnfinished(context: RecordContext): Promise<void> {
  const { trx, settledBefore, report } = context
  const limit = unfinishedMax
  for (const { table, id, since } of await findUnfinished(trx, { before: settledBefore, limit })) {
    const detail = `It is in ${table}, and whether the ledger has it was not settled.`
    report({ kind: 'not_settled', subject: id, recordIds: [`${table}:${id}`], since, detail })
  }
  const before = toLedgerTime(settledBefore.getTime())
  const approved = await findNotCarriedOut(trx, { kinds: appliedKinds, before, limit })
  for (const { id, changed_at: since } of approved) {
    const detail = 'It was approved, and is not carried out.'
    report({ kind: 'not_settled', subject: id, recordIds: [`approvals:${id}`], since, detail })
  }
}

/** What was carried out in PostgreSQL was approved. */
export async function compareEffects({ trx, ledger, range, report }: RecordContext): Promise<void> {
  for await (const page of effectPages(trx)) {
    for (const { approval_id: subject, created_at: since, state } of page) {
      if (state === 'approved') continue
      // Looked at again: the read model may not have it yet.
      const approval = await readApproval(ledger, subject, range.upTo)
      if (approval?.state === 'approved') continue
      const recordIds = [`approval_effects:${subject}`]
      const detail = 'It was carried out, and is not approved.'
      report({ kind: 'approval_differs', subject, recordIds, since, detail })
    }
  }
}
