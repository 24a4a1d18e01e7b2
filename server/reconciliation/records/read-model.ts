/**
 * The read model is what the ledger has of each hold, request, withdrawal...: as of its cursor, up to
 * which everything has been read, and nothing after it.
 */
import { deadlineOf } from '../../../accounting/clock.ts'
import { toLedgerId, toUuid } from '../../../accounting/ids.ts'
import { lookUpTransfers } from '../../../accounting/lookup.ts'
import { readTrail } from '../../../accounting/trail.ts'
import { attemptId, phaseOf } from '../../../accounting/transfers.ts'
import { countLifecycleRows, lifecyclePages } from '../../../db/record-pages.ts'
import { byId, findLifecycleRows } from '../../../db/record-rows.ts'
import { toLedgerTime } from '../../flows/ledger-time.ts'
import { expiringKind, type Meaning, readEvent, readModel } from '../../flows/read-model.ts'
import type { RecordCheck, RecordContext, Seen, Transfer } from './context.ts'

type LifecycleRow = Awaited<ReturnType<typeof findLifecycleRows>>[number]

/** Compares what was read up to the cursor (ledger time, ns). */
export function followReadModel(cursor: bigint): RecordCheck {
  /** Rows that are further on than what was seen of the ledger so far. */
  const ahead = new Map<string, LifecycleRow>()
  let late: Transfer | undefined
  let opened = 0

  function compareOne(
    context: RecordContext,
    { transfer, operationId }: Seen,
    row: LifecycleRow | undefined,
  ): void {
    const { code, timestamp } = transfer
    const phase = phaseOf(transfer.flags)
    const meaning = readEvent({ transferId: toUuid(transfer.id), operationId, code, phase }, row)
    if (!meaning) return
    const report = (detail: string) =>
      context.report({
        kind: 'read_model_differs',
        subject: operationId,
        ledgerIds: [transfer.id],
        recordIds: row ? [recordIdOf(row)] : [],
        since: timestamp,
        detail,
      })
    if (!row) {
      // One that opens nothing belongs to what is missing already.
      if (meaning.opens) report(`The read model lacks this ${nameOf(meaning.kind)}.`)
      return
    }
    if (meaning.opens) {
      opened += 1
      if (!isOpenedBy(row, transfer, meaning)) report('It was opened otherwise than the row says.')
    }
    ahead.delete(row.id)
    const deadline = endOf(transfer)
    const isLast = row.changed_at === timestamp
    const hasRunOut = deadline > 0n && deadline <= cursor && expiringKind(code) === row.kind
    if (row.changed_at < timestamp || (isLast && hasRunOut)) {
      const stands = isLast ? 'expired' : meaning.state
      report(`It is ${stands} in the ledger, and ${row.state} in the read model.`)
    } else if (isLast && row.state !== meaning.state) {
      report(`It is ${meaning.state} in the ledger, and ${row.state} in the read model.`)
    } else if (!isLast && !(hasRunOut && row.state === 'expired' && row.changed_at === deadline)) {
      ahead.set(row.id, row)
    }
  }

  return {
    codes: readModel.codes,
    async compare(context, seen) {
      const read = seen.filter(({ transfer }) => transfer.timestamp <= cursor)
      const ids = new Set(read.map(({ operationId }) => operationId))
      const rows = byId(await findLifecycleRows(context.trx, [...ids]))
      for (const it of read) compareOne(context, it, rows.get(it.operationId))
      const due = toLedgerTime(context.settledBefore.getTime())
      const isLate = ({ timestamp }: Transfer) => timestamp > cursor && timestamp < due
      late ??= seen.find(({ transfer }) => isLate(transfer))?.transfer
    },
    async finish(context) {
      for (const row of ahead.values()) {
        context.report({
          kind: 'read_model_differs',
          subject: row.id,
          recordIds: [recordIdOf(row)],
          since: row.changed_at,
          detail: `It is ${row.state} in the read model by something that is not in the ledger.`,
        })
      }
      if (late) {
        context.report({
          kind: 'read_model_behind',
          subject: readModel.name,
          ledgerIds: [late.id],
          recordIds: [`tail_cursors:${readModel.name}`],
          since: late.timestamp,
          detail: 'The read model has not read this, nor what came later.',
        })
      }
      if ((await countLifecycleRows(context.trx, context.range.after)) !== opened)
        await findSurplus(context)
    },
  }
}

const nameOf = (kind: string) => kind.replaceAll('_', ' ')
const recordIdOf = ({ kind, id }: Pick<LifecycleRow, 'kind' | 'id'>) => `lifecycles:${kind}/${id}`

function isOpenedBy(row: LifecycleRow, transfer: Transfer, { kind }: Meaning): boolean {
  return (
    row.kind === kind &&
    toLedgerId(row.debit_account_id) === transfer.debit_account_id &&
    toLedgerId(row.credit_account_id) === transfer.credit_account_id &&
    row.input_hash === BigInt(transfer.user_data_32) &&
    row.opened_at === transfer.timestamp &&
    row.deadline_at === endOf(transfer)
  )
}

/** When a pending transfer runs out, ns since 1970; 0 for never and for others. */
const endOf = (transfer: Transfer): bigint => (transfer.timeout === 0 ? 0n : deadlineOf(transfer))

/** Finds the rows that belong to nothing in the ledger, when there are more rows than were opened. */
async function findSurplus({ trx, ledger, range, report }: RecordContext): Promise<void> {
  for await (const page of lifecyclePages(trx, range.after)) {
    const idOf = ({ kind, id }: { kind: string; id: string }) =>
      toLedgerId(kind === 'suspense' ? attemptId(id, 0) : id)
    const found = await lookUpTransfers(ledger, page.map(idOf))
    for (const row of page) {
      if (found.has(idOf(row))) continue
      // It may have taken several attempts.
      if (row.kind === 'suspense' && (await readTrail(ledger, row.id, { limit: 1 })).length > 0)
        continue
      report({
        kind: 'read_model_differs',
        subject: row.id,
        recordIds: [recordIdOf(row)],
        since: row.opened_at,
        detail: `The read model has a ${nameOf(row.kind)} that is not in the ledger.`,
      })
    }
  }
}
