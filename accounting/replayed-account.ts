/** An account as a replay of the ledger has it, and whether that is what was read of it. */
import { type Account, AccountFlags } from 'tigerbeetle-node'

/** An account as its transfers make it. */
export interface ReplayedAccount {
  readonly id: bigint
  readonly ledger: number
  readonly code: number
  readonly flags: number
  debitsPending: bigint
  debitsPosted: bigint
  creditsPending: bigint
  creditsPosted: bigint
  /** Pending until a moment ago: the ledger may still count it. */
  debitsLate: bigint
  creditsLate: bigint
  /** Open transfers that keep it closed, and those that ran out a moment ago. */
  closings: number
  closingsLate: number
  isOverLimit: boolean
  /** Whether it is compared again after each change, with what was read of it. */
  isWatched: boolean
  /** What was read of it; undefined for one that was not found. */
  seen: SeenAccount | undefined
}

/** What is kept of an account as it was read. */
export type SeenAccount = Pick<
  Account,
  'debits_pending' | 'debits_posted' | 'credits_pending' | 'credits_posted' | 'flags'
>

/** Each nothing is the same one: there can be millions of accounts, most of which have three. */
export function toSeen(account: Account): SeenAccount {
  return {
    debits_pending: account.debits_pending || 0n,
    debits_posted: account.debits_posted || 0n,
    credits_pending: account.credits_pending || 0n,
    credits_posted: account.credits_posted || 0n,
    flags: account.flags,
  }
}

/** An account before its first transfer. */
export function toReplayed(
  account: Pick<ReplayedAccount, 'id' | 'ledger' | 'code' | 'flags'>,
): ReplayedAccount {
  return {
    ...account,
    debitsPending: 0n,
    debitsPosted: 0n,
    creditsPending: 0n,
    creditsPosted: 0n,
    debitsLate: 0n,
    creditsLate: 0n,
    closings: 0,
    closingsLate: 0,
    isOverLimit: false,
    isWatched: false,
    seen: undefined,
  }
}

/** Ends the watch of an account that is what was read of it. */
export function look(account: ReplayedAccount): void {
  if (account.isWatched && isAsSeen(account)) account.isWatched = false
}

/** Whether an account is what was read of it. What has just run out may still count there. */
export function isAsSeen(account: ReplayedAccount): boolean {
  const { seen } = account
  if (!seen) return true
  if (account.debitsPosted !== seen.debits_posted) return false
  if (account.creditsPosted !== seen.credits_posted) return false
  const debitsOver = seen.debits_pending - account.debitsPending
  if (debitsOver < 0n || debitsOver > account.debitsLate) return false
  const creditsOver = seen.credits_pending - account.creditsPending
  if (creditsOver < 0n || creditsOver > account.creditsLate) return false
  const isClosed = (seen.flags & AccountFlags.closed) !== 0
  return isClosed ? account.closings + account.closingsLate > 0 : account.closings === 0
}
