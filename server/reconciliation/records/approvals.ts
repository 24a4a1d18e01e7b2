/** What was decided and booked for the house was asked for, and is what was asked for. */
import { adjustmentAccounts } from '../../../accounting/adjustments.ts'
import { hashDecision, withdrawnId } from '../../../accounting/approvals.ts'
import { ControlCode, findAsset, TransferCode } from '../../../accounting/chart.ts'
import { computeUuid, toLedgerId, toUuid } from '../../../accounting/ids.ts'
import { lookUpTransfers } from '../../../accounting/lookup.ts'
import { parseAmount } from '../../../accounting/money.ts'
import { phaseOf } from '../../../accounting/transfers.ts'
import { byInput, findApprovalRows, findDecisionRows } from '../../../db/record-rows.ts'
import type { AdjustmentBody } from '../../flows/adjust.ts'
import {
  inputOf,
  operationOf,
  placeOf,
  type RecordCheck,
  type RecordContext,
  type Seen,
  type Transfer,
} from './context.ts'

const adjustmentCodes: readonly number[] = [
  TransferCode.liquidity_funding,
  TransferCode.liquidity_draining,
  TransferCode.settlement,
  TransferCode.prefunding,
  TransferCode.payment_system_fee,
  TransferCode.payment_system_income,
  TransferCode.equity_contribution,
  TransferCode.equity_withdrawal,
  TransferCode.write_off,
  TransferCode.suspense_payout,
  TransferCode.reward,
]

export const approvals: RecordCheck = {
  codes: [ControlCode.approval, ...adjustmentCodes],
  async compare(context, seen) {
    const isAdjustment = ({ transfer }: Seen) => adjustmentCodes.includes(transfer.code)
    await compareRights(
      context,
      seen.filter((it) => !isAdjustment(it)),
    )
    await compareAdjustments(context, seen.filter(isAdjustment))
  },
}

async function compareRights({ trx, report }: RecordContext, seen: readonly Seen[]): Promise<void> {
  const ids = seen.map(({ operationId }) => operationId)
  const asked = byInput(await findApprovalRows(trx, ids))
  const decisions = byInput(await findDecisionRows(trx, ids))
  for (const it of seen) {
    const { transfer } = it
    // A right is of no amount.
    const { amounts, ...place } = placeOf(transfer)
    const row = decisions.get(inputOf(it))
    if (phaseOf(transfer.flags) === 'pending') {
      const detail = 'Nobody has asked for this approval.'
      if (!asked.has(inputOf(it))) report({ kind: 'approval_without_record', ...place, detail })
    } else if (!row) {
      const detail = 'It was decided, and nobody has told who has decided.'
      report({ kind: 'approval_without_record', ...place, detail })
    } else if (!isDecidedBy(transfer, row)) {
      const recordIds = [`approval_decisions:${row.id}`]
      const detail = 'What was told about the decision is not what the ledger has of it.'
      report({ kind: 'approval_differs', ...place, recordIds, detail })
    }
  }
}

type DecisionRow = Awaited<ReturnType<typeof findDecisionRows>>[number]

function isDecidedBy(transfer: Transfer, row: DecisionRow): boolean {
  const isWithdrawn = toUuid(transfer.id) === withdrawnId(row.id)
  const ended = isWithdrawn ? 'withdrawn' : 'rejected'
  const decision = phaseOf(transfer.flags) === 'post' ? 'approved' : ended
  const told = { decision, operatorId: row.operator_id, reason: row.reason } as const
  return hashDecision(row.id, told) === transfer.user_data_32
}

async function compareAdjustments(context: RecordContext, seen: readonly Seen[]): Promise<void> {
  const uses = new Map(seen.flatMap(findUse))
  const asked = byInput(await findApprovalRows(context.trx, [...uses.values()]))
  const payouts = seen.flatMap(({ transfer: { id, code } }) =>
    code === TransferCode.suspense_payout ? (uses.get(id) ?? []) : [],
  )
  const rights = await lookUpTransfers(context.ledger, payouts.map(toLedgerId))
  for (const it of seen) {
    const { transfer } = it
    const approvalId = uses.get(transfer.id)
    const place = placeOf(transfer)
    if (!approvalId) {
      const detail = 'The house has booked this, and it was not approved.'
      context.report({ kind: 'approval_without_record', ...place, detail })
      continue
    }
    // A payout has the id and the hash of the deposit that was in suspense: what was asked for tells the right.
    const isPayout = transfer.code === TransferCode.suspense_payout
    const told = isPayout ? rights.get(toLedgerId(approvalId)) : transfer
    const row = asked.get(`${approvalId}/${told?.user_data_32}`)
    // That it is missing is told of the right.
    if (!row) continue
    const body = row.kind === 'adjustment' ? (row.body as AdjustmentBody) : undefined
    const fault = body ? findFault(context, transfer, body) : 'no adjustment was approved'
    if (!fault) continue
    const recordIds = [`approvals:${approvalId}`]
    const detail = `The house has booked this, and ${fault}.`
    context.report({ kind: 'approval_differs', ...place, subject: approvalId, recordIds, detail })
  }
}

/** The approval that was used in the same chain. */
function findUse({ transfer, chain }: Seen): [bigint, string][] {
  const isUse = ({ code, flags }: Transfer) =>
    code === ControlCode.approval && phaseOf(flags) === 'post'
  const use = chain.find(isUse)
  return use ? [[transfer.id, operationOf(use)]] : []
}

/** In place of a party that is not named. */
const nobody = computeUuid('nobody')

function findFault(
  { paymentSystems }: RecordContext,
  transfer: Transfer,
  body: AdjustmentBody,
): string | undefined {
  const { kind, amount, currency } = body
  const asset = findAsset(currency)
  if (!asset || asset.ledger !== transfer.ledger) return `${currency} was approved`
  if (TransferCode[kind] !== transfer.code) return `a ${kind} was approved`
  if (parseAmount(amount, asset) !== transfer.amount) return `${amount} ${currency} was approved`
  if (kind === 'suspense_payout') {
    const isApproved = operationOf(transfer) === body.deposit_id
    return isApproved ? undefined : `the payout of deposit ${body.deposit_id} was approved`
  }
  const [debit, credit] = adjustmentAccounts(kind, {
    asset,
    paymentSystemNumber: paymentSystems.get(body.payment_system_id ?? '') ?? 0,
    userId: body.user_id ?? nobody,
    walletId: body.wallet_id ?? nobody,
  })
  const isApproved =
    toUuid(transfer.debit_account_id) === debit.id &&
    toUuid(transfer.credit_account_id) === credit.id
  return isApproved ? undefined : 'it was approved for somebody else'
}
