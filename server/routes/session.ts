import { z } from 'zod'
import type { Caller } from '../caller.ts'
import { changePassword } from '../flows/change-password.ts'
import { signIn } from '../flows/sign-in.ts'
import { defineRoute } from '../http/route.ts'
import { uuid } from '../http/schemas.ts'
import { passwordInput } from './users.ts'

const tags = ['Identity'] as const
const everyone = ['customer', 'payment_system', 'operator'] as const

const sessionBody = z
  .object({
    id: uuid,
    user: z.object({
      id: uuid,
      role: z.enum(everyone),
      email: z.string(),
      username: z.string().nullable(),
      name: z.string().nullable(),
    }),
  })
  .meta({ id: 'Session' })

function showSession(caller: Caller): z.output<typeof sessionBody> {
  const { sessionId, userId, role, email, username, name } = caller
  return { id: sessionId, user: { id: userId, role, email, username, name } }
}

const postSession = defineRoute(
  {
    method: 'POST',
    path: '/v1/sessions',
    summary: 'Sign in',
    description:
      'The session cookie has a new id each time. HTTP Basic works on any other request.',
    tags,
    caller: 'anyone',
    startsSession: true,
    form: true,
    body: z.strictObject({
      email: z.string().max(254),
      password: z.string().max(1_000).meta({ format: 'password' }),
    }),
    responses: { 201: { description: 'Signed in', body: z.object({ user_id: uuid }) } },
    refusals: ['wrong_credentials', 'too_many_attempts', 'busy'],
  },
  async (deps, { body, address }) => {
    const entry = await signIn(deps, { ...body, address })
    return { status: 201, body: { user_id: entry.userId }, signIn: entry }
  },
)

const getSession = defineRoute(
  {
    method: 'GET',
    path: '/v1/session',
    summary: 'Who is signed in',
    tags,
    caller: everyone,
    audited: false,
    responses: { 200: { description: 'The session', body: sessionBody } },
    refusals: [],
  },
  async (_deps, { caller }) => ({ status: 200, body: showSession(caller) }),
)

const deleteSession = defineRoute(
  {
    method: 'DELETE',
    path: '/v1/session',
    summary: 'Sign out',
    tags,
    caller: everyone,
    audited: false,
    responses: { 204: { description: 'The session has ended, in every process' } },
    refusals: [],
  },
  async () => ({ status: 204, signOut: true }),
)

const putPassword = defineRoute(
  {
    method: 'PUT',
    path: '/v1/password',
    summary: 'Change your password',
    description:
      'Every session ends, and the reply has the cookie of a new one. A payment system gets another ' +
      'credential from an operator.',
    tags,
    caller: ['customer', 'operator'],
    audited: false,
    startsSession: true,
    body: z.strictObject({
      current_password: z.string().max(1_000).meta({ format: 'password' }),
      new_password: passwordInput,
    }),
    responses: { 204: { description: 'Changed; you are signed in anew' } },
    refusals: ['wrong_credentials', 'too_many_attempts', 'busy'],
  },
  async (deps, { caller, body, address }) => {
    const { current_password: currentPassword, new_password: newPassword } = body
    const entry = await changePassword(deps, caller, { currentPassword, newPassword, address })
    return { status: 204, signIn: entry }
  },
)

export const sessionRoutes = [postSession, getSession, deleteSession, putPassword]
