/** What was given back, as a refund or to a payment system, was given back of what its row says. */
import { returnableAccount } from '../../../accounting/accounts.ts'
import { type Asset, ControlCode, findLedger, TransferCode } from '../../../accounting/chart.ts'
import { toLedgerId } from '../../../accounting/ids.ts'
import { canonicalAmount, formatAmount } from '../../../accounting/money.ts'
import { hashReversal, reversalId } from '../../../accounting/reversals.ts'
import { byInput, findRefundRows, findReversalRows } from '../../../db/record-rows.ts'
import {
  findFalseAttempts,
  inputOf,
  placeOf,
  type RecordCheck,
  type RecordContext,
  type Seen,
  type Transfer,
} from './context.ts'

type ReversalRow = Awaited<ReturnType<typeof findReversalRows>>[number]

/** What shows that a part was given back: its use of what may be, which tells of what. */
export const returns: RecordCheck = {
  codes: [TransferCode.refund, ControlCode.returnable_use],
  async compare(context, seen) {
    const refunds = seen.filter(({ transfer }) => transfer.code === TransferCode.refund)
    await compareRefunds(context, refunds)
    const uses = seen.filter(({ transfer }) => transfer.code === ControlCode.returnable_use)
    await compareReversals(
      context,
      uses.filter((use) => !findRefund(use)),
    )
  },
}

const findRefund = ({ transfer, chain }: Seen) =>
  findOfOperation(chain, transfer, TransferCode.refund)

function findOfOperation(chain: Seen['chain'], transfer: Transfer, code: number) {
  return chain.find((it) => it.code === code && it.user_data_128 === transfer.user_data_128)
}

async function compareRefunds(
  { trx, report }: RecordContext,
  seen: readonly Seen[],
): Promise<void> {
  const ids = seen.map(({ operationId }) => operationId)
  const rows = byInput(await findRefundRows(trx, ids))
  for (const it of seen) {
    const { transfer, chain } = it
    const row = rows.get(inputOf(it))
    const place = placeOf(transfer)
    if (!row) {
      report({
        kind: 'return_without_record',
        ...place,
        detail: 'Nobody has asked for this refund.',
      })
      continue
    }
    const use = findOfOperation(chain, transfer, ControlCode.returnable_use)
    if (use && isOf(use, row.transfer_id)) continue
    const recordIds = [`refunds:${row.id}`]
    const detail = `This is not a refund of ${row.transfer_id}.`
    report({ kind: 'return_differs', ...place, recordIds, detail })
  }
}

/** Whether a use is one of what may be given back of this operation. */
function isOf(use: Transfer, operationId: string): boolean {
  const asset = findLedger(use.ledger)?.asset
  if (!asset) return false
  return use.debit_account_id === toLedgerId(returnableAccount(operationId, asset).id)
}

async function compareReversals(context: RecordContext, seen: readonly Seen[]): Promise<void> {
  const ids = seen.map(({ operationId }) => operationId)
  const rows = byInput(await findReversalRows(context.trx, ids))
  const falseAttempts = await findFalseAttempts(context, seen)
  for (const it of seen) {
    const { transfer, chain } = it
    const row = rows.get(inputOf(it))
    const place = placeOf(transfer)
    if (!row) {
      const detail = 'No payment system has told that it took this back.'
      context.report({ kind: 'return_without_record', ...place, detail })
      continue
    }
    const attempt = falseAttempts.get(transfer.id)
    const faults = findFaults(context, transfer, chain, row)
    if (attempt) faults.push(attempt)
    if (faults.length === 0) continue
    const recordIds = [`reversals:${row.id}`]
    const detail = `Of the reversal ${row.reference}: ${faults.join('; ')}.`
    context.report({ kind: 'return_differs', ...place, recordIds, detail })
  }
}

function findFaults(
  { paymentSystems, clearingOf }: RecordContext,
  use: Transfer,
  chain: Seen['chain'],
  row: ReversalRow,
): string[] {
  const asset = findLedger(use.ledger)?.asset
  if (!asset) return ['it is in a currency that there is not']
  const faults: string[] = []
  const number = paymentSystems.get(row.payment_system_id)
  if (number === undefined || reversalId(number, row.reference) !== row.id) {
    faults.push('its id is not that of this payment system and reference')
  } else if (!isBackTo(chain, clearingOf(row.payment_system_id, asset))) {
    faults.push('it went to the clearing account of another payment system')
  }
  if (!isOf(use, row.deposit_id)) faults.push(`it is not of the deposit ${row.deposit_id}`)
  if (!hashesOf(row.deposit_id, use.amount, asset).includes(use.user_data_32)) {
    faults.push('its amount is another than was told')
  }
  return faults
}

const backCodes: readonly number[] = [TransferCode.chargeback, TransferCode.suspense_return]

const isBackTo = (chain: Seen['chain'], clearingId: bigint | undefined): boolean =>
  chain.some((it) => backCodes.includes(it.code) && it.credit_account_id === clearingId)

/** Of this amount, or of all that was left. */
function hashesOf(depositId: string, amountMinor: bigint, asset: Asset): number[] {
  const text = canonicalAmount(formatAmount(amountMinor, asset)) ?? null
  return [hashReversal(depositId, text), hashReversal(depositId, null)]
}
