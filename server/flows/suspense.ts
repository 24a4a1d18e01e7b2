import { assetOf, assetOfLedger } from '../../accounting/chart.ts'
import {
  readDeposit,
  type SuspendedDeposit,
  type SuspenseState,
  wasSuspended,
} from '../../accounting/deposits.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { AttemptedStep } from '../../accounting/steps.ts'
import { assignSuspense, releasingId, returnSuspense } from '../../accounting/suspense.ts'
import {
  type Decline,
  findDeposits,
  findLastDecline,
  findLastDeclines,
  type NamedDeposit,
} from '../../db/descriptions.ts'
import { mintId } from '../../db/ids.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { type Deposit, toDeposit } from './deposits-read.ts'
import { type FollowedQuery, listFollowed, readSome } from './followed-list.ts'
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

/** Money in suspense as an operator sees it: the deposit, and who has told of it. */
export interface SuspenseItem extends Deposit {
  suspense: NonNullable<Deposit['suspense']>
  paymentSystem: { id: string; name: string } | null
  /**
   * Why it could not be credited: limit_exceeded (more than the payment system may bring in),
   * recipient_closed, or what is wrong with the named wallet; null when that is not known.
   */
  reason: RefusalCode | null
}

type SuspenseDeps = Pick<Deps, 'db' | 'ledger'>
type LetOutDeps = SuspenseDeps & Pick<Deps, 'log'>

/** Money that is, or was, in suspense, by the id of its deposit. Refusal: suspense_not_found. */
export async function findSuspense(deps: SuspenseDeps, id: Uuid): Promise<SuspenseItem> {
  return describe(deps, await find(deps, id))
}

/**
 * A page of what is, or was, in suspense, newest first, each as the ledger has it now. Which there are
 * comes from the read model: `asOf` tells how fresh it is.
 */
export async function listSuspense(
  deps: SuspenseDeps & Pick<Deps, 'nowMs'>,
  query: FollowedQuery & { status?: SuspenseState | undefined },
): Promise<{ items: SuspenseItem[]; asOf: Date }> {
  const filter = { kind: 'suspense', state: query.status, ...query } as const
  const { entries, asOf } = await listFollowed(deps, filter)
  const found = await readSome(entries, ({ id }) => readDeposit(deps.ledger, id))
  const deposits = found.filter((deposit) => deposit !== undefined).filter(wasSuspended)
  const told = await findDeposits(
    deps.db,
    deposits.map(({ operation }) => operation),
  )
  const declines = await findLastDeclines(
    deps.db,
    deposits.map(({ operation }) => operation.operationId),
  )
  const items = await readSome(deposits, async (deposit) => {
    const { operationId } = deposit.operation
    return toItem(deps, deposit, told.get(operationId), declines.get(operationId))
  })
  return { items, asOf }
}

/**
 * Credits money in suspense to the wallet it is for, where it pays first what the wallet's owner owes.
 * It is assigned or returned once; the same again answers the same, and what was declined can be
 * tried again.
 * Refusals: suspense_not_found, suspense_assigned (to another wallet), suspense_returned,
 * suspense_paid_out, wallet_not_found, wallet_number_mistyped, currency_mismatch, recipient_closed, outcome_unknown.
 */
export async function assign(
  deps: LetOutDeps,
  id: Uuid,
  walletName: string,
): Promise<SuspenseItem> {
  const wallet = await findNamedWallet(deps, walletName)
  if (!wallet) throw new Refusal('wallet_not_found')
  return letOut(deps, id, {
    isWanted: ({ walletId }) => walletId === wallet.id,
    async submit(deposit, firstAttempt) {
      if (assetOf(wallet.currency) !== assetOfLedger(deposit.operation.ledger)) {
        throw new Refusal('currency_mismatch', `The wallet is in ${wallet.currency}.`)
      }
      await ensureAccounts(deps, [wallet])
      const owned = { walletId: wallet.id, userId: wallet.userId }
      return assignSuspense(deps.ledger, deposit, owned, firstAttempt, mintId)
    },
  })
}

/**
 * Returns money in suspense to the payment system that it came from. It is assigned or returned once;
 * the same again answers the same, and what was declined can be tried again.
 * Refusals: suspense_not_found, suspense_assigned, suspense_paid_out, payout_capacity_exceeded,
 * outcome_unknown.
 */
export async function giveBack(deps: LetOutDeps, id: Uuid): Promise<SuspenseItem> {
  return letOut(deps, id, {
    isWanted: ({ suspense }) => suspense.state === 'returned',
    submit: (deposit, firstAttempt) => returnSuspense(deps.ledger, deposit, firstAttempt, mintId),
  })
}

interface WayOut {
  submit(deposit: SuspendedDeposit, firstAttempt: number): Promise<AttemptedStep>
  /** Whether that is how it stands, be it by somebody else. */
  isWanted(deposit: SuspendedDeposit): boolean
}

/** Lets money out of suspense, unless it is out already, and answers how it stands. */
async function letOut(
  deps: LetOutDeps,
  id: Uuid,
  { submit, isWanted }: WayOut,
): Promise<SuspenseItem> {
  const deposit = await find(deps, id)
  if (deposit.suspense.state !== 'open') return answer(deps, deposit, isWanted)
  const operationId = releasingId(id)
  const firstAttempt = await nextAttempt(deps.db, operationId)
  const { step, attempt } = await settle(id, submit(deposit, firstAttempt))
  if (step.kind === 'declined') {
    // Of a return: the clearing account would have paid out more than came in.
    const isCapacity = step.reason === 'exceeds_debits'
    const code = isCapacity ? 'payout_capacity_exceeded' : declineCodes[step.reason]
    const { inputHash } = deposit.operation
    await keepDecline(deps, { operationId, inputHash, attempt, code })
    throw new Refusal(code)
  }
  if (step.kind === 'invalid') throw refuseInvalid(step.status)
  if (step.kind === 'expired') throw new Error(`deposit ${id}: a right without a deadline ran out`)
  return afterMoving(
    id,
    find(deps, id).then((after) => answer(deps, after, isWanted)),
  )
}

/** Answers for money that is out of suspense. Refusals: suspense_ and how it stands. */
async function answer(
  deps: Pick<Deps, 'db'>,
  deposit: SuspendedDeposit,
  isWanted: WayOut['isWanted'],
): Promise<SuspenseItem> {
  if (isWanted(deposit)) return describe(deps, deposit)
  const { state } = deposit.suspense
  if (state !== 'open') throw new Refusal(`suspense_${state}`)
  throw new Error(`deposit ${deposit.operation.operationId} was let out and is in suspense`)
}

async function find(deps: Pick<Deps, 'ledger'>, id: Uuid): Promise<SuspendedDeposit> {
  const deposit = await readDeposit(deps.ledger, id)
  if (!deposit || !wasSuspended(deposit)) throw new Refusal('suspense_not_found')
  return deposit
}

async function describe(deps: Pick<Deps, 'db'>, deposit: SuspendedDeposit): Promise<SuspenseItem> {
  const [told, decline] = await Promise.all([
    findDeposits(deps.db, [deposit.operation]),
    findLastDecline(deps.db, deposit.operation.operationId),
  ])
  return toItem(deps, deposit, told.get(deposit.operation.operationId), decline)
}

async function toItem(
  deps: Pick<Deps, 'db'>,
  deposit: SuspendedDeposit,
  told: NamedDeposit | undefined,
  decline: Decline | undefined,
): Promise<SuspenseItem> {
  const { suspense, ...shown } = toDeposit(deposit, told, undefined)
  if (!suspense) throw new Error(`deposit ${shown.id} was never in suspense`)
  const paymentSystem = told ? { id: told.paymentSystemId, name: told.paymentSystemName } : null
  const reason = (decline?.code as RefusalCode) ?? (await findFault(deps, shown.currency, suspense))
  return { ...shown, suspense, paymentSystem, reason }
}

/** What is and always was wrong with a named wallet; null when nothing is, or none is known. */
async function findFault(
  deps: Pick<Deps, 'db'>,
  currency: string,
  { namedWallet }: SuspenseItem['suspense'],
): Promise<RefusalCode | null> {
  if (namedWallet === null) return null
  try {
    const wallet = await findNamedWallet(deps, namedWallet)
    if (!wallet) return 'wallet_not_found'
    return wallet.currency === currency ? null : 'currency_mismatch'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}
