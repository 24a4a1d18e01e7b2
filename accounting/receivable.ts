/**
 * What a customer owes after a charge-back of money already spent. It is by user and currency, so that
 * opening another wallet evades nothing; the next money from outside pays it first.
 */
import { readReceivables, receivableAccount } from './accounts.ts'
import { type Asset, TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import type { Uuid } from './ids.ts'
import type { Leg } from './legs.ts'

/** A wallet and whose it is. */
export interface OwnedWallet {
  walletId: Uuid
  userId: Uuid
  asset: Asset
}

/**
 * The leg by which a wallet pays what its owner owes: at most this much (minor units), at most what is
 * available, at most what is owed, be it nothing. What moved is told by the stored transfer alone.
 */
export function toOwedLeg({ walletId, userId, asset }: OwnedWallet, amountMinor: bigint): Leg {
  return {
    debitAccountId: walletId,
    creditAccountId: receivableAccount(userId, asset).id,
    amountMinor,
    asset,
    code: TransferCode.chargeback_payment,
    balancing: 'both',
  }
}

/**
 * The leg by which money that is just coming into a wallet (minor units) pays what its owner owes; none
 * when nothing is owed. What comes to be owed after this was read is paid by the next money.
 */
export async function findOwedLegs(
  ledger: Ledger,
  wallet: OwnedWallet,
  amountMinor: bigint,
): Promise<Leg[]> {
  if (amountMinor === 0n) return []
  const { id } = receivableAccount(wallet.userId, wallet.asset)
  const owedMinor = (await readReceivables(ledger, [id])).get(id) ?? 0n
  return owedMinor > 0n ? [toOwedLeg(wallet, amountMinor)] : []
}
