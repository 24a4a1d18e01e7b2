import { randomBytes } from 'node:crypto'
import {
  findPaymentSystem,
  insertPaymentSystem,
  listPaymentSystems,
  type PaymentSystemRow,
} from '../../db/payment-systems.ts'
import { replacePassword } from '../../db/users.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'

/** A credential that was just made: the password is told once, only its hash is stored. */
export interface WithCredential {
  paymentSystem: PaymentSystemRow
  password: string
}

type CredentialDeps = Pick<Deps, 'db' | 'passwords' | 'sessions'>

const passwordBytes = 24

/** 192 random bits as text. */
export const drawPassword = () => randomBytes(passwordBytes).toString('base64url')

/**
 * Makes a payment system with a credential of its own. Its clearing accounts are created by the
 * first deposit that needs them. Refusals: email_taken, name_taken, busy.
 */
export async function createPaymentSystem(
  { db, passwords }: CredentialDeps,
  { name, email }: { name: string; email: string },
): Promise<WithCredential> {
  const password = drawPassword()
  const passwordHash = await passwords.hash(password)
  const paymentSystem = await insertPaymentSystem(db, { name, email, passwordHash })
  if (typeof paymentSystem === 'string') throw new Refusal(paymentSystem)
  return { paymentSystem, password }
}

/**
 * Gives a payment system a new password; the old one and all sessions end at once.
 * Refusals: payment_system_not_found, busy.
 */
export async function rotateCredential(
  { db, passwords, sessions }: CredentialDeps,
  id: string,
): Promise<WithCredential> {
  const paymentSystem = await findPaymentSystem(db, id)
  if (!paymentSystem) throw new Refusal('payment_system_not_found')
  const password = drawPassword()
  await replacePassword(db, { userId: id, passwordHash: await passwords.hash(password) })
  sessions.forgetUser(id)
  return { paymentSystem, password }
}

/** Payment systems by number, those after the number `after`. */
export async function readPaymentSystems(
  { db }: Pick<Deps, 'db'>,
  page: { after: number; limit: number },
): Promise<PaymentSystemRow[]> {
  return listPaymentSystems(db, page)
}
