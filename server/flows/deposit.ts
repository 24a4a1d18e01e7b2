import { type AccountPlan, clearingAccount, createAccounts } from '../../accounting/accounts.ts'
import { assetOf, assetOfLedger, currencies, TransferCode } from '../../accounting/chart.ts'
import type { Ledger } from '../../accounting/client.ts'
import { findAttempted, readDebits } from '../../accounting/history.ts'
import { computeUuid, hashInput, type Uuid } from '../../accounting/ids.ts'
import { type Plan, type StoredOperation, submitAttempts } from '../../accounting/transfers.ts'
import {
  type DepositDescription,
  findDeposits,
  findLastDecline,
  keepDeposit,
} from '../../db/descriptions.ts'
import type { PaymentSystem } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { readAmount, readCurrency, showAmount } from './amount.ts'
import { showLedgerTime, toLedgerTime } from './ledger-time.ts'
import { ensureAccounts } from './open-wallet.ts'
import { findNamedWallet } from './resolve-wallets.ts'
import { declineCodes, keepDecline, refuseInvalid, settle } from './settle.ts'

export interface DepositInput {
  /** A wallet's id or number. */
  wallet: string
  /** Decimal text in major units. */
  amount: string
  currency: string
  /** The payment's own id outside. */
  reference: string
  sender?: string | undefined
  details?: string | undefined
  /** When it happened outside; milliseconds since 1970. */
  occurredAtMs?: number | undefined
}

/** A deposit that has happened. */
export interface Deposit {
  id: Uuid
  walletId: Uuid
  amountMinor: bigint
  currency: string
  reference: string | null
  sender: string | null
  details: string | null
  /** Nanoseconds since 1970, or null when it was not told. */
  occurredAt: bigint | null
  timestamp: bigint
}

type DepositDeps = Pick<Deps, 'db' | 'ledger' | 'log'>

/** The id of the deposit that a payment system means by a reference of its own. */
function depositId(paymentSystemNumber: number, reference: string): Uuid {
  return computeUuid('deposit', paymentSystemNumber, reference)
}

/**
 * Books money that a payment system has received for a wallet: debit its clearing account, credit
 * the wallet. The reference alone makes it happen at most once; a deposit that was declined for a
 * reason that has passed succeeds when it is sent again.
 * Refusals: those of amounts, wallet_not_found, wallet_number_mistyped, currency_mismatch,
 * reference_reused (with the original), recipient_closed, outcome_unknown.
 */
export async function deposit(
  deps: DepositDeps,
  caller: PaymentSystem,
  input: DepositInput,
): Promise<{ deposit: Deposit; replayed: boolean }> {
  const operationId = depositId(caller.paymentSystem.number, input.reference)
  try {
    return await book(deps, caller, input, operationId)
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'outcome_unknown') throw error
    if (error.code === 'reference_reused') throw error
    // A reference that was used before is told so, whatever else is wrong now.
    const original = await findAttempted(deps.ledger, operationId, 'deposit')
    throw original ? refuseReuse(original) : error
  }
}

async function book(
  deps: DepositDeps,
  caller: PaymentSystem,
  input: DepositInput,
  operationId: Uuid,
): Promise<{ deposit: Deposit; replayed: boolean }> {
  const asset = readCurrency(input.currency)
  const amountMinor = readAmount(input.amount, asset)
  const wallet = await findNamedWallet(deps, input.wallet)
  if (!wallet) throw new Refusal('wallet_not_found')
  if (wallet.currency !== asset.currency) {
    throw new Refusal('currency_mismatch', `The wallet is in ${wallet.currency}.`)
  }
  const inputHash = hashInput('deposit', wallet.id, asset.currency, amountMinor)
  const key = { operationId, inputHash }
  const { reference, sender = null, details = null } = input
  const paymentSystemId = caller.paymentSystem.id
  await ensureAccounts(deps, [wallet])
  const told = await keepDeposit(deps.db, { ...key, paymentSystemId, reference, sender, details })
  const clearing = clearingAccount(caller.paymentSystem.number, asset)
  const leg = {
    debitAccountId: clearing.id,
    creditAccountId: wallet.id,
    amountMinor,
    asset,
    code: TransferCode.deposit,
  }
  const occurred =
    input.occurredAtMs === undefined ? {} : { occurredAt: toLedgerTime(input.occurredAtMs) }
  const last = await findLastDecline(deps.db, operationId)
  const { submission, attempt } = await settle(
    operationId,
    submitFromClearing(
      deps.ledger,
      { ...key, ...occurred, legs: [leg] },
      clearing,
      last ? last.attempt + 1 : 0,
    ),
  )
  switch (submission.kind) {
    case 'done':
      return { deposit: toDeposit(submission.operation, told), replayed: submission.replayed }
    case 'conflict':
      throw refuseReuse(submission.operation)
    case 'invalid':
      throw refuseInvalid(submission.status)
    case 'declined': {
      const code = submission.reason ? declineCodes[submission.reason] : 'declined'
      await keepDecline(deps, { ...key, attempt, code })
      throw new Refusal(code)
    }
    default:
      throw submission satisfies never
  }
}

/**
 * Submits a deposit. A payment system's clearing account of a currency is created when its first
 * deposit finds it missing; that attempt is burnt, so it counts on to the next.
 */
async function submitFromClearing(
  ledger: Ledger,
  plan: Plan,
  clearing: AccountPlan,
  firstAttempt: number,
): ReturnType<typeof submitAttempts> {
  const first = await submitAttempts(ledger, plan, firstAttempt)
  const { submission, attempt } = first
  if (submission.kind !== 'declined' || submission.reason !== 'debit_account_not_found')
    return first
  await createAccounts(ledger, [clearing])
  return submitAttempts(ledger, plan, attempt + 1)
}

/** The refusal of a reference that belongs to another deposit of this payment system: shows which. */
function refuseReuse(original: StoredOperation): Refusal {
  const { currency } = assetOfLedger(original.ledger)
  return new Refusal('reference_reused', {
    extra: {
      original: {
        id: original.operationId,
        wallet_id: original.creditAccountId,
        amount: showAmount(original.amountMinor, currency),
        currency,
        created_at: showLedgerTime(original.timestamp),
      },
    },
  })
}

/** A deposit of the calling payment system. Refusal: deposit_not_found, also for those of others. */
export async function readDeposit(
  deps: Pick<Deps, 'db' | 'ledger'>,
  caller: PaymentSystem,
  id: Uuid,
): Promise<Deposit> {
  const operation = await findAttempted(deps.ledger, id, 'deposit')
  const own =
    operation &&
    clearingAccount(caller.paymentSystem.number, assetOfLedger(operation.ledger)).id ===
      operation.debitAccountId
  if (!own) throw new Refusal('deposit_not_found')
  const [found] = await describe(deps, [operation])
  return found!
}

/**
 * A page of the calling payment system's deposits, newest first, of one currency or of all.
 * Times in nanoseconds since 1970, both inclusive, 0 for no bound.
 */
export async function listDeposits(
  deps: Pick<Deps, 'db' | 'ledger'>,
  caller: PaymentSystem,
  filter: {
    currency?: string | undefined
    timestampMin: bigint
    timestampMax: bigint
    limit: number
  },
): Promise<Deposit[]> {
  const wanted =
    filter.currency === undefined ? currencies : [readCurrency(filter.currency).currency]
  const pages = await Promise.all(
    wanted.map((currency) =>
      readDebits(deps.ledger, {
        accountId: clearingAccount(caller.paymentSystem.number, assetOf(currency)).id,
        code: TransferCode.deposit,
        timestampMin: filter.timestampMin,
        timestampMax: filter.timestampMax,
        limit: filter.limit,
      }),
    ),
  )
  const newestFirst = pages.flat().sort((a, b) => (a.timestamp < b.timestamp ? 1 : -1))
  return describe(deps, newestFirst.slice(0, filter.limit))
}

async function describe(
  deps: Pick<Deps, 'db'>,
  operations: readonly StoredOperation[],
): Promise<Deposit[]> {
  const told = await findDeposits(deps.db, operations)
  return operations.map((operation) => toDeposit(operation, told.get(operation.operationId)))
}

function toDeposit(operation: StoredOperation, told: DepositDescription | undefined): Deposit {
  const { reference = null, sender = null, details = null } = told ?? {}
  return {
    id: operation.operationId,
    walletId: operation.creditAccountId,
    amountMinor: operation.amountMinor,
    currency: assetOfLedger(operation.ledger).currency,
    reference,
    sender,
    details,
    occurredAt: operation.occurredAt === 0n ? null : operation.occurredAt,
    timestamp: operation.timestamp,
  }
}
