import { clearingAccount, provideAccounts } from '../../accounting/accounts.ts'
import { isBudgetLeg } from '../../accounting/budgets.ts'
import { type Asset, assetOfLedger, TransferCode } from '../../accounting/chart.ts'
import { depositId, hashDeposit, readDeposit, readDepositOf } from '../../accounting/deposits.ts'
import { type Fee, findFee } from '../../accounting/fees.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { Leg } from '../../accounting/legs.ts'
import { findOwedLegs } from '../../accounting/receivable.ts'
import { suspenseAccounts, toSuspenseLegs } from '../../accounting/suspense.ts'
import {
  chainLegs,
  planNever,
  type StoredOperation,
  submitAttempts,
  type WayOut,
} from '../../accounting/transfers.ts'
import { type DescriptionKey, keepDeposit } from '../../db/descriptions.ts'
import type { Wallet } from '../../db/wallets.ts'
import type { PaymentSystem } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { readAmount, readCurrency, showAmount } from './amount.ts'
import { toBudgetLegs } from './budget-legs.ts'
import { byReference } from './by-reference.ts'
import { type Deposit, describeDeposit, toDeposit } from './deposits-read.ts'
import { planFee } from './fees.ts'
import { showLedgerTime, toLedgerTime } from './ledger-time.ts'
import { ensureAccounts } from './open-wallet.ts'
import { findNamedWallet } from './resolve-wallets.ts'
import {
  afterMoving,
  declineCodes,
  keepDecline,
  nextAttempt,
  refuseInvalid,
  settle,
} from './settle.ts'

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
  /** What becomes of it when the wallet is unknown, of another currency, frozen or closed. */
  onUnmatched: 'refuse' | 'suspense'
}

type DepositDeps = Pick<Deps, 'db' | 'ledger' | 'log' | 'settings' | 'nowMs'>
type Told = { deposit: Deposit; replayed: boolean }

/**
 * Books money that a payment system has received for a wallet: debit its clearing account, credit
 * the wallet, which then pays the fee and what its owner owes; or credit suspense without a fee, when
 * that is wanted and the wallet is unknown, of another currency, frozen or closed, and always when the
 * payment system brings in more than it may within a time. The reference alone makes it happen at
 * most once, in one place; a deposit that was declined for a reason that has passed succeeds when it
 * is sent again.
 * Refusals: those of amounts, wallet_not_found, wallet_number_mistyped, currency_mismatch,
 * reference_reused (with the original), recipient_closed, outcome_unknown.
 */
export async function deposit(
  deps: DepositDeps,
  caller: PaymentSystem,
  input: DepositInput,
): Promise<Told> {
  const operationId = depositId(caller.paymentSystem.number, input.reference)
  let terms: Terms | undefined
  return byReference(
    async () => {
      terms = await readTerms(deps, input)
      return book(deps, caller, input, { operationId, ...terms })
    },
    async () => {
      const original = await readDeposit(deps.ledger, operationId)
      if (!original) return undefined
      const { operation } = original
      if (terms?.inputHash !== operation.inputHash) return refuseReuse(operation)
      return { deposit: await describeDeposit(deps, original), replayed: true }
    },
  )
}

/** What a deposit is about. */
interface Terms {
  asset: Asset
  amountMinor: bigint
  /** The wallet that shall be credited, or why none can be. */
  target: Wallet | Refusal
  inputHash: number
}

/** Refusals: those of amounts, currency_not_supported. */
async function readTerms(deps: DepositDeps, input: DepositInput): Promise<Terms> {
  const asset = await readCurrency(deps, input.currency)
  const amountMinor = readAmount(input.amount, asset)
  const found = await findNamedWallet(deps, input.wallet).catch((error: unknown) => {
    if (error instanceof Refusal) return error
    throw error
  })
  const wallet = found instanceof Refusal ? undefined : found
  const walletName = wallet?.id ?? input.wallet
  const inputHash = hashDeposit({ walletName, currency: asset.currency, amountMinor })
  const target =
    wallet && wallet.currency !== asset.currency
      ? new Refusal('currency_mismatch', `The wallet is in ${wallet.currency}.`)
      : (found ?? new Refusal('wallet_not_found'))
  return { asset, amountMinor, target, inputHash }
}

async function book(
  deps: DepositDeps,
  caller: PaymentSystem,
  input: DepositInput,
  terms: Terms & { operationId: Uuid },
): Promise<Told> {
  const { operationId, inputHash, target } = terms
  const key = { operationId, inputHash }
  const occurred =
    input.occurredAtMs === undefined ? {} : { occurredAt: toLedgerTime(input.occurredAtMs) }
  const { ways, fee } = await findWays(deps, caller, terms, input.onUnmatched)
  const [plan, ...others] = ways.map((way): WayOut => ({ ...key, ...occurred, ...way }))
  if (!plan) throw await giveUp(deps, key, target as Refusal)
  const { reference, sender = null, details = null, wallet: namedWallet } = input
  const paymentSystemId = caller.paymentSystem.id
  const description = { ...key, paymentSystemId, reference, sender, details, namedWallet }
  const told = await keepDeposit(deps.db, description)
  const firstAttempt = await nextAttempt(deps.db, operationId)
  const { submission, attempt, because } = await settle(
    operationId,
    submitAttempts(deps.ledger, [plan, ...others], firstAttempt),
  )
  switch (submission.kind) {
    case 'done': {
      const { operation, replayed } = submission
      if (!replayed && because) {
        const isCapped = isBudgetLeg(because.leg)
        const code = isCapped ? 'limit_exceeded' : declineCodes[because.reason]
        await keepDecline(deps, { ...key, attempt: attempt - 1, code })
        const { currency } = input
        const amount = showAmount(operation.amountMinor, currency)
        const facts = { paymentSystemId, operationId, amount, currency }
        if (isCapped)
          deps.log.warn(
            facts,
            'a deposit above what its payment system may bring in is in suspense',
          )
      }
      const [booked, stored] = await afterMoving(
        operationId,
        Promise.all([
          readDepositOf(deps.ledger, operation),
          replayed ? findFee(deps.ledger, operation) : undefined,
        ]),
      )
      const taken = operation.code === TransferCode.deposit ? fee : undefined
      return { deposit: toDeposit(booked, told, replayed ? stored : taken), replayed }
    }
    case 'conflict':
      throw refuseReuse(submission.operation)
    case 'invalid':
      throw refuseInvalid(submission.status)
    case 'declined': {
      const code = declineCodes[submission.reason]
      await keepDecline(deps, { ...key, attempt, code })
      throw new Refusal(code)
    }
    default:
      throw submission satisfies never
  }
}

/**
 * The refusal of a deposit that has no way to go. Burns its next attempt: a copy that may go to suspense, and was
 * in doubt, does not happen later. What has happened is told by its reference.
 */
async function giveUp(
  deps: Pick<Deps, 'db' | 'ledger' | 'log'>,
  key: DescriptionKey,
  refusal: Refusal,
): Promise<Refusal> {
  const { operationId } = key
  const firstAttempt = await nextAttempt(deps.db, operationId)
  const submitting = submitAttempts(deps.ledger, [planNever(key)], firstAttempt)
  const { submission, attempt } = await settle(operationId, submitting)
  if (submission.kind === 'declined') {
    await keepDecline(deps, { ...key, attempt, code: refusal.code })
  }
  return refusal
}

type Way = Pick<WayOut, 'legs' | 'principalLeg' | 'isFor'>

/**
 * The ways into the wallet, if there is one, with what that costs, and into suspense: when that is wanted,
 * or when the payment system would bring in more than it may. What goes to suspense uses nothing of that.
 */
async function findWays(
  deps: DepositDeps,
  caller: PaymentSystem,
  { asset, amountMinor, target }: Terms,
  onUnmatched: DepositInput['onUnmatched'],
): Promise<{ ways: Way[]; fee?: Fee | undefined }> {
  const { number } = caller.paymentSystem
  const clearing = clearingAccount(number, asset)
  await provideAccounts(deps.ledger, [clearing])
  const isSuspenseWanted = onUnmatched === 'suspense'
  const toSuspense = async () => {
    await provideAccounts(deps.ledger, suspenseAccounts(number, asset))
    const isFor = (declined: Leg) => isSuspenseWanted || isBudgetLeg(declined)
    return { legs: toSuspenseLegs(number, asset, amountMinor), isFor }
  }
  if (target instanceof Refusal) return { ways: isSuspenseWanted ? [await toSuspense()] : [] }
  await ensureAccounts(deps, [target])
  const { id: walletId, userId } = target
  const leg = {
    debitAccountId: clearing.id,
    creditAccountId: walletId,
    amountMinor,
    asset,
    code: TransferCode.deposit,
  }
  const what = { operation: 'deposit', asset, amountMinor, recipientWalletId: walletId } as const
  const { fee, legs: feeLegs } = await planFee(deps, what)
  const leftMinor = amountMinor - (fee?.amountMinor ?? 0n)
  const owedLegs = await findOwedLegs(deps.ledger, { walletId, userId, asset }, leftMinor)
  const budgetLegs = await toBudgetLegs(deps, caller, asset, amountMinor)
  const toWallet = chainLegs(budgetLegs, [leg, ...feeLegs, ...owedLegs])
  const isSuspensePossible = isSuspenseWanted || budgetLegs.length > 0
  return { ways: isSuspensePossible ? [toWallet, await toSuspense()] : [toWallet], fee }
}

/** The refusal of a reference that belongs to another deposit of this payment system: shows which. */
function refuseReuse(original: StoredOperation): Refusal {
  const { currency } = assetOfLedger(original.ledger)
  return new Refusal('reference_reused', {
    extra: {
      original: {
        id: original.operationId,
        wallet_id: original.code === TransferCode.deposit ? original.creditAccountId : null,
        amount: showAmount(original.amountMinor, currency),
        currency,
        created_at: showLedgerTime(original.timestamp),
      },
    },
  })
}
