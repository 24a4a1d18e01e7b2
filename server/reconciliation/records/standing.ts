/** Wallets that their owners have closed are closed in both, and each closing was noted before. */
import { TransferCode } from '../../../accounting/chart.ts'
import { toUuid } from '../../../accounting/ids.ts'
import { phaseOf } from '../../../accounting/transfers.ts'
import { byId, findClosingRows, findWalletRows } from '../../../db/record-rows.ts'
import { toLedgerTime } from '../../flows/ledger-time.ts'
import type { RecordCheck, RecordContext, Seen, Transfer } from './context.ts'

/** What is remembered of each wallet that is closed: the ledger tells it before PostgreSQL is asked. */
export function watchClosings(closed: Set<bigint>): RecordCheck {
  return {
    codes: [TransferCode.closing, TransferCode.closure],
    async compare(context, seen) {
      const pending = seen.filter(({ transfer }) => phaseOf(transfer.flags) === 'pending')
      const isFinal = ({ transfer }: Seen) => transfer.code === TransferCode.closure
      const closures = pending.filter(isFinal).map(({ transfer }) => transfer)
      for (const { credit_account_id } of closures) closed.add(credit_account_id)
      await compareClosures(context, closures)
      await compareAttempts(
        context,
        pending.filter((it) => !isFinal(it)).map(({ transfer }) => transfer),
      )
    },
  }
}

async function compareClosures(
  { trx, settledBefore, report }: RecordContext,
  closures: readonly Transfer[],
): Promise<void> {
  const wallets = byId(
    await findWalletRows(
      trx,
      closures.map(({ credit_account_id }) => toUuid(credit_account_id)),
    ),
  )
  for (const transfer of closures) {
    const subject = toUuid(transfer.credit_account_id)
    const row = wallets.get(subject)
    // That there is no such wallet is told of its account; recovery notes what was not noted yet.
    const isEarly = transfer.timestamp >= toLedgerTime(settledBefore.getTime())
    if (!row || row.closed_at || isEarly) continue
    const recordIds = [`wallets:${subject}`]
    const detail = 'The wallet is closed for ever in the ledger, and open in PostgreSQL.'
    const since = transfer.timestamp
    report({ kind: 'wallet_differs', subject, ledgerIds: [transfer.id], recordIds, since, detail })
  }
}

async function compareAttempts(
  { trx, report }: RecordContext,
  attempts: readonly Transfer[],
): Promise<void> {
  const rows = byId(
    await findClosingRows(
      trx,
      attempts.map(({ id }) => toUuid(id)),
    ),
  )
  for (const { id, credit_account_id, timestamp } of attempts) {
    if (rows.has(toUuid(id))) continue
    const subject = toUuid(credit_account_id)
    const detail = 'An owner began to close the wallet, and recovery does not know of it.'
    report({ kind: 'wallet_differs', subject, ledgerIds: [id], since: timestamp, detail })
  }
}
