import { z } from 'zod'
import type { User } from '../../db/users.ts'
import { signUp } from '../flows/sign-up.ts'
import { defineRoute } from '../http/route.ts'
import { text, time, uuid } from '../http/schemas.ts'

/** As long as SMTP allows (RFC 5321, section 4.5.3.1). */
export const emailInput = z
  .email('must be an e-mail address')
  .max(254)
  .meta({ description: 'Unique without regard to case; it is not verified yet' })

export const usernameInput = z
  .string()
  .regex(/^[a-z0-9_.]{3,30}$/, 'must have 3 to 30 of a-z 0-9 _ .')
  .meta({ description: 'Others can pay you by this name', examples: ['ada'] })

export const passwordInput = z.string().meta({
  description: '8 to 72 bytes, not the e-mail, not one of the most common',
  format: 'password',
})

export const nameInput = text(100)

export const userBody = z
  .object({
    id: uuid,
    role: z.enum(['customer', 'payment_system', 'operator']),
    email: z.string(),
    username: z.string().nullable(),
    name: z.string().nullable(),
    created_at: time,
  })
  .meta({ id: 'User' })

export function showUser(user: User): z.output<typeof userBody> {
  const { id, role, email, username, name, createdAt } = user
  return { id, role, email, username, name, created_at: createdAt.toISOString() }
}

export const signUpInput = z.strictObject({
  email: emailInput,
  password: passwordInput,
  username: usernameInput.optional(),
  name: nameInput.optional(),
})

const postUser = defineRoute(
  {
    method: 'POST',
    path: '/v1/users',
    summary: 'Sign up',
    description: 'Makes an account with a first wallet in the default currency, and signs in.',
    tags: ['Identity'],
    caller: 'anyone',
    startsSession: true,
    form: true,
    body: signUpInput,
    responses: { 201: { description: 'Signed up and signed in', body: userBody } },
    refusals: ['email_taken', 'username_taken', 'too_many_attempts', 'busy', 'ledger_unavailable'],
  },
  async (deps, { body, address }) => {
    const user = await signUp(deps, { ...body, address })
    return { status: 201, body: showUser(user), signIn: { userId: user.id } }
  },
)

export const userRoutes = [postUser]
