import { z } from 'zod'
import type { DefaultLimit } from '../../db/limits.ts'
import { showAmount } from '../flows/amount.ts'
import { askDefaultLimit, askLimit } from '../flows/ask-limit.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { limitWindows } from '../flows/limit-rules.ts'
import {
  type Limit,
  readDefaultLimits,
  readLimits,
  readLimitsOf,
  setKind,
} from '../flows/limits.ts'
import { unlessMissing } from '../http/json.ts'
import { pageOf } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import {
  amountInput,
  amountOutput,
  currencyInput,
  replayHeader,
  replayHeaders,
  time,
  uuid,
} from '../http/schemas.ts'
import { approvalBody, showApproval } from './approvals.ts'

const tags = ['Limits'] as const

const userKinds = ['person', 'business'] as const
const limitKinds = [...userKinds, 'payment_system'] as const

const windowInput = z.enum(limitWindows).meta({
  description: 'The last 24 hours, 7 days or 30 days, at every moment',
})

const limitFields = {
  currency: z.string(),
  window: z.enum(limitWindows),
  limit: amountOutput.nullable().meta({ description: 'null when there is none' }),
  source: z.enum(['user', 'default']).meta({
    description: 'Whether it is set for this user alone, or for everyone of the kind',
  }),
  in_force: amountOutput.nullable().meta({
    description: 'More than the limit while more than that is in use since it was lowered',
  }),
  used: amountOutput.nullable(),
  left: amountOutput.nullable(),
  next_return: z
    .object({ amount: amountOutput, at: time })
    .nullable()
    .meta({ description: 'What of the used comes back next' }),
}

const limitBody = z.object(limitFields).meta({ id: 'Limit' })

function showLimit(limit: Limit): z.output<typeof limitBody> {
  const { currency, window, source, next } = limit
  const show = (minor: bigint | null) => (minor === null ? null : showAmount(minor, currency))
  return {
    currency,
    window,
    limit: show(limit.amountMinor),
    source,
    in_force: show(limit.inForceMinor),
    used: show(limit.usedMinor),
    left: show(limit.leftMinor),
    next_return: next
      ? { amount: showAmount(next.amountMinor, currency), at: showLedgerTime(next.at) }
      : null,
  }
}

const getLimits = defineRoute(
  {
    method: 'GET',
    path: '/v1/limits',
    summary: 'What you may spend within a time, and what is left of it',
    description:
      'Of a payment system: what it may bring in. The window moves on with the clock: what was used ' +
      'comes back when it has passed.',
    tags,
    caller: ['customer', 'payment_system'],
    responses: { 200: { description: 'All of them', body: pageOf(limitBody) } },
    refusals: ['ledger_unavailable'],
  },
  async (deps, { caller }) => {
    const limits = await readLimits(deps, caller.limits)
    return { status: 200, body: { data: limits.map(showLimit), next_cursor: null } }
  },
)

const ofUser = { tags, caller: 'operator', params: z.object({ id: uuid }) } as const

const getUserLimits = defineRoute(
  {
    ...ofUser,
    method: 'GET',
    path: '/v1/users/{id}/limits',
    summary: 'What a user may spend, or a payment system bring in',
    responses: {
      200: {
        description: 'All of them',
        body: pageOf(limitBody).extend({ kind: z.enum(limitKinds) }),
      },
    },
    refusals: ['user_not_found', 'user_without_limits', 'ledger_unavailable'],
  },
  async (deps, { params }) => {
    const { kind, limits } = await readLimitsOf(deps, params.id)
    return { status: 200, body: { kind, data: limits.map(showLimit), next_cursor: null } }
  },
)

const settingRefusals = [
  'currency_not_supported',
  'amount_malformed',
  'amount_not_positive',
  'amount_too_precise',
  'amount_too_large',
] as const

const askingRefusals = [
  'idempotency_key_reused',
  'superseded',
  'busy',
  'outcome_unknown',
  'ledger_unavailable',
] as const

const asked = {
  description: 'It was asked for',
  body: approvalBody,
  headers: replayHeader,
} as const

const putUserLimit = defineRoute(
  {
    ...ofUser,
    method: 'PUT',
    path: '/v1/users/{id}/limits',
    summary: 'Set what a user may spend, or a payment system bring in',
    description:
      'It holds in every process within a second. Of a lower limit only what is not in use is taken at ' +
      'once: `in_force` tells. What comes back is taken before it can be used again. With four eyes a raise ' +
      'of what a payment system may bring in holds when another operator approves it.',
    body: z.strictObject({
      currency: currencyInput,
      window: windowInput,
      amount: z
        .union(
          [z.literal('default'), z.null(), amountInput],
          unlessMissing('must be an amount, null or "default"'),
        )
        .meta({
          description: 'null for no limit, "default" for the one of everyone of the kind',
        }),
    }),
    responses: {
      200: { description: 'It is set', body: limitBody, headers: replayHeader },
      202: asked,
    },
    idempotent: true,
    refusals: ['user_not_found', 'user_without_limits', ...settingRefusals, ...askingRefusals],
  },
  async (deps, { params, body, caller, idempotencyKey }) => {
    const set = await askLimit(deps, caller, { ...body, userId: params.id }, idempotencyKey)
    const headers = replayHeaders(set.replayed)
    return 'approval' in set
      ? { status: 202, body: showApproval(set.approval), headers }
      : { status: 200, body: showLimit(set.limit), headers }
  },
)

const putUserKind = defineRoute(
  {
    ...ofUser,
    method: 'PUT',
    path: '/v1/users/{id}/kind',
    summary: 'Say what kind of customer a user is',
    description: 'Which limits there are for the user, unless others are set for this user alone.',
    body: z.strictObject({ kind: z.enum(userKinds) }),
    responses: {
      200: { description: 'It is set', body: z.object({ id: uuid, kind: z.enum(userKinds) }) },
    },
    refusals: ['user_not_found', 'not_a_customer'],
  },
  async (deps, { params: { id }, body: { kind } }) => {
    await setKind(deps, id, kind)
    return { status: 200, body: { id, kind } }
  },
)

const defaultLimitBody = z
  .object({
    kind: z.enum(limitKinds),
    currency: z.string(),
    window: z.enum(limitWindows),
    amount: amountOutput.nullable().meta({ description: 'null when there is none' }),
  })
  .meta({ id: 'DefaultLimit' })

function showDefaultLimit(limit: Omit<DefaultLimit, 'version'>): z.output<typeof defaultLimitBody> {
  const { kind, currency, window, amountMinor } = limit
  const amount = amountMinor === null ? null : showAmount(amountMinor, currency)
  return { kind, currency, window, amount }
}

const getDefaultLimits = defineRoute(
  {
    method: 'GET',
    path: '/v1/limit-defaults',
    summary: 'The limits of everyone of a kind',
    tags,
    caller: 'operator',
    responses: { 200: { description: 'All of them', body: pageOf(defaultLimitBody) } },
    refusals: [],
  },
  async (deps) => {
    const limits = await readDefaultLimits(deps)
    return { status: 200, body: { data: limits.map(showDefaultLimit), next_cursor: null } }
  },
)

const putDefaultLimit = defineRoute(
  {
    method: 'PUT',
    path: '/v1/limit-defaults',
    summary: 'Set a limit of everyone of a kind',
    description:
      'For whom no other is set alone. It holds in every process within a second, for each user from ' +
      'the next use on. With four eyes a raise of what payment systems may bring in holds when another ' +
      'operator approves it.',
    tags,
    caller: 'operator',
    body: z.strictObject({
      kind: z.enum(limitKinds),
      currency: currencyInput,
      window: windowInput,
      amount: z
        .union([z.null(), amountInput], unlessMissing('must be an amount or null'))
        .meta({ description: 'null for no limit' }),
    }),
    responses: {
      200: { description: 'It is set', body: defaultLimitBody, headers: replayHeader },
      202: asked,
    },
    idempotent: true,
    refusals: [...settingRefusals, ...askingRefusals],
  },
  async (deps, { body, caller, idempotencyKey }) => {
    const set = await askDefaultLimit(deps, caller, body, idempotencyKey)
    const headers = replayHeaders(set.replayed)
    return 'approval' in set
      ? { status: 202, body: showApproval(set.approval), headers }
      : { status: 200, body: showDefaultLimit(set.limit), headers }
  },
)

export const limitRoutes = [
  getLimits,
  getUserLimits,
  putUserLimit,
  putUserKind,
  getDefaultLimits,
  putDefaultLimit,
]
