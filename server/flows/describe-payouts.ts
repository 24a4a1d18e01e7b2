import { clearingAccount } from '../../accounting/accounts.ts'
import { assetOfLedger } from '../../accounting/chart.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { StoredOperation } from '../../accounting/transfers.ts'
import { findWithdrawalOutcomes, findWithdrawalSystems } from '../../db/withdrawals.ts'
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
  const [systems, outcomes] = await Promise.all([
    findWithdrawalSystems(db, [...new Set(transfers.map(({ operationId }) => operationId))]),
    findWithdrawalOutcomes(db, transfers),
  ])
  return new Map(
    transfers.map((transfer) => {
      // Of several intents under one key, the one that has happened goes through this account.
      const isMeant = ({ operationId, number }: (typeof systems)[number]) =>
        operationId === transfer.operationId &&
        clearingAccount(number, assetOfLedger(transfer.ledger)).id === transfer.creditAccountId
      const outcome = outcomes.get(transfer.operationId)
      const isTold = outcome?.inputHash === transfer.inputHash
      return [
        transfer.transferId,
        {
          paymentSystemName: systems.find(isMeant)?.name ?? null,
          reference: (isTold && outcome?.reference) || null,
          reason: (isTold && outcome?.reason) || null,
        },
      ]
    }),
  )
}
