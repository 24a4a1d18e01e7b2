/** Each request for money says who asks whom, and was paid as it was asked for. */
import { requestAllowanceAccount } from '../../../accounting/accounts.ts'
import { ControlCode, findLedger, TransferCode } from '../../../accounting/chart.ts'
import { toLedgerId, toUuid } from '../../../accounting/ids.ts'
import { acceptanceId } from '../../../accounting/requests.ts'
import { phaseOf } from '../../../accounting/transfers.ts'
import { byId, byInput, findRequestRows, findWalletRows } from '../../../db/record-rows.ts'
import { amountsOf, inputOf, type RecordCheck, type Seen, type Transfer } from './context.ts'

type RequestRow = Awaited<ReturnType<typeof findRequestRows>>[number]

export const paymentRequests: RecordCheck = {
  codes: [ControlCode.request],
  async compare({ trx, report }, seen) {
    const concerned = seen.filter(({ transfer }) => phaseOf(transfer.flags) !== 'void')
    const ids = concerned.map(({ operationId }) => operationId)
    const rows = byInput(await findRequestRows(trx, ids))
    const payments = new Map(concerned.flatMap(findPayment))
    const payers = [...payments.values()].map((it) => toUuid(it.debit_account_id))
    const wallets = byId(await findWalletRows(trx, payers))
    for (const it of concerned) {
      const { transfer, operationId: subject } = it
      const row = rows.get(inputOf(it))
      const place = { subject, ledgerIds: [transfer.id], since: transfer.timestamp }
      const isOpening = phaseOf(transfer.flags) === 'pending'
      if (!row) {
        // Told once: of the request itself.
        const detail = 'Nobody has asked for this money.'
        if (isOpening) report({ kind: 'payment_request_without_record', ...place, detail })
        continue
      }
      const payment = payments.get(transfer.id)
      const owner = payment && wallets.get(toUuid(payment.debit_account_id))?.user_id
      const fault = isOpening
        ? findOpeningFault(transfer, row)
        : findPaymentFault(payment, owner, row)
      if (!fault) continue
      report({
        kind: 'payment_request_differs',
        ...place,
        ledgerIds: payment ? [transfer.id, payment.id] : [transfer.id],
        recordIds: [`payment_requests:${row.id}`],
        ...(payment && { amounts: amountsOf(payment, BigInt(row.amount_minor)) }),
        detail: fault,
      })
    }
  },
}

/** The payment in the chain that accepts a request, by the use of its right. */
function findPayment({ transfer, operationId, chain }: Seen): [bigint, Transfer][] {
  if (phaseOf(transfer.flags) !== 'post') return []
  const id = toLedgerId(acceptanceId(operationId))
  const payment = chain.find((it) => it.user_data_128 === id && it.code === TransferCode.payment)
  return payment ? [[transfer.id, payment]] : []
}

function findOpeningFault(transfer: Transfer, row: RequestRow): string | undefined {
  const asset = findLedger(transfer.ledger)?.asset
  if (!asset || row.currency !== asset.currency) {
    return `The request is in another currency than wallet ${row.to_wallet_id}.`
  }
  const parties = { requesterId: row.requester_user_id, payerId: row.payer_user_id }
  const allowance = toLedgerId(requestAllowanceAccount(parties, asset).id)
  if (transfer.debit_account_id !== allowance) return 'The request is between other people.'
  return undefined
}

function findPaymentFault(
  payment: Transfer | undefined,
  payerId: string | undefined,
  row: RequestRow,
): string | undefined {
  if (!payment) return 'The request was accepted without a payment.'
  if (payment.amount !== BigInt(row.amount_minor))
    return 'Another amount was paid than was asked for.'
  if (payment.credit_account_id !== toLedgerId(row.to_wallet_id)) {
    return `It was not paid into wallet ${row.to_wallet_id}.`
  }
  return payerId === row.payer_user_id ? undefined : 'Somebody else than was asked has paid.'
}
