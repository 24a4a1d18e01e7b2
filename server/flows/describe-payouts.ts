import { clearingAccount } from '../../accounting/accounts.ts'
import { assetOfLedger } from '../../accounting/chart.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { StoredOperation } from '../../accounting/transfers.ts'
import {
  findWithdrawalIntents,
  findWithdrawalOutcomes,
  type NamedIntent,
} from '../../db/withdrawals.ts'
import type { Deps } from '../deps.ts'

/** What a transaction of a wallet that belongs to a withdrawal says besides. */
export interface PayoutDescription {
  paymentSystemName: string | null
  reference: string | null
  reason: string | null
}

/** What describes the transfers of withdrawals, by the transfer's id. */
export async function describePayouts(
  { db }: Pick<Deps, 'db'>,
  transfers: readonly StoredOperation[],
): Promise<Map<Uuid, PayoutDescription>> {
  const [intents, outcomes] = await Promise.all([
    findWithdrawalIntents(db, [...new Set(transfers.map(({ operationId }) => operationId))]),
    findWithdrawalOutcomes(db, transfers),
  ])
  return new Map(
    transfers.map((transfer) => {
      // Of several intents under one key, the one that has happened goes through this account.
      const isMeant = ({ operationId, paymentSystem }: NamedIntent) =>
        operationId === transfer.operationId &&
        clearingAccount(paymentSystem.number, assetOfLedger(transfer.ledger)).id ===
          transfer.creditAccountId
      const outcome = outcomes.get(transfer.operationId)
      const isTold = outcome?.inputHash === transfer.inputHash
      return [
        transfer.transferId,
        {
          paymentSystemName: intents.find(isMeant)?.paymentSystem.name ?? null,
          reference: (isTold && outcome?.reference) || null,
          reason: (isTold && outcome?.reason) || null,
        },
      ]
    }),
  )
}
