/** Each deposit was told by its payment system, and is what was told. */
import { findLedger, TransferCode } from '../../../accounting/chart.ts'
import { depositId, hashDeposit } from '../../../accounting/deposits.ts'
import { toUuid } from '../../../accounting/ids.ts'
import { byInput, findDepositRows, findWalletIds } from '../../../db/record-rows.ts'
import {
  findFalseAttempts,
  inputOf,
  placeOf,
  type RecordCheck,
  type RecordContext,
  type Transfer,
} from './context.ts'

type DepositRow = Awaited<ReturnType<typeof findDepositRows>>[number]

export const deposits: RecordCheck = {
  codes: [TransferCode.deposit, TransferCode.suspense],
  async compare(context, seen) {
    const ids = seen.map(({ operationId }) => operationId)
    const rows = byInput(await findDepositRows(context.trx, ids))
    const falseAttempts = await findFalseAttempts(context, seen)
    const walletIds = await findWalletIds(context.trx, numbersIn([...rows.values()]))
    for (const it of seen) {
      const { transfer } = it
      const row = rows.get(inputOf(it))
      if (!row) {
        const detail = 'Nobody has told of this deposit with this amount and wallet.'
        context.report({ kind: 'deposit_without_record', ...placeOf(transfer), detail })
        continue
      }
      const attempt = falseAttempts.get(transfer.id)
      const faults = findFaults(context, transfer, row, walletIds)
      if (attempt) faults.push(attempt)
      if (faults.length === 0) continue
      const recordIds = [`deposits:${row.id}`]
      const detail = `Of the deposit ${row.reference}: ${faults.join('; ')}.`
      context.report({ kind: 'deposit_differs', ...placeOf(transfer), recordIds, detail })
    }
  },
}

function findFaults(
  { paymentSystems, clearingOf }: RecordContext,
  transfer: Transfer,
  row: DepositRow,
  walletIds: ReadonlyMap<string, string>,
): string[] {
  const asset = findLedger(transfer.ledger)?.asset
  if (!asset) return ['it is in a currency that there is not']
  const faults: string[] = []
  const number = paymentSystems.get(row.payment_system_id)
  if (number === undefined || depositId(number, row.reference) !== row.id) {
    faults.push('its id is not that of this payment system and reference')
  } else if (transfer.debit_account_id !== clearingOf(row.payment_system_id, asset)) {
    faults.push('it came from the clearing account of another payment system')
  }
  const { currency } = asset
  const isTold = (walletName: string) =>
    hashDeposit({ walletName, currency, amountMinor: transfer.amount }) === transfer.user_data_32
  const named = row.named_wallet
  const namedId = named === null ? undefined : (walletIds.get(toNumber(named) ?? '') ?? named)
  const isCredited = transfer.code === TransferCode.deposit
  const wallet = toUuid(transfer.credit_account_id)
  const names = (isCredited ? [wallet] : [named, namedId]).filter((it) => typeof it === 'string')
  // Of one in suspense whose wallet was not kept then, nothing tells what was named.
  if (names.length > 0 && !names.some(isTold)) {
    faults.push('its amount or its wallet is another than was told')
  }
  if (isCredited && named !== null && namedId !== wallet) {
    faults.push(`it went to another wallet than ${named}`)
  }
  return faults
}

/** The numbers for people by which wallets were named. */
const numbersIn = (rows: readonly DepositRow[]): string[] =>
  rows.flatMap((row) => toNumber(row.named_wallet) ?? [])

/** The number that a wallet was named by; undefined when it was named otherwise. */
function toNumber(name: string | null): string | undefined {
  return name && /^\d{1,18}$/.test(name) ? String(BigInt(name)) : undefined
}
