import assert from 'node:assert/strict'
import type { Account } from 'tigerbeetle-node'
import { AccountCode } from '../../accounting/chart.ts'
import type { Ledger } from '../../accounting/client.ts'

/** Accounts asked for at once; a server that gives fewer is asked more often. */
const pageLimit = 1_000

/** Every account of the ledger, in the order of their creation. */
async function readAccounts(ledger: Ledger): Promise<Account[]> {
  const accounts: Account[] = []
  for (let after = 0n; ; ) {
    const page = await ledger.queryAccounts({
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      ledger: 0,
      code: 0,
      timestamp_min: after + 1n,
      timestamp_max: 0n,
      limit: pageLimit,
      flags: 0,
    })
    accounts.push(...page)
    const last = page.at(-1)
    if (!last) return accounts
    after = last.timestamp
  }
}

/**
 * Proves the books of every TigerBeetle ledger: debits equal credits, no wallet owes and no clearing
 * account has paid out more than was paid in. Answers the accounts for further questions.
 */
export async function checkBooks(ledger: Ledger): Promise<Account[]> {
  const accounts = await readAccounts(ledger)
  const sums = new Map<number, { posted: bigint; pending: bigint }>()
  for (const account of accounts) {
    const sum = sums.get(account.ledger) ?? { posted: 0n, pending: 0n }
    sum.posted += account.debits_posted - account.credits_posted
    sum.pending += account.debits_pending - account.credits_pending
    sums.set(account.ledger, sum)
    const spare = account.credits_posted - account.debits_posted - account.debits_pending
    const isWallet = account.code === AccountCode.wallet
    if (isWallet) assert.ok(spare >= 0n, `wallet account ${account.id} owes ${-spare}`)
    const cover = account.debits_posted - account.credits_posted - account.credits_pending
    const isClearing = account.code === AccountCode.clearing
    if (isClearing) assert.ok(cover >= 0n, `clearing account ${account.id} lacks ${-cover}`)
  }
  for (const [number, { posted, pending }] of sums) {
    assert.equal(posted, 0n, `ledger ${number}: posted debits less credits`)
    assert.equal(pending, 0n, `ledger ${number}: pending debits less credits`)
  }
  return accounts
}
