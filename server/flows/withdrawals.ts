import { clearingAccount } from '../../accounting/accounts.ts'
import { assetOf, assetOfLedger } from '../../accounting/chart.ts'
import type { Uuid } from '../../accounting/ids.ts'
import {
  readWithdrawal,
  type Withdrawal,
  type WithdrawalState,
} from '../../accounting/withdrawals.ts'
import { countLifecycles, ofAccounts } from '../../db/lifecycles.ts'
import { listPaymentSystems, type PaymentSystemRow } from '../../db/payment-systems.ts'
import { findWallet } from '../../db/wallets.ts'
import { findWithdrawalIntents, findWithdrawalOutcomes } from '../../db/withdrawals.ts'
import type { Caller } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { listFollowed, readSome } from './followed-list.ts'
import { toLedgerTime } from './ledger-time.ts'

/** A withdrawal with what describes it; null is what PostgreSQL has lost. */
export interface DescribedWithdrawal extends Withdrawal {
  currency: string
  paymentSystem: { id: Uuid; name: string } | null
  destinationHint: string | null
  /** Only for the payment system, from when it has taken the withdrawal. */
  destination: string | null
  /** The payment system's own, of what it has paid. */
  reference: string | null
  /** Why it was not paid. */
  reason: string | null
}

type ReadDeps = Pick<Deps, 'db' | 'ledger' | 'destinations'>

/** Payment systems that can be withdrawn to, by number, those after the number `after`. */
export async function readPayoutSystems(
  { db }: Pick<Deps, 'db'>,
  page: { after: number; limit: number },
): Promise<PaymentSystemRow[]> {
  return listPaymentSystems(db, { ...page, isActive: true })
}

/**
 * A withdrawal as the ledger has it, which the caller may see: out of an own wallet, through the calling
 * payment system, or any for an operator. Refusal: withdrawal_not_found.
 */
export async function findVisible(
  deps: Pick<Deps, 'db' | 'ledger'>,
  caller: Caller,
  id: Uuid,
): Promise<Withdrawal> {
  const withdrawal = await readWithdrawal(deps.ledger, id)
  if (withdrawal && (await maySee(deps, caller, withdrawal))) return withdrawal
  throw new Refusal('withdrawal_not_found')
}

async function maySee(
  { db }: Pick<Deps, 'db'>,
  caller: Caller,
  { walletId, clearingAccountId, ledger }: Withdrawal,
): Promise<boolean> {
  switch (caller.role) {
    case 'operator':
      return true
    case 'customer':
      return (await findWallet(db, walletId))?.userId === caller.userId
    case 'payment_system': {
      const { number } = caller.paymentSystem
      return clearingAccount(number, assetOfLedger(ledger)).id === clearingAccountId
    }
    default:
      throw caller satisfies never
  }
}

/** The same with what describes it. Refusal: withdrawal_not_found. */
export async function findWithdrawal(
  deps: ReadDeps,
  caller: Caller,
  id: Uuid,
): Promise<DescribedWithdrawal> {
  return describeOne(deps, caller, await findVisible(deps, caller, id))
}

/** A withdrawal with what describes it. Throws when a destination that is shown cannot be decrypted. */
export async function describeOne(
  deps: Pick<Deps, 'db' | 'destinations'>,
  caller: Caller,
  withdrawal: Withdrawal,
): Promise<DescribedWithdrawal> {
  const [described] = await describe(deps, caller, [withdrawal])
  return described!
}

export interface WithdrawalQuery {
  status?: WithdrawalState | undefined
  /** Ledger time (ns since 1970): only those whose state has last changed before. */
  changedBefore?: bigint | undefined
  timestampMin: bigint
  timestampMax: bigint
  limit: number
}

/**
 * A page of the withdrawals that the caller may see, newest first, each as the ledger has it now. Which
 * ones there are comes from the read model: `asOf` tells how fresh it is.
 */
export async function listWithdrawals(
  deps: ReadDeps & Pick<Deps, 'nowMs' | 'settings'>,
  caller: Caller,
  { status, ...query }: WithdrawalQuery,
): Promise<{ withdrawals: DescribedWithdrawal[]; asOf: Date }> {
  const filter = { kind: 'withdrawal', state: status, ...query } as const
  const { entries, asOf } = await listFollowed(deps, filter, await whose(deps, caller))
  const found = await readSome(entries, ({ id }) => readWithdrawal(deps.ledger, id))
  const withdrawals = found.filter((withdrawal) => withdrawal !== undefined)
  return { withdrawals: await describe(deps, caller, withdrawals), asOf }
}

async function whose(
  { settings }: Pick<Deps, 'settings'>,
  caller: Caller,
): Promise<ReturnType<typeof ofAccounts> | undefined> {
  switch (caller.role) {
    case 'operator':
      return undefined
    case 'customer':
      return ofAccounts(
        caller.wallets.map(({ id }) => id),
        'debit',
      )
    case 'payment_system': {
      const { number } = caller.paymentSystem
      const { currencies } = await settings.read()
      return ofAccounts(
        [...currencies.keys()].map((currency) => clearingAccount(number, assetOf(currency)).id),
        'credit',
      )
    }
    default:
      throw caller satisfies never
  }
}

const dayMs = 86_400_000

/**
 * Warns of withdrawals that were taken more than a day ago and neither confirmed nor failed. Only the
 * outside knows what became of them: they are listed for operators, and never resolved by a guess.
 */
export async function warnOfStuckWithdrawals({
  db,
  log,
  nowMs,
}: Pick<Deps, 'db' | 'log' | 'nowMs'>): Promise<void> {
  const changedBefore = toLedgerTime(nowMs() - dayMs)
  const count = await countLifecycles(db, { kind: 'withdrawal', state: 'taken', changedBefore })
  if (count > 0)
    log.warn({ count }, 'withdrawals were taken more than a day ago and are not settled')
}

async function describe(
  { db, destinations }: Pick<Deps, 'db' | 'destinations'>,
  caller: Caller,
  withdrawals: readonly Withdrawal[],
): Promise<DescribedWithdrawal[]> {
  const [intents, outcomes] = await Promise.all([
    findWithdrawalIntents(
      db,
      withdrawals.map(({ id }) => id),
    ),
    findWithdrawalOutcomes(
      db,
      withdrawals.map(({ id, stepHash }) => ({ operationId: id, inputHash: stepHash })),
    ),
  ])
  return withdrawals.map((withdrawal) => {
    const { id, inputHash, takeId } = withdrawal
    const intent = intents.find((it) => it.operationId === id && it.inputHash === inputHash)
    const outcome = outcomes.get(id)
    const isTaker = caller.role === 'payment_system' && takeId !== undefined
    return {
      ...withdrawal,
      currency: assetOfLedger(withdrawal.ledger).currency,
      paymentSystem: intent ? intent.paymentSystem : null,
      destinationHint: intent?.destinationHint ?? null,
      destination: intent && isTaker ? destinations.decrypt(id, intent.destination) : null,
      reference: outcome?.reference ?? null,
      reason: outcome?.reason ?? null,
    }
  })
}
