/** The kinds of differences between PostgreSQL and the ledger: what usually makes each, and what to do. */
import type { BreakKind } from '../break.ts'

export const recordBreakKinds = {
  wallet_without_account: {
    cause:
      'A wallet is in PostgreSQL and the ledger has no account for it: the ledger is an older one than PostgreSQL, or recovery does not run.',
    remedy:
      'See that recovery runs, which creates the account. When the ledger was restored, restore both from the same moment.',
  },
  account_without_owner: {
    cause:
      'An account in the ledger belongs to nobody in PostgreSQL: rows were deleted or restored from before, or somebody else writes into the ledger.',
    remedy:
      'Restore the row from a backup. What it holds stays there until then: nobody can spend it.',
  },
  wallet_differs: {
    cause: 'A wallet is in another currency, or closed in one of the two only.',
    remedy:
      'The ledger is right. Set the row as it is there; sending the closing again notes what was closed.',
  },
  deposit_without_record: {
    cause:
      'Money came out of a clearing account and no payment system has told of it: the row was deleted, or somebody booked past Kassa.',
    remedy:
      'Look for it on the bank statement. Restore the row, or take the money back by an adjustment.',
  },
  deposit_differs: {
    cause:
      'A deposit is not what its payment system has told: its amount, reference, wallet or payment system is another, or it was booked twice.',
    remedy:
      'Compare with the bank statement, which decides; correct the ledger by an adjustment, the row from a backup.',
  },
  withdrawal_without_record: {
    cause:
      'The ledger has a withdrawal that nobody has asked for, or one that has ended without the payment system saying how.',
    remedy: 'Ask the payment system whether it has paid it out. Restore the row from a backup.',
  },
  withdrawal_differs: {
    cause:
      'A withdrawal is from another wallet or through another payment system than was asked for, or what was told about its end is another text.',
    remedy: 'Ask the payment system what it has paid. Restore the row from a backup.',
  },
  payment_request_without_record: {
    cause:
      'The ledger has a request for money and nobody knows who asks whom: the row was deleted.',
    remedy:
      'Restore the row from a backup. Nobody can accept it until then, and it runs out by itself.',
  },
  payment_request_differs: {
    cause:
      'A request is between other people than its row says, or was paid by another amount, from somebody else or into another wallet.',
    remedy:
      'The ledger tells what was paid: refund it when it was not what was asked for. Restore the row from a backup.',
  },
  return_without_record: {
    cause:
      'Money was given back, as a refund or to a payment system, and no row tells of which payment and why.',
    remedy:
      'Restore the row from a backup. For a reversal the bank statement tells what was taken.',
  },
  return_differs: {
    cause:
      'Money was given back of another payment or deposit than its row says, of another amount, to another payment system, or twice.',
    remedy:
      'Compare with the bank statement; correct the ledger by an adjustment, the row from a backup.',
  },
  exchange_without_quote: {
    cause: 'The ledger has an exchange, or the right to one, and there is no quote with its terms.',
    remedy: 'Restore the row from a backup. What was exchanged is in the ledger.',
  },
  exchange_differs: {
    cause:
      'An exchange moved other amounts than its quote says, in other currencies or from the wallet of somebody else.',
    remedy:
      'The ledger tells what was moved. Correct it by adjustments when the terms were others; restore the row from a backup.',
  },
  approval_without_record: {
    cause:
      'Something was decided, or booked for the house, and no row tells what was asked for or by whom it was decided.',
    remedy:
      'Find out who booked it. What was booked past the approval of a second operator is taken back by an adjustment.',
  },
  approval_differs: {
    cause:
      'The house booked something else than was approved, the row of what was approved or told has been changed, or something was carried out that is not approved.',
    remedy:
      'The audit log tells what was asked for. Correct the ledger by an adjustment, the row from a backup.',
  },
  fee_differs: {
    cause: 'A fee names a schedule that is not there, or is not what that schedule gives.',
    remedy:
      'Restore the schedule. When the fee itself is wrong, give the difference back by a reward.',
  },
  declined_but_done: {
    cause: 'Somebody was told that an operation was declined, and it has happened.',
    remedy:
      'Tell the payer; refund the payment when the payer does not want it. Ids that are burnt cannot happen: report it as a bug.',
  },
  payroll_row_differs: {
    cause:
      'A row of a payroll is noted as paid and was not, or was paid with another amount or from another wallet, or is noted as refused and was paid.',
    remedy:
      'The ledger tells what was paid. Pay what is missing by a transfer of its own; refund what was too much.',
  },
  not_settled: {
    cause:
      'What was cut off between PostgreSQL and the ledger is still unfinished after the time that recovery takes.',
    remedy: 'See in the log why recovery does not run, or does not come to an end.',
  },
  read_model_differs: {
    cause:
      'A row of the read model is missing, is not how the ledger says it stands, or belongs to nothing in the ledger.',
    remedy: '`npm run rebuild` makes the read model again from the ledger.',
  },
  read_model_behind: {
    cause: 'No process follows the ledger, or it cannot write what it reads.',
    remedy: 'See in the log why the read model does not follow the ledger.',
  },
} as const satisfies Record<string, BreakKind>

export type RecordBreakKind = keyof typeof recordBreakKinds
