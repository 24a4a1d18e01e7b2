import { randomBytes } from 'node:crypto'
import { isUuid } from '../../accounting/ids.ts'
import {
  findPaymentSystem,
  findPaymentSystemByName,
  insertPaymentSystem,
  listPaymentSystems,
  type PaymentSystemRow,
} from '../../db/payment-systems.ts'
import { findUserByEmail, replacePassword } from '../../db/users.ts'
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

/** A payment system that an operator asks for. */
export interface PaymentSystemBody {
  name: string
  email: string
  /** Minted for it when it was asked for. */
  payment_system_id: string
}

/** Refusals: email_taken, name_taken. */
export async function checkPaymentSystem(
  { db }: Pick<Deps, 'db'>,
  { name, email }: Pick<PaymentSystemBody, 'name' | 'email'>,
): Promise<void> {
  if (await findUserByEmail(db, email)) throw new Refusal('email_taken')
  if (await findPaymentSystemByName(db, name)) throw new Refusal('name_taken')
}

/** A payment system by its id or name, also one that is deactivated. Refusal: payment_system_not_found. */
export async function findNamedSystem(
  { db }: Pick<Deps, 'db'>,
  name: string,
): Promise<PaymentSystemRow> {
  const found = isUuid(name, 7)
    ? await findPaymentSystem(db, name)
    : await findPaymentSystemByName(db, name)
  if (!found) throw new Refusal('payment_system_not_found')
  return found
}

/**
 * Makes a payment system, once; its clearing accounts are created by the first deposit that needs them.
 * Nobody has its password: who is to have it draws another one (rotateCredential). Answers why it could
 * not be made, or null. Refusal: busy.
 */
export async function addPaymentSystem(
  { db, passwords }: Pick<Deps, 'db' | 'passwords'>,
  { payment_system_id: id, name, email }: PaymentSystemBody,
): Promise<'email_taken' | 'name_taken' | null> {
  if (await findPaymentSystem(db, id)) return null
  const passwordHash = await passwords.hash(drawPassword())
  const added = await insertPaymentSystem(db, { id, name, email, passwordHash })
  if (typeof added !== 'string') return null
  // Whoever else carries out the same approval may have been first.
  return (await findPaymentSystem(db, id)) ? null : added
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
