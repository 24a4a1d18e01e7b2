import { none } from './hash-table.ts'
import { eventTime, type Ledger, resultTime } from './ledger.ts'
import { accountField, accountFlag, accountFlagsKnown, codeOf, field, flagsOf } from './record.ts'
import { accountStatus as status } from './statuses.ts'
import { importRegresses } from './timestamps.ts'
import { compare64, equal128, isMax128, isZero128 } from './words.ts'

const bothLimits = accountFlag.debitsMustNotExceedCredits | accountFlag.creditsMustNotExceedDebits

/**
 * Creates the account of one event (32 words at `at`) or says why not: an `accountStatus`. The
 * result's time is set when it is not the event's own.
 */
export function createAccount(ledger: Ledger, event: Uint32Array, at: number): number {
  const { accounts, times } = ledger
  const flags = flagsOf(event, at)
  if (event[at + accountField.reserved] !== 0) return status.reservedField
  if ((flags & ~accountFlagsKnown) !== 0) return status.reservedFlag
  if (isZero128(event, at)) return status.idMustNotBeZero
  if (isMax128(event, at)) return status.idMustNotBeIntMax
  const existing = accounts.find(event, at)
  if (existing !== none) return accountExists(ledger, event, at, existing)

  if ((flags & bothLimits) === bothLimits) return status.flagsAreMutuallyExclusive
  if (!isZero128(event, at + accountField.debitsPending)) return status.debitsPendingMustBeZero
  if (!isZero128(event, at + accountField.debitsPosted)) return status.debitsPostedMustBeZero
  if (!isZero128(event, at + accountField.creditsPending)) return status.creditsPendingMustBeZero
  if (!isZero128(event, at + accountField.creditsPosted)) return status.creditsPostedMustBeZero
  if (event[at + field.ledger] === 0) return status.ledgerMustNotBeZero
  if (codeOf(event, at) === 0) return status.codeMustNotBeZero

  if ((flags & accountFlag.imported) === 0) {
    accounts.append(event, at, times, eventTime)
    return status.created
  }
  const timestamp = at + field.timestamp
  if (importRegresses(accounts.rows, ledger.transfers.rows, event, timestamp)) {
    return status.importedEventTimestampMustNotRegress
  }
  accounts.append(event, at, event, timestamp)
  times[resultTime] = event[timestamp]!
  times[resultTime + 1] = event[timestamp + 1]!
  return status.created
}

/** Compares an event with the account that has its id: the flags with what they are now. */
function accountExists(ledger: Ledger, event: Uint32Array, at: number, row: number): number {
  const { accounts, times } = ledger
  const words = accounts.rows.words(row)
  const from = accounts.rows.at(row)
  if (flagsOf(event, at) !== accounts.flags(row)) return status.existsWithDifferentFlags
  if (!equal128(event, at + field.userData128, words, from + field.userData128)) {
    return status.existsWithDifferentUserData128
  }
  if (compare64(event, at + field.userData64, words, from + field.userData64) !== 0) {
    return status.existsWithDifferentUserData64
  }
  if (event[at + field.userData32] !== words[from + field.userData32]) {
    return status.existsWithDifferentUserData32
  }
  if (event[at + field.ledger] !== words[from + field.ledger]) {
    return status.existsWithDifferentLedger
  }
  if (codeOf(event, at) !== codeOf(words, from)) return status.existsWithDifferentCode
  times[resultTime] = words[from + field.timestamp]!
  times[resultTime + 1] = words[from + field.timestamp + 1]!
  return status.exists
}
