import { z } from 'zod'
import type { PayrollProgress } from '../../db/payroll-reports.ts'
import type { Payroll } from '../../db/payrolls.ts'
import { showAmount } from '../flows/amount.ts'
import { listOwnPayrolls, readPayroll, writeResults } from '../flows/read-payrolls.ts'
import { giveUpUpload, uploadPayroll } from '../flows/upload-payroll.ts'
import { idPageQuery, readIdCursor, toIdPage } from '../http/id-paging.ts'
import { pageOf } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import {
  amountOutput,
  currencyInput,
  downloadBody,
  replayHeader,
  replayHeaders,
  time,
  uploadBody,
  uuid,
  walletName,
} from '../http/schemas.ts'

const tags = ['Batches'] as const
const params = z.object({ id: uuid })
const csv = 'text/csv'
const uploadLimitBytes = 20 * 1024 * 1024

const payrollFields = {
  id: uuid,
  state: z.enum(['uploading', 'running', 'finished']),
  from_wallet_id: uuid,
  currency: z.string(),
  created_at: time,
  finished_at: time.nullable(),
}

const payrollBody = z
  .object({
    ...payrollFields,
    rows: z.int().meta({ description: 'That are there; while it is uploaded it may become more' }),
    done: z.int(),
    refused: z.int(),
    amounts: z
      .object({ done: amountOutput, refused: amountOutput, waiting: amountOutput })
      .meta({ description: 'Sums of what the rows ask for' }),
  })
  .meta({ id: 'Payroll' })

const postPayroll = defineRoute(
  {
    method: 'POST',
    path: '/v1/payrolls',
    summary: 'Pay many people by a CSV file',
    description:
      'Columns: to (wallet id, wallet number or username), amount, memo. It is stored while it ' +
      'arrives and paid in the background, each row for itself. The same key with the same file goes ' +
      'on with an upload that broke off.',
    tags,
    caller: 'customer',
    query: z.object({ from_wallet_id: walletName.optional(), currency: currencyInput.optional() }),
    body: uploadBody,
    upload: { contentType: csv, limitBytes: uploadLimitBytes },
    idempotent: 'required',
    responses: {
      202: { description: 'All rows are there', body: payrollBody, headers: replayHeader },
    },
    refusals: [
      'request_timeout',
      'currency_not_supported',
      'currency_mismatch',
      'wallet_not_found',
      'wallet_number_mistyped',
      'wallet_ambiguous',
      'payroll_limit_reached',
      'batch_too_large',
      'idempotency_key_reused',
    ],
  },
  async (deps, { caller, query, body, idempotencyKey = '' }) => {
    const input = { fromWalletId: query.from_wallet_id, currency: query.currency }
    const { payroll, replayed } = await uploadPayroll(deps, caller, input, body, idempotencyKey)
    const { progress } = await readPayroll(deps, caller, payroll.operationId)
    return {
      status: 202,
      body: showPayroll(payroll, progress),
      headers: { Location: `/v1/payrolls/${payroll.operationId}`, ...replayHeaders(replayed) },
    }
  },
)

const getPayrolls = defineRoute(
  {
    method: 'GET',
    path: '/v1/payrolls',
    summary: 'Your payrolls, newest first',
    tags,
    caller: 'customer',
    query: idPageQuery,
    responses: { 200: { description: 'A page', body: pageOf(z.object(payrollFields)) } },
    refusals: ['invalid_cursor'],
  },
  async (deps, { caller, query }) => {
    const before = readIdCursor(query)
    const rows = await listOwnPayrolls(deps, caller, { before, limit: query.limit + 1 })
    return { status: 200, body: toIdPage(rows, query, ({ number }) => number, showFields) }
  },
)

const getPayroll = defineRoute(
  {
    method: 'GET',
    path: '/v1/payrolls/{id}',
    summary: 'How far one of your payrolls is',
    tags,
    caller: 'customer',
    params,
    responses: { 200: { description: 'The payroll', body: payrollBody } },
    refusals: ['payroll_not_found'],
  },
  async (deps, { caller, params: { id } }) => {
    const { payroll, progress } = await readPayroll(deps, caller, id)
    return { status: 200, body: showPayroll(payroll, progress) }
  },
)

const deletePayroll = defineRoute(
  {
    method: 'DELETE',
    path: '/v1/payrolls/{id}',
    summary: 'Give up an upload that broke off',
    description: 'Nothing of it was paid. Its key can be used again.',
    tags,
    caller: 'customer',
    params,
    responses: { 204: { description: 'It is gone' } },
    refusals: ['payroll_not_found', 'payroll_complete'],
  },
  async (deps, { caller, params: { id } }) => {
    await giveUpUpload(deps, caller, id)
    return { status: 204 }
  },
)

const getResults = defineRoute(
  {
    method: 'GET',
    path: '/v1/payrolls/{id}/results',
    summary: 'What has become of each row, as CSV',
    tags,
    caller: 'customer',
    params,
    responses: {
      200: {
        description: 'A line for each row: line, to, amount, status, transfer_id, code',
        body: downloadBody,
        contentType: csv,
      },
    },
    refusals: ['payroll_not_found'],
  },
  async (deps, { caller, params: { id } }) => ({
    status: 200,
    body: await writeResults(deps, caller, id),
    headers: { 'Content-Disposition': `attachment; filename="payroll-${id}.csv"` },
  }),
)

function showFields(payroll: Payroll) {
  return {
    id: payroll.operationId,
    state: payroll.state,
    from_wallet_id: payroll.walletId,
    currency: payroll.currency,
    created_at: payroll.createdAt.toISOString(),
    finished_at: payroll.finishedAt?.toISOString() ?? null,
  }
}

function showPayroll(payroll: Payroll, progress: PayrollProgress): z.output<typeof payrollBody> {
  const show = (minor: bigint) => showAmount(minor, payroll.currency)
  return {
    ...showFields(payroll),
    rows: progress.rows,
    done: progress.done,
    refused: progress.refused,
    amounts: {
      done: show(progress.doneMinor),
      refused: show(progress.refusedMinor),
      waiting: show(progress.waitingMinor),
    },
  }
}

export const payrollRoutes = [postPayroll, getPayrolls, getPayroll, deletePayroll, getResults]
