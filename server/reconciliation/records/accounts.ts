/** Every wallet has its account, and every account that belongs to somebody has that somebody. */

import {
  type AccountPlan,
  budgetAccount,
  clearingAccount,
  receivableAccount,
  suspenseAccount,
} from '../../../accounting/accounts.ts'
import {
  AccountCode,
  type Asset,
  findAsset,
  findLedger,
  TransferCode,
} from '../../../accounting/chart.ts'
import { toLedgerId, toUuid } from '../../../accounting/ids.ts'
import { lookUpAccounts } from '../../../accounting/lookup.ts'
import { scanAccounts } from '../../../accounting/scan.ts'
import { readTrail } from '../../../accounting/trail.ts'
import { ownerPages, walletPages } from '../../../db/record-pages.ts'
import { byId, findWalletRows } from '../../../db/record-rows.ts'
import { toLedgerTime } from '../../flows/ledger-time.ts'
import { limitWindows } from '../../flows/limit-rules.ts'
import type { RecordContext } from './context.ts'

type Account = Awaited<ReturnType<typeof lookUpAccounts>> extends Map<bigint, infer A> ? A : never

/** Accounts that no row has explained so far. */
type Unexplained = Map<bigint, Account>

/**
 * Accounts whose ids are computed from whom they belong to. Those of the house belong to nobody, and those
 * of a payment or of a request for money to what has used them.
 */
const ownedCodes: ReadonlySet<number> = new Set([
  AccountCode.clearing,
  AccountCode.suspense,
  AccountCode.receivable,
  AccountCode.budget,
])

/** Compares the accounts of the ledger with whom they belong to. */
export async function compareAccounts(context: RecordContext): Promise<void> {
  const unexplained: Unexplained = new Map()
  for await (const accounts of scanAccounts(context.ledger, context.range)) {
    await compareWalletAccounts(
      context,
      accounts.filter(({ code }) => code === AccountCode.wallet),
    )
    for (const account of accounts) {
      if (ownedCodes.has(account.code)) unexplained.set(account.id, account)
    }
  }
  await explain(context, unexplained)
  for (const account of unexplained.values()) reportNobody(context, account)
}

async function compareWalletAccounts(
  context: RecordContext,
  accounts: readonly Account[],
): Promise<void> {
  const rows = byId(
    await findWalletRows(
      context.trx,
      accounts.map(({ id }) => toUuid(id)),
    ),
  )
  for (const account of accounts) {
    const subject = toUuid(account.id)
    const row = rows.get(subject)
    if (!row) reportNobody(context, account)
    else if (findAsset(row.currency)?.ledger !== account.ledger) {
      context.report({
        kind: 'wallet_differs',
        subject,
        ledgerIds: [account.id],
        recordIds: [`wallets:${subject}`],
        since: account.timestamp,
        detail: `The wallet is in ${row.currency}, and its account in ledger ${account.ledger}.`,
      })
    }
  }
}

function reportNobody({ report }: RecordContext, account: Account): void {
  const asset = findLedger(account.ledger)?.asset
  report({
    kind: 'account_without_owner',
    subject: toUuid(account.id),
    ledgerIds: [account.id],
    amounts: { asset, found: account.credits_posted - account.debits_posted },
    since: account.timestamp,
    detail: `Nobody has this account of code ${account.code}.`,
  })
}

/** Removes the accounts that belong to somebody; owners are read only while there are any left. */
async function explain(context: RecordContext, unexplained: Unexplained): Promise<void> {
  const { trx, paymentSystems } = context
  const remove = (plans: readonly AccountPlan[]) => {
    for (const { id } of plans) unexplained.delete(toLedgerId(id))
  }
  for (const asset of assetsOf(unexplained)) {
    for (const [userId, number] of paymentSystems) {
      remove([clearingAccount(number, asset), suspenseAccount(number, asset)])
      remove(limitWindows.map((window) => budgetAccount({ userId, window }, asset)))
    }
  }
  for await (const page of unexplained.size > 0 ? ownerPages(trx) : []) {
    for (const { user_id: userId, currency } of page) {
      const asset = findAsset(currency)
      if (!asset) continue
      remove([receivableAccount(userId, asset)])
      remove(limitWindows.map((window) => budgetAccount({ userId, window }, asset)))
    }
  }
}

function assetsOf(accounts: Unexplained): Asset[] {
  const assets = new Set([...accounts.values()].map(({ ledger }) => findLedger(ledger)?.asset))
  return [...assets].filter((asset) => asset !== undefined)
}

/**
 * Compares the wallets of PostgreSQL with their accounts, and answers how many there are; `closed` are
 * those that their owners have closed, as far as the ledger was read.
 */
export async function compareWallets(
  context: RecordContext,
  closed: ReadonlySet<bigint>,
): Promise<number> {
  const { trx, ledger, settledBefore, report } = context
  let count = 0
  for await (const page of walletPages(trx)) {
    count += page.length
    const accounts = await lookUpAccounts(
      ledger,
      page.map(({ id }) => toLedgerId(id)),
    )
    for (const row of page) {
      const id = toLedgerId(row.id)
      const place = { subject: row.id, recordIds: [`wallets:${row.id}`] }
      const isDue = row.account_created_at !== null || row.created_at < settledBefore
      if (!accounts.has(id)) {
        const since = row.account_created_at ?? row.created_at
        const detail = 'The ledger has no account for this wallet.'
        if (isDue) report({ kind: 'wallet_without_account', ...place, since, detail })
      } else if (isClosedWithin(context, row.closed_at) && !closed.has(id)) {
        if (await isClosed(context, row.id)) continue
        const since = row.closed_at ?? row.created_at
        const detail = 'The wallet is closed in PostgreSQL, and not for ever in the ledger.'
        report({ kind: 'wallet_differs', ...place, ledgerIds: [id], since, detail })
      }
    }
  }
  return count
}

/** Whether a wallet was closed so late that what is compared tells of it. */
const isClosedWithin = ({ range }: RecordContext, closedAt: Date | null): boolean =>
  closedAt !== null && toLedgerTime(closedAt.getTime()) > range.after

/** Looks again: it may have been closed after what was read of the ledger, or before. */
async function isClosed({ ledger }: RecordContext, walletId: string): Promise<boolean> {
  const closures = await readTrail(ledger, walletId, { code: TransferCode.closure, limit: 1 })
  return closures.length > 0
}
