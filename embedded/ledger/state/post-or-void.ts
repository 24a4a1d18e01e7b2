import { applyTransfer } from './effects.ts'
import { eventTime, type Ledger, resultTime, scratchAmount } from './ledger.ts'
import { codeOf, field, flagsOf, transferField, transferFlag } from './record.ts'
import { transferStatus as status } from './statuses.ts'
import { expiryOf, importRegresses } from './timestamps.ts'
import { pendingStatus } from './transfers.ts'
import { compare128, copy128, equal128, isMax128, isZero64, isZero128, read64 } from './words.ts'

const excludedFlags =
  transferFlag.pending |
  transferFlag.balancingDebit |
  transferFlag.balancingCredit |
  transferFlag.closingDebit |
  transferFlag.closingCredit
const endingFlags = transferFlag.postPendingTransfer | transferFlag.voidPendingTransfer

/** The rest of `createTransfer` for an event that posts or voids a pending transfer. */
export function postOrVoid(ledger: Ledger, event: Uint32Array, at: number): number {
  const { accounts, transfers } = ledger
  const flags = flagsOf(event, at)
  const pendingId = at + transferField.pendingId
  if ((flags & endingFlags) === endingFlags) return status.flagsAreMutuallyExclusive
  if ((flags & excludedFlags) !== 0) return status.flagsAreMutuallyExclusive
  if (isZero128(event, pendingId)) return status.pendingIdMustNotBeZero
  if (isMax128(event, pendingId)) return status.pendingIdMustNotBeIntMax
  if (equal128(event, pendingId, event, at)) return status.pendingIdMustBeDifferent
  if (event[at + transferField.timeout] !== 0) return status.timeoutReservedForPendingTransfer

  const pendingRow = transfers.find(event, pendingId)
  if (pendingRow < 0) return status.pendingTransferNotFound
  const mismatch = compareWithPending(ledger, event, at, pendingRow)
  if (mismatch !== status.created) return mismatch
  const ended = checkPending(ledger, pendingRow)
  if (ended !== status.created) return ended
  if ((flags & transferFlag.imported) !== 0) {
    const timestamp = at + field.timestamp
    if (importRegresses(transfers.rows, accounts.rows, event, timestamp)) {
      return status.importedEventTimestampMustNotRegress
    }
    ledger.times[resultTime] = event[timestamp]!
    ledger.times[resultTime + 1] = event[timestamp + 1]!
  }

  const pending = transfers.rows.words(pendingRow)
  const pendingAt = transfers.rows.at(pendingRow)
  const debit = accounts.find(pending, pendingAt + transferField.debitAccountId)
  const credit = accounts.find(pending, pendingAt + transferField.creditAccountId)
  if ((flags & transferFlag.voidPendingTransfer) === 0) {
    if (accounts.isClosed(debit)) return status.debitAccountAlreadyClosed
    if (accounts.isClosed(credit)) return status.creditAccountAlreadyClosed
  }
  const row = appendEnding(ledger, event, at, pendingRow)
  applyTransfer(ledger, row, debit, credit, pendingRow)
  return status.created
}

/** Whether the event contradicts its pending transfer. Leaves the amount in the scratch. */
function compareWithPending(
  ledger: Ledger,
  event: Uint32Array,
  at: number,
  pendingRow: number,
): number {
  const { scratch, transfers } = ledger
  const pending = transfers.rows.words(pendingRow)
  const from = transfers.rows.at(pendingRow)
  if ((flagsOf(pending, from) & transferFlag.pending) === 0) return status.pendingTransferNotPending
  const differsUnlessZero = (fieldAt: number): boolean =>
    !isZero128(event, at + fieldAt) && !equal128(event, at + fieldAt, pending, from + fieldAt)
  if (differsUnlessZero(transferField.debitAccountId)) {
    return status.pendingTransferHasDifferentDebitAccountId
  }
  if (differsUnlessZero(transferField.creditAccountId)) {
    return status.pendingTransferHasDifferentCreditAccountId
  }
  const ledgerNumber = event[at + field.ledger]
  if (ledgerNumber !== 0 && ledgerNumber !== pending[from + field.ledger]) {
    return status.pendingTransferHasDifferentLedger
  }
  const code = codeOf(event, at)
  if (code !== 0 && code !== codeOf(pending, from)) return status.pendingTransferHasDifferentCode

  const eventAmount = at + transferField.amount
  const pendingAmount = from + transferField.amount
  const voids = (flagsOf(event, at) & transferFlag.voidPendingTransfer) !== 0
  const all = voids ? isZero128(event, eventAmount) : isMax128(event, eventAmount)
  if (all) copy128(scratch, scratchAmount, pending, pendingAmount)
  else copy128(scratch, scratchAmount, event, eventAmount)
  const order = compare128(scratch, scratchAmount, pending, pendingAmount)
  if (order > 0) return status.exceedsPendingTransferAmount
  if (voids && order < 0) return status.pendingTransferHasDifferentAmount
  return status.created
}

/** Whether the pending transfer is over, be it that nobody has expired it yet. */
function checkPending(ledger: Ledger, pendingRow: number): number {
  const { times, transfers } = ledger
  switch (transfers.status(pendingRow)) {
    case pendingStatus.posted:
      return status.pendingTransferAlreadyPosted
    case pendingStatus.voided:
      return status.pendingTransferAlreadyVoided
    case pendingStatus.expired:
      return status.pendingTransferExpired
  }
  const words = transfers.rows.words(pendingRow)
  const at = transfers.rows.at(pendingRow)
  const timeout = words[at + transferField.timeout]!
  const over =
    timeout !== 0 && expiryOf(words, at + field.timestamp, timeout) <= read64(times, eventTime)
  return over ? status.pendingTransferExpired : status.created
}

/** The record of a post or void: what its event leaves open comes from the pending transfer. */
function appendEnding(ledger: Ledger, event: Uint32Array, at: number, pendingRow: number): number {
  const { scratch, times, transfers } = ledger
  const pending = transfers.rows.words(pendingRow)
  const from = transfers.rows.at(pendingRow)
  const row = transfers.append()
  const words = transfers.rows.words(row)
  const to = transfers.rows.at(row)
  copy128(words, to, event, at)
  copy128(words, to + transferField.debitAccountId, pending, from + transferField.debitAccountId)
  copy128(words, to + transferField.creditAccountId, pending, from + transferField.creditAccountId)
  copy128(words, to + transferField.amount, scratch, scratchAmount)
  copy128(words, to + transferField.pendingId, event, at + transferField.pendingId)
  const own128 = !isZero128(event, at + field.userData128)
  if (own128) copy128(words, to + field.userData128, event, at + field.userData128)
  else copy128(words, to + field.userData128, pending, from + field.userData128)
  const own64 = !isZero64(event, at + field.userData64)
  for (const word of [field.userData64, field.userData64 + 1]) {
    words[to + word] = own64 ? event[at + word]! : pending[from + word]!
  }
  words[to + field.userData32] = event[at + field.userData32] || pending[from + field.userData32]!
  words[to + transferField.timeout] = 0
  words[to + field.ledger] = pending[from + field.ledger]!
  words[to + field.codeAndFlags] = codeOf(pending, from) | (flagsOf(event, at) << 16)
  words[to + field.timestamp] = times[resultTime]!
  words[to + field.timestamp + 1] = times[resultTime + 1]!
  transfers.index(row)
  return row
}
