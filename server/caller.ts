/** A person's wallet, as far as it never changes. */
export interface CallerWallet {
  id: string
  number: string
  currency: string
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
  /** The wallets that the caller may debit. */
  wallets: readonly CallerWallet[]
}

export interface PaymentSystem extends SignedIn {
  role: 'payment_system'
  /** The number gives the clearing accounts their ids. */
  paymentSystem: { id: string; number: number; name: string }
}

export interface Operator extends SignedIn {
  role: 'operator'
}

/** Who sends a request: the session, read from a cache, never from PostgreSQL on the money path. */
export type Caller = Customer | PaymentSystem | Operator
