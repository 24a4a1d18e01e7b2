import { z } from 'zod'
import type { PaymentSystemRow } from '../../db/payment-systems.ts'
import {
  createPaymentSystem,
  readPaymentSystems,
  rotateCredential,
} from '../flows/payment-systems.ts'
import { idPageQuery, readIdCursor, toIdPage } from '../http/id-paging.ts'
import { pageOf } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import { text, time, uuid } from '../http/schemas.ts'
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

const postPaymentSystem = defineRoute(
  {
    method: 'POST',
    path: '/v1/payment-systems',
    summary: 'Add a payment system',
    description: 'Each bank that sends money with its own credential is a payment system.',
    tags,
    caller: 'operator',
    body: z.strictObject({ name: text(systemNameLengthMax), email: emailInput }),
    responses: { 201: { description: 'Added', body: credentialBody } },
    refusals: ['email_taken', 'name_taken', 'busy'],
  },
  async (deps, { body }) => {
    const { paymentSystem, password } = await createPaymentSystem(deps, body)
    return {
      status: 201,
      body: { payment_system: showPaymentSystem(paymentSystem), password },
    }
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
  async (deps, { params }) => {
    const { paymentSystem, password } = await rotateCredential(deps, params.id)
    return {
      status: 201,
      body: { payment_system: showPaymentSystem(paymentSystem), password },
    }
  },
)

export const paymentSystemRoutes = [postPaymentSystem, getPaymentSystems, postCredential]
