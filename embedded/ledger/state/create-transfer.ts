import { applyTransfer } from './effects.ts'
import { checkFunds } from './funds.ts'
import { none } from './hash-table.ts'
import { type Ledger, resultTime, scratchAmount } from './ledger.ts'
import { postOrVoid } from './post-or-void.ts'
import {
  codeOf,
  field,
  flagsOf,
  recordWords,
  transferField,
  transferFlag,
  transferFlagsKnown,
} from './record.ts'
import { transferStatus as status } from './statuses.ts'
import { importRegresses } from './timestamps.ts'
import { transferExists } from './transfer-exists.ts'
import { failedId } from './transfers.ts'
import { compare64, copy128, equal128, isMax128, isZero128 } from './words.ts'

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
  copy128(words, to + transferField.amount, ledger.scratch, scratchAmount)
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
