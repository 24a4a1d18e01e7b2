import { Readable } from 'node:stream'
import type { Uuid } from '../../accounting/ids.ts'
import {
  countRows,
  listRows,
  type PayrollProgress,
  type ReportedRow,
} from '../../db/payroll-reports.ts'
import { findPayroll, listPayrolls, type Payroll } from '../../db/payrolls.ts'
import type { Customer } from '../caller.ts'
import { toCsvLine, toCsvText } from '../csv.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { itemKey } from './batch.ts'

const rowsAtOnce = 1_000

/** One of the caller's payrolls. Refusal: payroll_not_found. */
export async function findOwnPayroll(
  deps: Pick<Deps, 'db'>,
  caller: Customer,
  id: Uuid,
): Promise<Payroll> {
  const payroll = await findPayroll(deps.db, id)
  if (payroll?.userId === caller.userId) return payroll
  throw new Refusal('payroll_not_found')
}

/** The caller's payrolls with smaller numbers than `before`, the newest first. */
export function listOwnPayrolls(
  deps: Pick<Deps, 'db'>,
  { userId }: Customer,
  page: { before: bigint | undefined; limit: number },
): Promise<Payroll[]> {
  return listPayrolls(deps.db, { userId, ...page })
}

/** One of the caller's payrolls and how far it is. Refusal: payroll_not_found. */
export async function readPayroll(
  deps: Pick<Deps, 'db'>,
  caller: Customer,
  id: Uuid,
): Promise<{ payroll: Payroll; progress: PayrollProgress }> {
  const payroll = await findOwnPayroll(deps, caller, id)
  return { payroll, progress: await countRows(deps.db, id) }
}

/**
 * What has become of each row of one of the caller's payrolls, as CSV, made while it is sent.
 * Refusal: payroll_not_found.
 */
export async function writeResults(
  deps: Pick<Deps, 'db'>,
  caller: Customer,
  id: Uuid,
): Promise<Readable> {
  return Readable.from(writeRows(deps, await findOwnPayroll(deps, caller, id)))
}

async function* writeRows(
  { db }: Pick<Deps, 'db'>,
  payroll: Payroll,
): AsyncGenerator<string, void> {
  yield toCsvLine(['line', 'to', 'amount', 'status', 'transfer_id', 'code'])
  const id = payroll.operationId
  for (let from = 0; ; from += rowsAtOnce) {
    const rows = await listRows(db, { id, from, limit: rowsAtOnce })
    yield rows.map((row) => toCsvLine(toCells(payroll, row).map(toCsvText))).join('')
    if (rows.length < rowsAtOnce) return
  }
}

function toCells(payroll: Payroll, row: ReportedRow): string[] {
  const { line, recipient, amount, status, code } = row
  const transferId = status === 'done' ? itemKey(payroll, row.place).operationId : ''
  return [String(line), recipient, amount, status ?? 'waiting', transferId, code ?? '']
}
