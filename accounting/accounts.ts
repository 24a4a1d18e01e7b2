/**
 * Accounts in TigerBeetle: creating them (which can always be repeated) and reading balances.
 */
import { type Account, CreateAccountStatus } from 'tigerbeetle-node'
import { AccountCode, type Asset, accountFlags } from './chart.ts'
import { type Ledger, requestEventsMax } from './client.ts'
import { computeUuid, toLedgerId, type Uuid } from './ids.ts'

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
 * The clearing account of a payment system in one currency. Its id is computed from (ledger, code,
 * number), so that it is the same on every start and needs no look-up.
 */
export function clearingAccount(paymentSystemNumber: number, asset: Asset): AccountPlan {
  const code = AccountCode.clearing
  return { id: computeUuid('account', asset.ledger, code, paymentSystemNumber), asset, code }
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

/** The balance of an account with a credit balance. */
function creditBalance(
  account: Pick<Account, 'debits_pending' | 'debits_posted' | 'credits_posted'>,
): Balance {
  const postedMinor = account.credits_posted - account.debits_posted
  const heldMinor = account.debits_pending
  return { postedMinor, heldMinor, availableMinor: postedMinor - heldMinor }
}

/** Reads wallets' balances. A wallet whose account does not exist is missing from the answer. */
export async function readBalances(
  ledger: Ledger,
  walletIds: readonly Uuid[],
): Promise<Map<Uuid, Balance>> {
  const balances = new Map<Uuid, Balance>()
  for (let start = 0; start < walletIds.length; start += requestEventsMax) {
    const ids = walletIds.slice(start, start + requestEventsMax)
    const accounts = await ledger.lookupAccounts(ids.map(toLedgerId))
    const byId = new Map(accounts.map((account) => [account.id, account]))
    for (const id of ids) {
      const account = byId.get(toLedgerId(id))
      if (account) balances.set(id, creditBalance(account))
    }
  }
  return balances
}
