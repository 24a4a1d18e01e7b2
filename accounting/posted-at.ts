/**
 * What accounts had posted at one moment, to the last unit also while money moves.
 *
 * TigerBeetle answers a page of accounts as they are at that instant, and the pages are read one after
 * the other. So an account that was debited or credited since the moment is read from its history
 * instead: which ones these are is told by the transfers since then. Only posted balances count, and
 * those change by transfers alone: the running out of a pending one changes none.
 */
import { type Account, type AccountBalance, AccountFilterFlags } from 'tigerbeetle-node'
import type { Asset } from './chart.ts'
import type { Ledger } from './client.ts'
import { toUuid, type Uuid } from './ids.ts'
import { scanAccounts, scanTransfers } from './scan.ts'
import { isBooked, phaseOf } from './transfers.ts'

/** An account with what it had posted at a moment, in minor units. */
export interface PostedAccount {
  id: Uuid
  code: number
  /** Debits posted less credits posted. */
  debitMinor: bigint
}

/** More accounts were used while they were read than can be looked up again. */
export class LedgerTooBusy extends Error {}

/** How many accounts may have been used since the moment. */
const changedMax = 100_000
/** How many balances are looked up at once. */
const lookupsAtOnce = 100

/**
 * All accounts of an asset's ledger in the order of their creation, in pages, as of a moment that is over
 * (ledger time, ns); those that were created since are among them, with nothing. Rejects with
 * LedgerTooBusy, LedgerUnavailable or LedgerOutcomeUnknown.
 */
export async function* readPostedAt(
  ledger: Ledger,
  asset: Asset,
  at: bigint,
): AsyncGenerator<PostedAccount[], void> {
  const changed = createChanges(ledger, asset, at)
  for await (const page of scanAccounts(ledger, { ledger: asset.ledger })) {
    await changed.readOn()
    yield await inChunks(page, lookupsAtOnce, async (account) => {
      const isChanged = changed.has(account.id)
      const posted = isChanged ? await newestBalance(ledger, account.id, at + 1n) : account
      return { id: toUuid(account.id), code: account.code, debitMinor: debitOf(posted) }
    })
  }
}

function debitOf(posted: Pick<Account, 'debits_posted' | 'credits_posted'> | undefined): bigint {
  return posted ? posted.debits_posted - posted.credits_posted : 0n
}

/**
 * An account's balances after its last transfer before a moment (ledger time, ns); undefined when there
 * was none. The account must keep `history`.
 */
export async function newestBalance(
  ledger: Ledger,
  accountId: bigint,
  before: bigint,
): Promise<AccountBalance | undefined> {
  // To TigerBeetle 0 means no bound.
  if (before <= 1n) return undefined
  const [newest] = await ledger.getAccountBalances({
    account_id: accountId,
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    code: 0,
    timestamp_min: 0n,
    timestamp_max: before - 1n,
    limit: 1,
    flags: AccountFilterFlags.debits | AccountFilterFlags.credits | AccountFilterFlags.reversed,
  })
  return newest
}

/** The accounts whose posted balance has changed since a moment, as far as this was read on. */
function createChanges(ledger: Ledger, asset: Asset, since: bigint) {
  const changed = new Set<bigint>()
  let after = since

  /** Reads all that was committed until now, and so before anything that was answered before. */
  async function readOn(): Promise<void> {
    for await (const page of scanTransfers(ledger, { after, upTo: 0n, ledger: asset.ledger })) {
      for (const transfer of page.filter(({ flags }) => isBooked(phaseOf(flags)))) {
        changed.add(transfer.debit_account_id).add(transfer.credit_account_id)
      }
      if (changed.size > changedMax) throw new LedgerTooBusy(`${asset.currency} is too busy`)
      after = page.at(-1)!.timestamp
    }
  }

  return { readOn, has: (accountId: bigint) => changed.has(accountId) }
}

/** Maps a list, so many at a time. */
export async function inChunks<Item, Result>(
  items: readonly Item[],
  size: number,
  map: (item: Item) => Result | Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (let start = 0; start < items.length; start += size) {
    results.push(...(await Promise.all(items.slice(start, start + size).map(map))))
  }
  return results
}
