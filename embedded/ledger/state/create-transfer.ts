import { applyTransfer } from './effects.ts'
import { none } from './hash-table.ts'
import { type Ledger, resultTime } from './ledger.ts'
import { postOrVoid } from './post-or-void.ts'
import {
  accountFlag,
  balance,
  codeOf,
  field,
  flagsOf,
  recordWords,
  transferField,
  transferFlag,
  transferFlagsKnown,
} from './record.ts'
import { transferStatus as status } from './statuses.ts'
import { expiryOf, importRegresses } from './timestamps.ts'
import { transferExists } from './transfer-exists.ts'
import { failedId } from './transfers.ts'
import {
  add128,
  compare64,
  compare128,
  copy128,
  equal128,
  isMax128,
  isZero128,
  subtract128,
  sumOverflows128,
} from './words.ts'

const timestampMax = (1n << 63n) - 1n
/** Words of the ledger's scratch. */
const amount = 0
const sum = 4

/**
 * Creates the transfer of one event (32 words at `at`) or says why not: a `transferStatus`. The
 * result's time is set when it is not the event's own.
 */
export function createTransfer(ledger: Ledger, event: Uint32Array, at: number): number {
  const flags = flagsOf(event, at)
  if ((flags & ~transferFlagsKnown) !== 0) return status.reservedFlag
  if (isZero128(event, at)) return status.idMustNotBeZero
  if (isMax128(event, at)) return status.idMustNotBeIntMax
  const existing = ledger.transfers.find(event, at)
  if (existing === failedId) return status.idAlreadyFailed
  if (existing !== none) return transferExists(ledger, event, at, existing)
  if ((flags & (transferFlag.postPendingTransfer | transferFlag.voidPendingTransfer)) !== 0) {
    return postOrVoid(ledger, event, at)
  }
  const malformed = checkForm(event, at, flags)
  if (malformed !== status.created) return malformed

  const debit = ledger.accounts.find(event, at + transferField.debitAccountId)
  if (debit === none) return status.debitAccountNotFound
  const credit = ledger.accounts.find(event, at + transferField.creditAccountId)
  if (credit === none) return status.creditAccountNotFound
  const barred = checkAccounts(ledger, event, at, debit, credit)
  if (barred !== status.created) return barred
  const short = checkFunds(ledger, event, at, debit, credit)
  if (short !== status.created) return short

  const row = ledger.transfers.append()
  const words = ledger.transfers.rows.words(row)
  const to = ledger.transfers.rows.at(row)
  for (let word = 0; word < recordWords; word += 1) words[to + word] = event[at + word]!
  copy128(words, to + transferField.amount, ledger.scratch, amount)
  words[to + field.timestamp] = ledger.times[resultTime]!
  words[to + field.timestamp + 1] = ledger.times[resultTime + 1]!
  ledger.transfers.index(row)
  applyTransfer(ledger, row, debit, credit, none)
  return status.created
}

/** What can be judged by the event alone. */
function checkForm(event: Uint32Array, at: number, flags: number): number {
  const debitId = at + transferField.debitAccountId
  const creditId = at + transferField.creditAccountId
  if (isZero128(event, debitId)) return status.debitAccountIdMustNotBeZero
  if (isMax128(event, debitId)) return status.debitAccountIdMustNotBeIntMax
  if (isZero128(event, creditId)) return status.creditAccountIdMustNotBeZero
  if (isMax128(event, creditId)) return status.creditAccountIdMustNotBeIntMax
  if (equal128(event, debitId, event, creditId)) return status.accountsMustBeDifferent
  if (!isZero128(event, at + transferField.pendingId)) return status.pendingIdMustBeZero
  if ((flags & transferFlag.pending) === 0) {
    if (event[at + transferField.timeout] !== 0) return status.timeoutReservedForPendingTransfer
    if ((flags & (transferFlag.closingDebit | transferFlag.closingCredit)) !== 0) {
      return status.closingTransferMustBePending
    }
  }
  if (event[at + field.ledger] === 0) return status.ledgerMustNotBeZero
  if (codeOf(event, at) === 0) return status.codeMustNotBeZero
  return status.created
}

/** Ledgers, timestamps and closed accounts. An imported event's timestamp becomes the result's. */
function checkAccounts(
  ledger: Ledger,
  event: Uint32Array,
  at: number,
  debit: number,
  credit: number,
): number {
  const { accounts, times } = ledger
  const debitWords = accounts.rows.words(debit)
  const debitAt = accounts.rows.at(debit)
  const creditWords = accounts.rows.words(credit)
  const creditAt = accounts.rows.at(credit)
  if (debitWords[debitAt + field.ledger] !== creditWords[creditAt + field.ledger]) {
    return status.accountsMustHaveTheSameLedger
  }
  if (event[at + field.ledger] !== debitWords[debitAt + field.ledger]) {
    return status.transferMustHaveTheSameLedgerAsAccounts
  }
  if ((flagsOf(event, at) & transferFlag.imported) !== 0) {
    const timestamp = at + field.timestamp
    if (importRegresses(ledger.transfers.rows, accounts.rows, event, timestamp)) {
      return status.importedEventTimestampMustNotRegress
    }
    if (compare64(event, timestamp, debitWords, debitAt + field.timestamp) <= 0) {
      return status.importedEventTimestampMustPostdateDebitAccount
    }
    if (compare64(event, timestamp, creditWords, creditAt + field.timestamp) <= 0) {
      return status.importedEventTimestampMustPostdateCreditAccount
    }
    if (event[at + transferField.timeout] !== 0) return status.importedEventTimeoutMustBeZero
    times[resultTime] = event[timestamp]!
    times[resultTime + 1] = event[timestamp + 1]!
  }
  if (accounts.isClosed(debit)) return status.debitAccountAlreadyClosed
  if (accounts.isClosed(credit)) return status.creditAccountAlreadyClosed
  return status.created
}

/** Overflows and limits. Leaves the amount to be moved, after balancing, in the scratch. */
function checkFunds(
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

  copy128(scratch, amount, event, at + transferField.amount)
  if ((flags & transferFlag.balancingDebit) !== 0) {
    const limit = debitAt + balance.creditsPosted
    capAmount(scratch, debitWords, limit, debitsPosted, debitsPending)
  }
  if ((flags & transferFlag.balancingCredit) !== 0) {
    const limit = creditAt + balance.debitsPosted
    capAmount(scratch, creditWords, limit, creditsPosted, creditsPending)
  }

  const overflows = (words: Uint32Array, index: number): boolean =>
    sumOverflows128(scratch, amount, words, index)
  if ((flags & transferFlag.pending) !== 0) {
    if (overflows(debitWords, debitsPending)) return status.overflowsDebitsPending
    if (overflows(creditWords, creditsPending)) return status.overflowsCreditsPending
  }
  if (overflows(debitWords, debitsPosted)) return status.overflowsDebitsPosted
  if (overflows(creditWords, creditsPosted)) return status.overflowsCreditsPosted
  if (total(scratch, debitWords, debitsPosted, debitsPending)) return status.overflowsDebits
  const exceedsCredits =
    (accounts.createdFlags(debit) & accountFlag.debitsMustNotExceedCredits) !== 0 &&
    compare128(scratch, sum, debitWords, debitAt + balance.creditsPosted) > 0
  if (total(scratch, creditWords, creditsPosted, creditsPending)) return status.overflowsCredits
  if (overflowsTimeout(ledger, event, at)) return status.overflowsTimeout
  if (exceedsCredits) return status.exceedsCredits
  const exceedsDebits =
    (accounts.createdFlags(credit) & accountFlag.creditsMustNotExceedDebits) !== 0 &&
    compare128(scratch, sum, creditWords, creditAt + balance.debitsPosted) > 0
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
  copy128(scratch, sum, words, limit)
  const negative =
    subtract128(scratch, sum, words, posted) || subtract128(scratch, sum, words, pending)
  if (negative) scratch.fill(0, amount, amount + 4)
  else if (compare128(scratch, sum, scratch, amount) < 0) copy128(scratch, amount, scratch, sum)
}

/** sum = posted + pending + amount; whether it overflows. Posted and pending together never do. */
function total(scratch: Uint32Array, words: Uint32Array, posted: number, pending: number): boolean {
  copy128(scratch, sum, words, posted)
  add128(scratch, sum, words, pending)
  return add128(scratch, sum, scratch, amount)
}

function overflowsTimeout(ledger: Ledger, event: Uint32Array, at: number): boolean {
  const timeout = event[at + transferField.timeout]!
  if (timeout === 0) return false
  return expiryOf(ledger.times, resultTime, timeout) > timestampMax
}
