import { z } from 'zod'
import type { OperatorParty } from '../../db/approvals.ts'
import { approvalKinds } from '../flows/approval-effects.ts'
import { type DescribedApproval, findApproval, listApprovals } from '../flows/approvals.ts'
import { approve, reject, withdraw } from '../flows/decide-approval.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { pageOf, pageQuery, toBounds, toPage } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import { reasonFields, time, uuid } from '../http/schemas.ts'

const approvalStates = ['pending', 'approved', 'rejected', 'withdrawn', 'expired'] as const

/** The query parameters of lists of what waits, or has waited, for an approval. */
export const approvalQuery = { ...pageQuery, status: z.enum(approvalStates).optional() }

const operatorBody = z.object({ id: uuid, email: z.string(), name: z.string().nullable() })

/** What approvals, and what is approved, have in common. */
export const approvalFields = {
  state: z.enum(approvalStates).meta({ description: 'As the ledger has it at this moment' }),
  reason: z.string().meta({ description: 'Why it was asked for' }),
  requested_by: operatorBody,
  decided_by: operatorBody.nullable().meta({ description: 'null while nobody has' }),
  decision_reason: z.string().nullable().meta({ description: 'Why it was rejected' }),
  created_at: time,
  decided_at: time.nullable(),
  expires_at: time,
}

const showOperator = ({ id, email, name }: OperatorParty) => ({ id, email, name })

export function showApprovalFields(approval: DescribedApproval) {
  const { told, decidedAt } = approval
  return {
    state: approval.state,
    reason: approval.reason,
    requested_by: showOperator(approval.requestedBy),
    decided_by: told ? showOperator(told.by) : null,
    decision_reason: told?.reason ?? null,
    created_at: showLedgerTime(approval.timestamp),
    decided_at: decidedAt === undefined ? null : showLedgerTime(decidedAt),
    expires_at: showLedgerTime(approval.deadline),
  }
}

export const approvalBody = z
  .object({
    id: uuid,
    kind: z.enum(approvalKinds),
    body: z.record(z.string(), z.unknown()).meta({ description: 'What is asked for, by kind' }),
    ...approvalFields,
    applied_at: time.nullable().meta({
      description: 'Of what is not in the ledger alone: when it was carried out, or has failed',
    }),
    failure: z.string().nullable().meta({ description: 'Why it cannot be carried out' }),
  })
  .meta({ id: 'Approval' })

export function showApproval(approval: DescribedApproval): z.output<typeof approvalBody> {
  const { id, kind, body } = approval
  const { createdAt, failure } = approval.effect ?? {}
  return {
    id,
    kind,
    body: { ...body },
    ...showApprovalFields(approval),
    applied_at: createdAt?.toISOString() ?? null,
    failure: failure ?? null,
  }
}

const common = { tags: ['Treasury'], caller: 'operator' } as const
const one = { ...common, params: z.object({ id: uuid }) } as const

const getApprovals = defineRoute(
  {
    ...common,
    method: 'GET',
    path: '/v1/approvals',
    summary: 'What operators ask each other to approve, newest first',
    query: z.strictObject({ ...approvalQuery, kind: z.enum(approvalKinds).optional() }),
    responses: {
      200: {
        description: 'A page; each is read from the ledger',
        body: pageOf(approvalBody).extend({
          as_of: time.meta({ description: 'What was asked for before this moment is in the list' }),
        }),
      },
    },
    refusals: ['invalid_cursor', 'ledger_unavailable'],
  },
  async (deps, { query }) => {
    const { status, kind } = query
    const { approvals, asOf } = await listApprovals(deps, { ...toBounds(query), status, kind })
    return {
      status: 200,
      body: { ...toPage(approvals, query, showApproval), as_of: asOf.toISOString() },
    }
  },
)

const getApproval = defineRoute(
  {
    ...one,
    method: 'GET',
    path: '/v1/approvals/{id}',
    summary: 'What an operator has asked for, and how it stands',
    responses: { 200: { description: 'How it stands', body: approvalBody } },
    refusals: ['approval_not_found', 'ledger_unavailable'],
  },
  async (deps, { params }) => ({
    status: 200,
    body: showApproval(await findApproval(deps, params.id)),
  }),
)

const postApprove = defineRoute(
  {
    ...one,
    method: 'POST',
    path: '/v1/approvals/{id}/approve',
    summary: 'Approve what another operator has asked for',
    description:
      'What moves money happens together with the approval, or neither does, and then it can be approved ' +
      'later. Repeating it answers the same.',
    responses: { 200: { description: 'It is approved', body: approvalBody } },
    refusals: [
      'approval_not_found',
      'own_request',
      'approval_rejected',
      'approval_withdrawn',
      'approval_expired',
      'adjustment_exceeds_balance',
      'recipient_closed',
      'suspense_assigned',
      'suspense_returned',
      'suspense_paid_out',
      'amount_too_large',
      'email_taken',
      'name_taken',
      'exchange_rate_expired',
      'declined',
      'busy',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, params }) => ({
    status: 200,
    body: showApproval(await approve(deps, caller, params.id)),
  }),
)

const postReject = defineRoute(
  {
    ...one,
    method: 'POST',
    path: '/v1/approvals/{id}/reject',
    summary: 'Reject what another operator has asked for',
    description: 'Repeating it answers the same.',
    body: z.strictObject(reasonFields),
    responses: { 200: { description: 'It is rejected', body: approvalBody } },
    refusals: [
      'approval_not_found',
      'own_request',
      'approval_approved',
      'approval_withdrawn',
      'approval_expired',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, params, body }) => ({
    status: 200,
    body: showApproval(await reject(deps, caller, params.id, body.reason)),
  }),
)

const postWithdraw = defineRoute(
  {
    ...one,
    method: 'POST',
    path: '/v1/approvals/{id}/withdraw',
    summary: 'Take back what you have asked for',
    description: 'Repeating it answers the same.',
    responses: { 200: { description: 'It is withdrawn', body: approvalBody } },
    refusals: [
      'approval_not_found',
      'not_the_requester',
      'approval_approved',
      'approval_rejected',
      'approval_expired',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, params }) => ({
    status: 200,
    body: showApproval(await withdraw(deps, caller, params.id)),
  }),
)

export const approvalRoutes = [getApprovals, getApproval, postApprove, postReject, postWithdraw]
