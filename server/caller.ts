import type { UserLimits } from '../db/limits.ts'
import type { SessionRow } from '../db/sessions.ts'
import type { Wallet } from '../db/wallets.ts'

/** A person's wallet, as far as requests need to know it. */
export interface CallerWallet {
  id: string
  number: string
  currency: string
  /** Closed for ever by the person. The ledger refuses to move money in or out anyway. */
  isClosed: boolean
}

interface SignedIn {
  userId: string
  sessionId: string
  email: string
  username: string | null
  name: string | null
}

export interface Customer extends SignedIn {
  role: 'customer'
  /** The wallets that are the caller's, and no one else's to debit. */
  wallets: readonly CallerWallet[]
  /** What the caller may spend. */
  limits: UserLimits
}

/** What of a customer a payment needs to know. */
export type Payer = Pick<Customer, 'userId' | 'wallets' | 'limits'>

export interface PaymentSystem extends SignedIn {
  role: 'payment_system'
  /** The number gives the clearing accounts their ids. */
  paymentSystem: { id: string; number: number; name: string }
  /** What it may bring in. */
  limits: UserLimits
}

export interface Operator extends SignedIn {
  role: 'operator'
}

/** Who sends a request: the session, read from a cache, never from PostgreSQL on the money path. */
export type Caller = Customer | PaymentSystem | Operator

/** The caller that a stored session stands for. */
export function toCaller(row: SessionRow): Caller {
  const { id: sessionId, userId, email, username, name, limits } = row
  const signedIn = { userId, sessionId, email, username, name }
  switch (row.role) {
    case 'customer':
      return { ...signedIn, role: row.role, wallets: row.wallets, limits }
    case 'payment_system': {
      if (!row.paymentSystem) throw new Error(`the payment system ${userId} has no number`)
      const paymentSystem = { id: userId, ...row.paymentSystem }
      return { ...signedIn, role: row.role, paymentSystem, limits }
    }
    case 'operator':
      return { ...signedIn, role: row.role }
    default:
      throw row.role satisfies never
  }
}

/** A person's wallet as PostgreSQL has it, for a request that the session does not have it for. */
export function toCallerWallet({ id, number, currency, closedAt }: Wallet): CallerWallet {
  return { id, number, currency, isClosed: closedAt !== null }
}

/** Whether a wallet is one of the person's, as far as the session has them. */
export function owns({ wallets }: Pick<Customer, 'wallets'>, walletId: string): boolean {
  return wallets.some(({ id }) => id === walletId)
}

/** Whether the caller may speak for a wallet: its owner, and any operator. */
export function speaksFor(caller: Customer | Operator, walletId: string): boolean {
  return caller.role === 'operator' || owns(caller, walletId)
}
