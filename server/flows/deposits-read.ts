import { clearingAccount, findExisting } from '../../accounting/accounts.ts'
import { assetOf, assetOfLedger, TransferCode } from '../../accounting/chart.ts'
import {
  type BookedDeposit,
  readDeposit,
  readDepositOf,
  type SuspenseState,
} from '../../accounting/deposits.ts'
import { type Fee, findFee, findFees } from '../../accounting/fees.ts'
import { readDebits } from '../../accounting/history.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { type DepositDescription, findDeposits } from '../../db/descriptions.ts'
import type { Operator, PaymentSystem } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { readCurrency } from './amount.ts'
import { readSome } from './followed-list.ts'

/** A deposit that has happened. */
export interface Deposit {
  id: Uuid
  /** Null when it went to suspense, also once it is assigned. */
  walletId: Uuid | null
  amountMinor: bigint
  /** What the wallet has paid for it, out of the amount. */
  fee: Fee | undefined
  currency: string
  reference: string | null
  sender: string | null
  details: string | null
  /** Nanoseconds since 1970, or null when it was not told. */
  occurredAt: bigint | null
  timestamp: bigint
  /** Null when it went to a wallet at once. */
  suspense: DepositSuspense | null
}

/** How a deposit stands in suspense. */
export interface DepositSuspense {
  state: SuspenseState
  /** The wallet as the payment system has named it. */
  namedWallet: string | null
  /** The wallet it was assigned to. */
  walletId: Uuid | null
  /** When it was let out; nanoseconds since 1970. */
  changedAt: bigint | null
}

type ReadDeps = Pick<Deps, 'db' | 'ledger'>

/**
 * A deposit of the calling payment system, any one for an operator. Refusal: deposit_not_found, also for
 * those of others.
 */
export async function findOwnDeposit(
  deps: Pick<Deps, 'ledger'>,
  caller: PaymentSystem | Operator,
  id: Uuid,
): Promise<BookedDeposit> {
  const deposit = await readDeposit(deps.ledger, id)
  if (!deposit) throw new Refusal('deposit_not_found')
  if (caller.role === 'operator') return deposit
  const { debitAccountId, ledger } = deposit.operation
  const clearing = clearingAccount(caller.paymentSystem.number, assetOfLedger(ledger))
  if (debitAccountId !== clearing.id) throw new Refusal('deposit_not_found')
  return deposit
}

/** The same with what was told about it. Refusal: deposit_not_found. */
export async function findDeposit(
  deps: ReadDeps,
  caller: PaymentSystem | Operator,
  id: Uuid,
): Promise<Deposit> {
  return describeDeposit(deps, await findOwnDeposit(deps, caller, id))
}

/** A deposit with what was told about it. */
export async function describeDeposit(deps: ReadDeps, deposit: BookedDeposit): Promise<Deposit> {
  const { operation } = deposit
  const [told, fee] = await Promise.all([
    findDeposits(deps.db, [operation]),
    findFee(deps.ledger, operation),
  ])
  return toDeposit(deposit, told.get(operation.operationId), fee)
}

/**
 * A page of the calling payment system's deposits, newest first, of one currency or of all.
 * Times in nanoseconds since 1970, both inclusive, 0 for no bound.
 */
export async function listDeposits(
  deps: ReadDeps & Pick<Deps, 'settings'>,
  caller: PaymentSystem,
  filter: {
    currency?: string | undefined
    timestampMin: bigint
    timestampMax: bigint
    limit: number
  },
): Promise<Deposit[]> {
  const { currency, ...range } = filter
  const { currencies } = await deps.settings.read()
  if (currency !== undefined) await readCurrency(deps, currency)
  const wanted = currency === undefined ? [...currencies.keys()] : [currency]
  const { number } = caller.paymentSystem
  // It has sent a few currencies of all that there are.
  const accounts = await findExisting(
    deps.ledger,
    wanted.map((each) => clearingAccount(number, assetOf(each))),
  )
  const queries = accounts.flatMap(({ id: accountId }) => {
    const codes = [TransferCode.deposit, TransferCode.suspense]
    return codes.map((code) => ({ accountId, code, ...range }))
  })
  const pages = await Promise.all(queries.map((query) => readDebits(deps.ledger, query)))
  const newestFirst = pages.flat().sort((a, b) => (a.timestamp < b.timestamp ? 1 : -1))
  const operations = newestFirst.slice(0, filter.limit)
  const [deposits, told, fees] = await Promise.all([
    readSome(operations, (operation) => readDepositOf(deps.ledger, operation)),
    findDeposits(deps.db, operations),
    findFees(deps.ledger, operations),
  ])
  return deposits.map((deposit) => {
    const { operationId, transferId } = deposit.operation
    return toDeposit(deposit, told.get(operationId), fees.get(transferId))
  })
}

/** A deposit as the ledger has it, with what was told about it. */
export function toDeposit(
  deposit: BookedDeposit,
  told: DepositDescription | undefined,
  fee: Fee | undefined,
): Deposit {
  const { operation, suspense, walletId = null } = deposit
  const { reference = null, sender = null, details = null, namedWallet = null } = told ?? {}
  return {
    id: operation.operationId,
    walletId: suspense ? null : walletId,
    amountMinor: operation.amountMinor,
    fee,
    currency: assetOfLedger(operation.ledger).currency,
    reference,
    sender,
    details,
    occurredAt: operation.occurredAt === 0n ? null : operation.occurredAt,
    timestamp: operation.timestamp,
    suspense: suspense
      ? { state: suspense.state, namedWallet, walletId, changedAt: suspense.changedAt ?? null }
      : null,
  }
}
