import { randomUUID } from 'node:crypto'
import { insertAudit } from '../../db/audit.ts'
import {
  findUserByEmail,
  insertUser,
  replacePassword,
  setDeactivated,
  type User,
} from '../../db/users.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { drawPassword } from './payment-systems.ts'

/** An operator whose password was just drawn: it is told once, only its hash is stored. */
export interface OperatorCredential {
  operator: User
  password: string
}

/** Adds an operator. Refusals: email_taken, busy. */
export async function createOperator(
  { db, passwords }: Pick<Deps, 'db' | 'passwords'>,
  { email, name }: { email: string; name?: string | undefined },
): Promise<OperatorCredential> {
  const password = drawPassword()
  const passwordHash = await passwords.hash(password)
  const operator = await insertUser(db, { role: 'operator', email, name, passwordHash })
  if (typeof operator === 'string') throw new Refusal(operator)
  return { operator, password }
}

/**
 * The way back in when no operator can sign in any more: makes an operator, or gives the one with this
 * e-mail another password, which ends all its sessions,
 * and lets it in again if it was deactivated. Only for whoever holds the database.
 * Refusals: email_taken, by somebody who is no operator; busy.
 */
export async function regainOperator(
  deps: Pick<Deps, 'db' | 'passwords'>,
  email: string,
): Promise<OperatorCredential> {
  const user = await findUserByEmail(deps.db, email)
  if (user && user.role !== 'operator') throw new Refusal('email_taken')
  const credential = user ? await renew(deps, user) : await createOperator(deps, { email })
  await insertAudit(deps.db, {
    operatorId: credential.operator.id,
    action: 'npm run operator',
    subjectId: credential.operator.id,
    details: {},
    requestId: randomUUID(),
  })
  return credential
}

async function renew(
  { db, passwords }: Pick<Deps, 'db' | 'passwords'>,
  operator: User,
): Promise<OperatorCredential> {
  const password = drawPassword()
  const passwordHash = await passwords.hash(password)
  await replacePassword(db, { userId: operator.id, passwordHash })
  await setDeactivated(db, operator.id, null)
  return { operator, password }
}
