import { z } from 'zod'
import type { PaymentSystemRow } from '../../db/payment-systems.ts'
import { askPaymentSystem } from '../flows/ask-payment-system.ts'
import {
  readPaymentSystems,
  rotateCredential,
  type WithCredential,
} from '../flows/payment-systems.ts'
import { idPageQuery, readIdCursor, toIdPage } from '../http/id-paging.ts'
import { pageOf } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import { text, time, uuid } from '../http/schemas.ts'
import { approvalBody, showApproval } from './approvals.ts'
import { emailInput } from './users.ts'

const tags = ['Operators'] as const

export const systemNameLengthMax = 100
/** PostgreSQL's integer. */
const numberMax = 2n ** 31n - 1n

/** The number of the last payment system on the page before. Refusal: invalid_cursor. */
export const readSystemCursor = (query: z.output<typeof idPageQuery>): number =>
  Number(readIdCursor(query, numberMax) ?? 0n)

const paymentSystemBody = z
  .object({
    id: uuid,
    number: z.int(),
    name: z.string(),
    email: z.string(),
    created_at: time,
    deactivated_at: time.nullable(),
  })
  .meta({ id: 'PaymentSystem' })

const credentialBody = z
  .object({
    payment_system: paymentSystemBody,
    password: z.string().meta({ description: 'Told this once; only its hash is stored' }),
  })
  .meta({ id: 'PaymentSystemCredential' })

function showPaymentSystem(row: PaymentSystemRow): z.output<typeof paymentSystemBody> {
  const { id, number, name, email, createdAt, deactivatedAt } = row
  return {
    id,
    number,
    name,
    email,
    created_at: createdAt.toISOString(),
    deactivated_at: deactivatedAt?.toISOString() ?? null,
  }
}

const showCredential = ({ paymentSystem, password }: WithCredential) => ({
  payment_system: showPaymentSystem(paymentSystem),
  password,
})

const postPaymentSystem = defineRoute(
  {
    method: 'POST',
    path: '/v1/payment-systems',
    summary: 'Add a payment system',
    description:
      'Each bank that sends money with its own credential is a payment system. With four eyes it is made ' +
      'when another operator approves it, and nobody has its password until its credential is rotated.',
    tags,
    caller: 'operator',
    body: z.strictObject({ name: text(systemNameLengthMax), email: emailInput }),
    responses: {
      201: { description: 'Added', body: credentialBody },
      202: { description: 'It was asked for', body: approvalBody },
    },
    refusals: ['email_taken', 'name_taken', 'busy', 'outcome_unknown', 'ledger_unavailable'],
  },
  async (deps, { caller, body }) => {
    const asked = await askPaymentSystem(deps, caller, body)
    return 'approval' in asked
      ? { status: 202, body: showApproval(asked.approval) }
      : { status: 201, body: showCredential(asked) }
  },
)

const getPaymentSystems = defineRoute(
  {
    method: 'GET',
    path: '/v1/payment-systems',
    summary: 'All payment systems, by number',
    tags,
    caller: 'operator',
    query: idPageQuery,
    responses: { 200: { description: 'A page', body: pageOf(paymentSystemBody) } },
    refusals: ['invalid_cursor'],
  },
  async (deps, { query }) => {
    const page = { after: readSystemCursor(query), limit: query.limit + 1 }
    const rows = await readPaymentSystems(deps, page)
    return { status: 200, body: toIdPage(rows, query, ({ number }) => number, showPaymentSystem) }
  },
)

const postCredential = defineRoute(
  {
    method: 'POST',
    path: '/v1/payment-systems/{id}/credential',
    summary: 'Rotate the credential of a payment system',
    description: 'The old password and every session of it end at once.',
    tags,
    caller: 'operator',
    params: z.object({ id: uuid }),
    responses: { 201: { description: 'A new password', body: credentialBody } },
    refusals: ['payment_system_not_found', 'busy'],
  },
  async (deps, { params }) => ({
    status: 201,
    body: showCredential(await rotateCredential(deps, params.id)),
  }),
)

export const paymentSystemRoutes = [postPaymentSystem, getPaymentSystems, postCredential]
