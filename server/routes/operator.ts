import { z } from 'zod'
import type { StoredAuditEntry } from '../../db/audit.ts'
import type { User } from '../../db/users.ts'
import { readAudit } from '../flows/audit.ts'
import { deactivateUser, reactivateUser } from '../flows/deactivate.ts'
import { readUser, searchUser } from '../flows/find-user.ts'
import { freezeWallet, thawWallet } from '../flows/freeze-wallet.ts'
import { createOperator } from '../flows/operators.ts'
import { listWalletsWithBalances, withBalanceAfter } from '../flows/wallet-history.ts'
import { idPageQuery, readIdCursor, toIdPage } from '../http/id-paging.ts'
import { pageOf } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import { reasonFields, time, uuid, walletName } from '../http/schemas.ts'
import { emailInput, nameInput, showUser, userBody } from './users.ts'
import { showWallet, walletBody } from './wallets.ts'

const tags = ['Operators'] as const

const knownUserBody = userBody
  .extend({ deactivated_at: time.nullable() })
  .meta({ id: 'KnownUser', description: 'A user as operators see it' })

function showKnownUser(user: User): z.output<typeof knownUserBody> {
  return { ...showUser(user), deactivated_at: user.deactivatedAt?.toISOString() ?? null }
}

const searchUsers = defineRoute(
  {
    method: 'GET',
    path: '/v1/users',
    summary: 'Find a user by e-mail or username',
    tags,
    caller: 'operator',
    query: z
      .strictObject({ email: z.string().max(254), username: z.string().max(64) })
      .partial()
      .refine(({ email, username }) => (email === undefined) !== (username === undefined), {
        path: ['email'],
        message: 'give either email or username',
      }),
    responses: { 200: { description: 'Nobody or one user', body: pageOf(knownUserBody) } },
    refusals: [],
  },
  async (deps, { query }) => {
    const user = await searchUser(deps, query)
    return { status: 200, body: { data: user ? [showKnownUser(user)] : [], next_cursor: null } }
  },
)

const getUser = defineRoute(
  {
    method: 'GET',
    path: '/v1/users/{id}',
    summary: 'A user',
    tags,
    caller: 'operator',
    params: z.object({ id: uuid }),
    responses: { 200: { description: 'The user', body: knownUserBody } },
    refusals: ['user_not_found'],
  },
  async (deps, { params }) => ({
    status: 200,
    body: showKnownUser(await readUser(deps, params.id)),
  }),
)

const getUserWallets = defineRoute(
  {
    method: 'GET',
    path: '/v1/users/{id}/wallets',
    summary: "A user's wallets, oldest first",
    tags,
    caller: 'operator',
    params: z.object({ id: uuid }),
    responses: { 200: { description: 'All of them', body: pageOf(walletBody) } },
    refusals: ['user_not_found', 'ledger_unavailable'],
  },
  async (deps, { params }) => {
    const user = await readUser(deps, params.id)
    const wallets = await listWalletsWithBalances(deps, user.id)
    return { status: 200, body: { data: wallets.map(showWallet), next_cursor: null } }
  },
)

const postDeactivate = defineRoute(
  {
    method: 'POST',
    path: '/v1/users/{id}/deactivate',
    summary: 'Keep a user out',
    description:
      'Also a payment system. Every session ends within a second; wallets and money stay as they are.',
    tags,
    caller: 'operator',
    params: z.object({ id: uuid }),
    body: z.strictObject(reasonFields),
    responses: { 200: { description: 'The user is deactivated', body: knownUserBody } },
    refusals: ['user_not_found', 'own_account'],
  },
  async (deps, { params, caller }) => {
    const user = await deactivateUser(deps, { operatorId: caller.userId, userId: params.id })
    return { status: 200, body: showKnownUser(user) }
  },
)

const postReactivate = defineRoute(
  {
    method: 'POST',
    path: '/v1/users/{id}/reactivate',
    summary: 'Let a deactivated user sign in again',
    tags,
    caller: 'operator',
    params: z.object({ id: uuid }),
    body: z.strictObject(reasonFields),
    responses: { 200: { description: 'The user is active', body: knownUserBody } },
    refusals: ['user_not_found'],
  },
  async (deps, { params }) => {
    const user = await reactivateUser(deps, params.id)
    return { status: 200, body: showKnownUser(user) }
  },
)

const walletStep = {
  tags,
  caller: 'operator',
  params: z.object({ id: walletName }),
  body: z.strictObject(reasonFields),
  refusals: [
    'wallet_not_found',
    'wallet_number_mistyped',
    'wallet_closed',
    'outcome_unknown',
    'ledger_unavailable',
    'busy',
  ],
} as const

const postFreeze = defineRoute(
  {
    ...walletStep,
    method: 'POST',
    path: '/v1/wallets/{id}/freeze',
    summary: 'Freeze a wallet',
    description:
      'Nothing goes in or out until it is thawed: the ledger itself refuses. What is held can still run ' +
      'out or be given back, and a withdrawal that was paid outside is still booked.',
    responses: { 200: { description: 'It is frozen', body: walletBody } },
  },
  async (deps, { params }) => {
    const wallet = await withBalanceAfter(deps, await freezeWallet(deps, params.id))
    return { status: 200, body: showWallet(wallet) }
  },
)

const postThaw = defineRoute(
  {
    ...walletStep,
    method: 'POST',
    path: '/v1/wallets/{id}/thaw',
    summary: 'Let a frozen wallet pay and be paid again',
    responses: { 200: { description: 'It is active', body: walletBody } },
  },
  async (deps, { params }) => {
    const wallet = await withBalanceAfter(deps, await thawWallet(deps, params.id))
    return { status: 200, body: showWallet(wallet) }
  },
)

const postOperator = defineRoute(
  {
    method: 'POST',
    path: '/v1/operators',
    summary: 'Add an operator',
    description: 'One for each person, so that the audit tells who it was.',
    tags,
    caller: 'operator',
    body: z.strictObject({ email: emailInput, name: nameInput.optional() }),
    responses: {
      201: {
        description: 'Added',
        body: z
          .object({
            operator: userBody,
            password: z.string().meta({ description: 'Told this once; only its hash is stored' }),
          })
          .meta({ id: 'OperatorCredential' }),
      },
    },
    refusals: ['email_taken', 'busy'],
  },
  async (deps, { body }) => {
    const { operator, password } = await createOperator(deps, body)
    return { status: 201, body: { operator: showUser(operator), password } }
  },
)

const auditBody = z
  .object({
    id: z.string(),
    operator_id: uuid,
    action: z.string().meta({ examples: ['GET /v1/users/{id}'] }),
    subject_id: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
    request_id: z.string(),
    created_at: time,
  })
  .meta({ id: 'AuditEntry' })

function showAuditEntry(entry: StoredAuditEntry): z.output<typeof auditBody> {
  return {
    id: String(entry.id),
    operator_id: entry.operatorId,
    action: entry.action,
    subject_id: entry.subjectId,
    details: entry.details,
    request_id: entry.requestId,
    created_at: entry.createdAt.toISOString(),
  }
}

const getAudit = defineRoute(
  {
    method: 'GET',
    path: '/v1/audit',
    summary: 'What operators did and looked at, newest first',
    description:
      'An entry is written before the act is carried out: what was then refused is here as well.',
    tags,
    caller: 'operator',
    query: idPageQuery,
    responses: { 200: { description: 'A page', body: pageOf(auditBody) } },
    refusals: ['invalid_cursor'],
  },
  async (deps, { query }) => {
    const rows = await readAudit(deps, { before: readIdCursor(query), limit: query.limit + 1 })
    return { status: 200, body: toIdPage(rows, query, ({ id }) => id, showAuditEntry) }
  },
)

export const operatorRoutes = [
  searchUsers,
  getUser,
  getUserWallets,
  postDeactivate,
  postReactivate,
  postFreeze,
  postThaw,
  postOperator,
  getAudit,
]
