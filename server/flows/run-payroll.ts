import type { Uuid } from '../../accounting/ids.ts'
import { findUserLimits } from '../../db/limits.ts'
import {
  findWaitingRows,
  finishPayroll,
  keepResults,
  type WaitingRow,
} from '../../db/payroll-runs.ts'
import { findPayroll, type Payroll } from '../../db/payrolls.ts'
import { findUser } from '../../db/users.ts'
import { listWallets } from '../../db/wallets.ts'
import { toCallerWallet } from '../caller.ts'
import { Refusal } from '../refusals.ts'
import { readCurrency } from './amount.ts'
import { itemKey } from './batch.ts'
import type { PayDeps, PaymentPlan } from './pay.ts'
import { type PayItem, type PayResult, planEach, submitPlanned } from './pay-each.ts'
import type { Recipient } from './resolve-wallets.ts'

/** Rows that are paid in one go: as many as one request to the ledger takes even with several legs. */
const rowsAtOnce = 1_000

/**
 * Pays the next rows of a payroll, and has the job called again for those that follow. Each row has an
 * id by its place, so whatever is cut off is done again and happens once. Rejects when the outcome is
 * not known: the rows wait for the next time.
 */
export async function runPayroll(deps: PayDeps, id: Uuid): Promise<void> {
  const payroll = await findPayroll(deps.db, id)
  if (payroll?.state !== 'running') return
  // It can be in an own asset that another process has registered.
  await readCurrency(deps, payroll.currency)
  const rows = await findWaitingRows(deps.db, { id, limit: rowsAtOnce })
  if (rows.length === 0) return finishPayroll(deps.db, id)
  const items = rows.map((row) => toItem(payroll, row))
  const results = await submitPlanned(deps, id, items, await planRows(deps, payroll, items))
  await keepResults(deps.db, {
    id,
    results: results.map((result, index) => ({ place: rows[index]!.place, ...toStored(result) })),
  })
}

/** Plans the rows, if who pays them may still do so. */
async function planRows(
  deps: PayDeps,
  { userId }: Payroll,
  items: readonly PayItem[],
): Promise<(PaymentPlan | Refusal)[]> {
  const user = await findUser(deps.db, userId)
  if (!user || user.deactivatedAt) return items.map(() => new Refusal('payer_closed'))
  const wallets = (await listWallets(deps.db, userId)).map(toCallerWallet)
  const limits = await findUserLimits(deps.db, userId)
  if (!limits) return items.map(() => new Refusal('payer_closed'))
  return planEach(deps, { userId, wallets, limits }, items)
}

function toItem(payroll: Payroll, { place, recipient, amount, memo }: WaitingRow): PayItem {
  return {
    key: itemKey(payroll, place),
    input: {
      fromWalletId: payroll.walletId,
      to: toRecipient(recipient),
      amount,
      ...(memo === null ? {} : { memo }),
    },
  }
}

const walletName = /^(\d{1,18}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** A wallet's id or number, or else a username. */
function toRecipient(text: string): Recipient {
  const name = text.toLowerCase()
  return walletName.test(name)
    ? { kind: 'wallet', wallet: name }
    : { kind: 'username', username: name }
}

function toStored(result: PayResult) {
  const { status } = result
  return { status, code: status === 'refused' ? result.code : null }
}
