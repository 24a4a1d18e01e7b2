import { assetOf } from '../../accounting/chart.ts'
import { computeUuid, hashInput, type Uuid } from '../../accounting/ids.ts'
import {
  completePayroll,
  discardUpload,
  findPayroll,
  openPayroll,
  type Payroll,
  storeRows,
} from '../../db/payrolls.ts'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { readCurrency } from './amount.ts'
import { readPayrollFile } from './payroll-file.ts'
import { findOwnPayroll } from './read-payrolls.ts'
import { resolveOwnWallet } from './resolve-wallets.ts'

export interface PayrollInput {
  fromWalletId?: string | undefined
  currency?: string | undefined
}

const rowsMax = 100_000
const rowsPerStatement = 1_000
/** Payrolls of one user that are not finished. */
const unfinishedMax = 5

/**
 * Stores a payroll while it arrives, and has it paid in the background once all of it is there. The
 * same key goes on with an upload that broke off: what is stored is compared, the rest added. A file
 * that is no payroll takes away what is stored; copies of it that are still arriving are refused then.
 * Refusals: those of resolveOwnWallet, currency_not_supported, payroll_limit_reached, malformed_body,
 * body_too_large, batch_too_large, idempotency_key_reused.
 */
export async function uploadPayroll(
  deps: Pick<Deps, 'db' | 'settings'>,
  caller: Customer,
  input: PayrollInput,
  upload: AsyncIterable<Uint8Array>,
  idempotencyKey: string,
): Promise<{ payroll: Payroll; replayed: boolean }> {
  const { db } = deps
  const id = namePayroll(caller, idempotencyKey)
  const inputHash = hashInput('payroll', input.fromWalletId ?? null, input.currency ?? null)
  const opened = (await findPayroll(db, id)) ?? (await open(deps, caller, input, id, inputHash))
  if (opened.inputHash !== inputHash) throw new Refusal('idempotency_key_reused')
  const rowCount = await storeFile(deps, opened, upload).catch(async (error: unknown) => {
    if (error instanceof Refusal && isFaultOfFile(error)) await discardUpload(db, opened)
    throw error
  })
  const completed = await completePayroll(db, opened, rowCount)
  if (completed === 'different') throw new Refusal('idempotency_key_reused')
  return { payroll: await findExisting(db, id), replayed: completed === 'again' }
}

/**
 * Gives up one of the caller's uploads. Copies of it that are still arriving are refused then.
 * Refusals: payroll_not_found, payroll_complete for one whose rows are all there.
 */
export async function giveUpUpload(
  deps: Pick<Deps, 'db'>,
  caller: Customer,
  id: Uuid,
): Promise<void> {
  const payroll = await findOwnPayroll(deps, caller, id)
  if (await discardUpload(deps.db, payroll)) return
  // Gone, or complete, by now.
  await findOwnPayroll(deps, caller, id)
  throw new Refusal('payroll_complete')
}

/** Names a payroll by the caller's key. No batch has such an id, so none has the ids of its rows. */
export function namePayroll({ userId }: Pick<Customer, 'userId'>, idempotencyKey: string): Uuid {
  return computeUuid('payroll', userId, idempotencyKey)
}

/** Stores the rows of a file. Answers how many there are. */
async function storeFile(
  { db }: Pick<Deps, 'db'>,
  opened: Payroll,
  upload: AsyncIterable<Uint8Array>,
): Promise<number> {
  let count = 0
  const asset = assetOf(opened.currency)
  for await (const rows of readPayrollFile(upload, asset, rowsPerStatement)) {
    const place = count
    count += rows.length
    if (count > rowsMax) throw new Refusal('batch_too_large', { extra: { rows_max: rowsMax } })
    if (!(await storeRows(db, opened, { place, rows }))) throw new Refusal('idempotency_key_reused')
  }
  if (count === 0) throw new Refusal('malformed_body', 'There are no rows in it.')
  return count
}

/** Whether the same file would be refused again: nobody will go on with it. */
const isFaultOfFile = ({ code }: Refusal): boolean =>
  code === 'malformed_body' || code === 'body_too_large' || code === 'batch_too_large'

async function open(
  deps: Pick<Deps, 'db' | 'settings'>,
  caller: Customer,
  { fromWalletId, currency }: PayrollInput,
  id: Uuid,
  inputHash: number,
): Promise<Payroll> {
  if (currency !== undefined) await readCurrency(deps, currency)
  const field = { in: 'query', pointer: 'from_wallet_id' } as const
  const wanted = { name: fromWalletId, field, ...(currency === undefined ? {} : { currency }) }
  const wallet = await resolveOwnWallet(deps, caller, wanted)
  const isAllowed = await openPayroll(deps.db, {
    operationId: id,
    inputHash,
    userId: caller.userId,
    walletId: wallet.id,
    unfinishedMax,
  })
  if (!isAllowed) throw new Refusal('payroll_limit_reached')
  return findExisting(deps.db, id)
}

async function findExisting(db: Deps['db'], id: Uuid): Promise<Payroll> {
  const payroll = await findPayroll(db, id)
  if (!payroll) throw new Error(`payroll ${id} was opened and is not there`)
  return payroll
}
