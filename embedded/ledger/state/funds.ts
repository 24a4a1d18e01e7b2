import { type Ledger, resultTime, scratchAmount, scratchSum } from './ledger.ts'
import { accountFlag, balance, flagsOf, transferField, transferFlag } from './record.ts'
import { transferStatus as status } from './statuses.ts'
import { expiryOf } from './timestamps.ts'
import { add128, compare128, copy128, subtract128, sumOverflows128 } from './words.ts'

const timestampMax = (1n << 63n) - 1n

/** Overflows and limits. Leaves the amount to be moved, after balancing, in the scratch. */
export function checkFunds(
  ledger: Ledger,
  event: Uint32Array,
  at: number,
  debit: number,
  credit: number,
): number {
  const { accounts, scratch } = ledger
  const flags = flagsOf(event, at)
  const debitWords = accounts.balances.words(debit)
  const debitAt = accounts.balances.at(debit)
  const creditWords = accounts.balances.words(credit)
  const creditAt = accounts.balances.at(credit)
  const debitsPosted = debitAt + balance.debitsPosted
  const debitsPending = debitAt + balance.debitsPending
  const creditsPosted = creditAt + balance.creditsPosted
  const creditsPending = creditAt + balance.creditsPending

  copy128(scratch, scratchAmount, event, at + transferField.amount)
  if ((flags & transferFlag.balancingDebit) !== 0) {
    const limit = debitAt + balance.creditsPosted
    capAmount(scratch, debitWords, limit, debitsPosted, debitsPending)
  }
  if ((flags & transferFlag.balancingCredit) !== 0) {
    const limit = creditAt + balance.debitsPosted
    capAmount(scratch, creditWords, limit, creditsPosted, creditsPending)
  }

  const overflows = (words: Uint32Array, index: number): boolean =>
    sumOverflows128(scratch, scratchAmount, words, index)
  if ((flags & transferFlag.pending) !== 0) {
    if (overflows(debitWords, debitsPending)) return status.overflowsDebitsPending
    if (overflows(creditWords, creditsPending)) return status.overflowsCreditsPending
  }
  if (overflows(debitWords, debitsPosted)) return status.overflowsDebitsPosted
  if (overflows(creditWords, creditsPosted)) return status.overflowsCreditsPosted
  if (total(scratch, debitWords, debitsPosted, debitsPending)) return status.overflowsDebits
  const exceedsCredits =
    (accounts.createdFlags(debit) & accountFlag.debitsMustNotExceedCredits) !== 0 &&
    compare128(scratch, scratchSum, debitWords, debitAt + balance.creditsPosted) > 0
  if (total(scratch, creditWords, creditsPosted, creditsPending)) return status.overflowsCredits
  if (overflowsTimeout(ledger, event, at)) return status.overflowsTimeout
  if (exceedsCredits) return status.exceedsCredits
  const exceedsDebits =
    (accounts.createdFlags(credit) & accountFlag.creditsMustNotExceedDebits) !== 0 &&
    compare128(scratch, scratchSum, creditWords, creditAt + balance.debitsPosted) > 0
  return exceedsDebits ? status.exceedsDebits : status.created
}

/** amount = min(amount, limit - posted - pending), or zero when that is negative. */
function capAmount(
  scratch: Uint32Array,
  words: Uint32Array,
  limit: number,
  posted: number,
  pending: number,
): void {
  copy128(scratch, scratchSum, words, limit)
  const negative =
    subtract128(scratch, scratchSum, words, posted) ||
    subtract128(scratch, scratchSum, words, pending)
  if (negative) scratch.fill(0, scratchAmount, scratchAmount + 4)
  else if (compare128(scratch, scratchSum, scratch, scratchAmount) < 0)
    copy128(scratch, scratchAmount, scratch, scratchSum)
}

/** sum = posted + pending + amount; whether it overflows. Posted and pending together never do. */
function total(scratch: Uint32Array, words: Uint32Array, posted: number, pending: number): boolean {
  copy128(scratch, scratchSum, words, posted)
  add128(scratch, scratchSum, words, pending)
  return add128(scratch, scratchSum, scratch, scratchAmount)
}

function overflowsTimeout(ledger: Ledger, event: Uint32Array, at: number): boolean {
  const timeout = event[at + transferField.timeout]!
  if (timeout === 0) return false
  return expiryOf(ledger.times, resultTime, timeout) > timestampMax
}
