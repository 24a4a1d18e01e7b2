/**
 * The 128-byte records of TigerBeetle's protocol, as offsets in 32-bit words. Accounts and
 * transfers agree on id and everything from userData128 on; words 4 to 19 are the account's four
 * balances or the transfer's accounts, amount and pending id.
 */

export const recordWords = 32
export const recordBytes = recordWords * 4

/** First words of the fields both kinds of record have. */
export const field = {
  id: 0,
  userData128: 20,
  userData64: 24,
  userData32: 26,
  ledger: 28,
  /** Code in the low half of the word, flags in the high half. */
  codeAndFlags: 29,
  timestamp: 30,
} as const

/** First words of an account's own fields. */
export const accountField = {
  debitsPending: 4,
  debitsPosted: 8,
  creditsPending: 12,
  creditsPosted: 16,
  reserved: 27,
} as const

/** First words of a transfer's own fields. */
export const transferField = {
  debitAccountId: 4,
  creditAccountId: 8,
  amount: 12,
  pendingId: 16,
  /** Seconds. */
  timeout: 27,
} as const

/** First words of the four balances where they are kept by themselves (64 bytes). */
export const balance = {
  debitsPending: 0,
  debitsPosted: 4,
  creditsPending: 8,
  creditsPosted: 12,
} as const
export const balanceWords = 16

export const accountFlag = {
  linked: 1 << 0,
  debitsMustNotExceedCredits: 1 << 1,
  creditsMustNotExceedDebits: 1 << 2,
  history: 1 << 3,
  imported: 1 << 4,
  closed: 1 << 5,
} as const
export const accountFlagsKnown = 0x3f

export const transferFlag = {
  linked: 1 << 0,
  pending: 1 << 1,
  postPendingTransfer: 1 << 2,
  voidPendingTransfer: 1 << 3,
  balancingDebit: 1 << 4,
  balancingCredit: 1 << 5,
  closingDebit: 1 << 6,
  closingCredit: 1 << 7,
  imported: 1 << 8,
} as const
export const transferFlagsKnown = 0x1ff

export function codeOf(words: Uint32Array, at: number): number {
  return words[at + field.codeAndFlags]! & 0xffff
}

export function flagsOf(words: Uint32Array, at: number): number {
  return words[at + field.codeAndFlags]! >>> 16
}
