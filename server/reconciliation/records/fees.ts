/** Each fee was taken by a schedule that there is, and is what that schedule gives. */
import { findLedger, TransferCode } from '../../../accounting/chart.ts'
import { computeFee, type FeeOperation } from '../../../accounting/fees.ts'
import { type Phase, phaseOf } from '../../../accounting/transfers.ts'
import { type FeeSchedule, findFeeSchedules } from '../../../db/fee-schedules.ts'
import { amountsOf, type RecordCheck, type Seen, type Transfer } from './context.ts'

export const fees: RecordCheck = {
  codes: [TransferCode.fee, TransferCode.fee_refund],
  async compare({ trx, report }, seen) {
    // One that was pending is resolved as a whole.
    const taken = seen.filter(({ transfer }) => {
      const phase = phaseOf(transfer.flags)
      return phase === 'single' || phase === 'pending'
    })
    const numbers = new Set(taken.map(({ transfer }) => transfer.user_data_64))
    const schedules = await findFeeSchedules(trx, [...numbers])
    for (const it of taken) {
      const { transfer, operationId: subject } = it
      const number = transfer.user_data_64
      const schedule = schedules.get(number)
      const fault = schedule ? findFault(it, schedule) : { detail: 'is not there' }
      if (!fault) continue
      report({
        kind: 'fee_differs',
        subject,
        ledgerIds: [transfer.id],
        recordIds: schedule ? [`fee_schedules:${schedule.id}`] : [],
        amounts: amountsOf(transfer, fault.expected),
        since: transfer.timestamp,
        detail: `Fee schedule ${number}, by which this was taken, ${fault.detail}.`,
      })
    }
  },
}

interface Fault {
  detail: string
  expected?: bigint
}

function findFault({ transfer, chain }: Seen, schedule: FeeSchedule): Fault | undefined {
  const { operation, currency, refund } = schedule
  if (findLedger(transfer.ledger)?.asset.currency !== currency)
    return { detail: `is of ${currency}` }
  if (transfer.code === TransferCode.fee_refund) {
    return refund === 'proportional' ? undefined : { detail: 'gives nothing back' }
  }
  const principal = chain.find((leg) => isPrincipal(leg, transfer, operation))
  if (!principal) return { detail: `is of another operation than ${operation}` }
  const expected = computeFee(schedule, principal.amount)
  if (expected !== transfer.amount) return { detail: 'gives another fee', expected }
  const { debit_account_id, credit_account_id } = principal
  const bearer = schedule.bearer === 'sender' ? debit_account_id : credit_account_id
  return transfer.debit_account_id === bearer ? undefined : { detail: 'is borne by somebody else' }
}

/** What a fee of each operation is taken of. */
const principals: Readonly<Record<FeeOperation, readonly [code: number, phase: Phase]>> = {
  deposit: [TransferCode.deposit, 'single'],
  payment: [TransferCode.payment, 'single'],
  withdrawal: [TransferCode.withdrawal, 'pending'],
  capture: [TransferCode.hold, 'post'],
  exchange: [TransferCode.exchange_sale, 'single'],
}

function isPrincipal(leg: Transfer, fee: Transfer, operation: FeeOperation): boolean {
  const [code, phase] = principals[operation]
  // A capture has a fee of its own, which does not carry the hold's id.
  const id = operation === 'capture' ? leg.id : leg.user_data_128
  return leg.code === code && phaseOf(leg.flags) === phase && id === fee.user_data_128
}
