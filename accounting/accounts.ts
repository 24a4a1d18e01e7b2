/**
 * Accounts in TigerBeetle: creating them (which can always be repeated) and reading balances.
 */
import { type Account, AccountFlags, CreateAccountStatus } from 'tigerbeetle-node'
import { AccountCode, type Asset, accountFlags, controlOf } from './chart.ts'
import { type Ledger, requestEventsMax } from './client.ts'
import { computeUuid, toLedgerId, toUuid, type Uuid } from './ids.ts'
import { lookUpAccounts } from './lookup.ts'
import { createMemo } from './memo.ts'

/** An account as the chart wants it: creating it again with the same values changes nothing. */
export interface AccountPlan {
  id: Uuid
  asset: Asset
  code: AccountCode
}

/** A wallet's account. Its id is minted and stored before the account is created. */
export function walletAccount(id: Uuid, asset: Asset): AccountPlan {
  return { id, asset, code: AccountCode.wallet }
}

/**
 * An account that is no wallet. Its id is computed from (ledger, code, what tells it from others of its
 * kind), so that it is the same on every start and needs no look-up.
 */
function computedAccount(asset: Asset, code: AccountCode, ...parts: (string | number)[]) {
  return { id: computeUuid('account', asset.ledger, code, ...parts), asset, code }
}

/** The clearing account of a payment system in one currency: where its deposits come from. */
export function clearingAccount(paymentSystemNumber: number, asset: Asset): AccountPlan {
  return computedAccount(asset, AccountCode.clearing, paymentSystemNumber)
}

/** What a payment system has sent that could not be matched with a wallet. */
export function suspenseAccount(paymentSystemNumber: number, asset: Asset): AccountPlan {
  return computedAccount(asset, AccountCode.suspense, paymentSystemNumber)
}

/** What a user owes in one currency. By user, so that opening another wallet evades nothing. */
export function receivableAccount(userId: Uuid, asset: Asset): AccountPlan {
  return computedAccount(asset, AccountCode.receivable, userId)
}

/** The house's own bank account in one currency: where payment systems settle to. */
export function bankAccount(asset: Asset): AccountPlan {
  return computedAccount(asset, AccountCode.bank, 0)
}

/** What the house has set aside for exchange in one currency. */
export function liquidityAccount(asset: Asset): AccountPlan {
  return computedAccount(asset, AccountCode.liquidity, 0)
}

/** What the house gave away to customers. */
export function rewardsAccount(asset: Asset): AccountPlan {
  return computedAccount(asset, AccountCode.rewards, 0)
}

/** What payment systems charge the house. */
export function paymentSystemFeesAccount(asset: Asset): AccountPlan {
  return computedAccount(asset, AccountCode.paymentSystemFees, 0)
}

/** What payment systems pay the house: interest, rebates, charges given back. */
export function paymentSystemIncomeAccount(asset: Asset): AccountPlan {
  return computedAccount(asset, AccountCode.paymentSystemIncome, 0)
}

/** What customers owed and will not pay. */
export function writeOffsAccount(asset: Asset): AccountPlan {
  return computedAccount(asset, AccountCode.writeOffs, 0)
}

/** What the house put in; also the other side of transfers that close a wallet. */
export function equityAccount(asset: Asset): AccountPlan {
  return computedAccount(asset, AccountCode.equity, 0)
}

/** What fees brought in. */
export function feeIncomeAccount(asset: Asset): AccountPlan {
  return computedAccount(asset, AccountCode.feeIncome, 0)
}

/** What the spread of exchange rates brought in, in one currency. */
export function spreadIncomeAccount(asset: Asset): AccountPlan {
  return computedAccount(asset, AccountCode.spreadIncome, 0)
}

/** The other side of every other account of an asset's control ledger. */
export function controlAccount(asset: Asset): AccountPlan {
  return computedAccount(controlOf(asset), AccountCode.control, 0)
}

/** One side of the rights of an asset, on its control ledger. */
export function rightsAccount(asset: Asset): AccountPlan {
  return computedAccount(controlOf(asset), AccountCode.rights, 0)
}

/** What may still be given back of a payment, a capture or a deposit, by its id; on the control ledger. */
export function returnableAccount(operationId: Uuid, asset: Asset): AccountPlan {
  return computedAccount(controlOf(asset), AccountCode.returnable, operationId)
}

/** What a user may spend, or a payment system bring in, within a window of time; on the control ledger. */
export function budgetAccount(
  { userId, window }: { userId: Uuid; window: string },
  asset: Asset,
): AccountPlan {
  return computedAccount(controlOf(asset), AccountCode.budget, userId, window)
}

/** How many requests for money may be open from one user to another; on the control ledger. */
export function requestAllowanceAccount(
  { requesterId, payerId }: { requesterId: Uuid; payerId: Uuid },
  asset: Asset,
): AccountPlan {
  return computedAccount(controlOf(asset), AccountCode.requestAllowance, requesterId, payerId)
}

/**
 * Creates accounts; those that exist already are left as they are. Throws when one exists with other
 * values, which would mean that the chart was changed behind the ledger's back.
 */
export async function createAccounts(ledger: Ledger, plans: readonly AccountPlan[]): Promise<void> {
  for (let start = 0; start < plans.length; start += requestEventsMax) {
    const batch = plans.slice(start, start + requestEventsMax)
    const results = await ledger.createAccounts(batch.map(toAccount))
    for (const [index, { status }] of results.entries()) {
      if (status === CreateAccountStatus.created || status === CreateAccountStatus.exists) continue
      throw new Error(`account ${batch[index]?.id} was not created: ${CreateAccountStatus[status]}`)
    }
  }
}

/** Accounts that are known to exist, as far as a process has seen. */
const known = createMemo<Uuid, true>()

/**
 * Creates accounts that every process uses again and again (the house's own), unless this process has
 * seen them to exist: then it costs nothing.
 */
export async function provideAccounts(
  ledger: Ledger,
  plans: readonly AccountPlan[],
): Promise<void> {
  const seen = known(ledger)
  const missing = plans.filter(({ id }) => !seen.get(id))
  if (missing.length === 0) return
  await createAccounts(ledger, missing)
  for (const { id } of missing) seen.set(id, true)
}

/** Those of some accounts that exist. */
export async function findExisting(
  ledger: Ledger,
  plans: readonly AccountPlan[],
): Promise<AccountPlan[]> {
  const found = await lookUpAccounts(
    ledger,
    plans.map(({ id }) => toLedgerId(id)),
  )
  return plans.filter(({ id }) => found.has(toLedgerId(id)))
}

function toAccount(plan: AccountPlan): Account {
  return {
    id: toLedgerId(plan.id),
    debits_pending: 0n,
    debits_posted: 0n,
    credits_pending: 0n,
    credits_posted: 0n,
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    reserved: 0,
    ledger: plan.asset.ledger,
    code: plan.code,
    flags: accountFlags[plan.code],
    timestamp: 0n,
  }
}

/** What an account with a credit balance (a wallet) holds, in minor units. */
export interface Balance {
  /** Credits posted less debits posted: the money that is there. */
  postedMinor: bigint
  /** Debits pending: the part of it that is reserved. */
  heldMinor: bigint
  /** Posted less held: what can be paid with. */
  availableMinor: bigint
}

/** A wallet's account as the ledger has it. */
export interface WalletBalance extends Balance {
  /** Whether the ledger refuses to debit and credit it: it is frozen, or closed for ever. */
  isClosed: boolean
  /** Credits pending: what others hold for it. */
  incomingMinor: bigint
}

/** The balance of an account with a credit balance. */
function creditBalance(
  account: Pick<Account, 'debits_pending' | 'debits_posted' | 'credits_posted'>,
): Balance {
  const postedMinor = account.credits_posted - account.debits_posted
  const heldMinor = account.debits_pending
  return { postedMinor, heldMinor, availableMinor: postedMinor - heldMinor }
}

function toWalletBalance(account: Account): WalletBalance {
  return {
    ...creditBalance(account),
    isClosed: (account.flags & AccountFlags.closed) !== 0,
    incomingMinor: account.credits_pending,
  }
}

/**
 * What customers owe, by the id of the receivable account, in minor units. An account that does not
 * exist is missing from the answer: nothing is owed.
 */
export async function readReceivables(
  ledger: Ledger,
  accountIds: readonly Uuid[],
): Promise<Map<Uuid, bigint>> {
  const accounts = await lookUpAccounts(ledger, accountIds.map(toLedgerId))
  return new Map(
    [...accounts.values()].map((account) => [
      toUuid(account.id),
      account.debits_posted - account.credits_posted,
    ]),
  )
}

/** Reads wallets' balances. A wallet whose account does not exist is missing from the answer. */
export async function readBalances(
  ledger: Ledger,
  walletIds: readonly Uuid[],
): Promise<Map<Uuid, WalletBalance>> {
  const accounts = await lookUpAccounts(ledger, walletIds.map(toLedgerId))
  const balances = new Map<Uuid, WalletBalance>()
  for (const id of walletIds) {
    const account = accounts.get(toLedgerId(id))
    if (account) balances.set(id, toWalletBalance(account))
  }
  return balances
}
