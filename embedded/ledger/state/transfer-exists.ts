import { type Ledger, resultTime } from './ledger.ts'
import { codeOf, field, flagsOf, transferField, transferFlag } from './record.ts'
import { transferStatus as status } from './statuses.ts'
import { compare64, compare128, equal128, isMax128, isZero64, isZero128 } from './words.ts'

/** Compares an event with the transfer that has its id: `exists`, or in what they differ. */
export function transferExists(
  ledger: Ledger,
  event: Uint32Array,
  at: number,
  row: number,
): number {
  const words = ledger.transfers.rows.words(row)
  const from = ledger.transfers.rows.at(row)
  const flags = flagsOf(event, at)
  if (flags !== flagsOf(words, from)) return status.existsWithDifferentFlags
  if (!equal128(event, at + transferField.pendingId, words, from + transferField.pendingId)) {
    return status.existsWithDifferentPendingId
  }
  if (event[at + transferField.timeout] !== words[from + transferField.timeout]) {
    return status.existsWithDifferentTimeout
  }
  const ends = (flags & (transferFlag.postPendingTransfer | transferFlag.voidPendingTransfer)) !== 0
  const difference = ends
    ? compareEnding(ledger, event, at, words, from)
    : compareSimple(event, at, words, from)
  if (difference !== status.exists) return difference
  ledger.times[resultTime] = words[from + field.timestamp]!
  ledger.times[resultTime + 1] = words[from + field.timestamp + 1]!
  return status.exists
}

function compareSimple(event: Uint32Array, at: number, words: Uint32Array, from: number): number {
  const debitId = transferField.debitAccountId
  if (!equal128(event, at + debitId, words, from + debitId)) {
    return status.existsWithDifferentDebitAccountId
  }
  const creditId = transferField.creditAccountId
  if (!equal128(event, at + creditId, words, from + creditId)) {
    return status.existsWithDifferentCreditAccountId
  }
  // A balancing transfer's amount is an upper limit: what was moved may be less.
  const balancing = transferFlag.balancingDebit | transferFlag.balancingCredit
  const order = compare128(event, at + transferField.amount, words, from + transferField.amount)
  if (order < 0 || (order > 0 && (flagsOf(event, at) & balancing) === 0)) {
    return status.existsWithDifferentAmount
  }
  const userData = compareUserData(event, at, words, from)
  if (userData !== status.exists) return userData
  if (event[at + field.ledger] !== words[from + field.ledger]) {
    return status.existsWithDifferentLedger
  }
  if (codeOf(event, at) !== codeOf(words, from)) return status.existsWithDifferentCode
  return status.exists
}

function compareUserData(event: Uint32Array, at: number, words: Uint32Array, from: number): number {
  if (!equal128(event, at + field.userData128, words, from + field.userData128)) {
    return status.existsWithDifferentUserData128
  }
  if (compare64(event, at + field.userData64, words, from + field.userData64) !== 0) {
    return status.existsWithDifferentUserData64
  }
  if (event[at + field.userData32] !== words[from + field.userData32]) {
    return status.existsWithDifferentUserData32
  }
  return status.exists
}

/**
 * A post or void (`words`) against an event with the same pending id: what the event leaves open
 * means the pending transfer's value, so it differs when the first time said something else.
 */
function compareEnding(
  ledger: Ledger,
  event: Uint32Array,
  at: number,
  words: Uint32Array,
  from: number,
): number {
  const pending = ledger.transfers.find(event, at + transferField.pendingId)
  const pendingWords = ledger.transfers.rows.words(pending)
  const pendingAt = ledger.transfers.rows.at(pending)
  const differsUnlessZero = (fieldAt: number): boolean =>
    !isZero128(event, at + fieldAt) && !equal128(event, at + fieldAt, words, from + fieldAt)
  if (differsUnlessZero(transferField.debitAccountId)) {
    return status.existsWithDifferentDebitAccountId
  }
  if (differsUnlessZero(transferField.creditAccountId)) {
    return status.existsWithDifferentCreditAccountId
  }

  const amount = transferField.amount
  const voids = (flagsOf(event, at) & transferFlag.voidPendingTransfer) !== 0
  const all = voids ? isZero128(event, at + amount) : isMax128(event, at + amount)
  const sameAmount = all
    ? equal128(words, from + amount, pendingWords, pendingAt + amount)
    : equal128(words, from + amount, event, at + amount)
  if (!sameAmount) return status.existsWithDifferentAmount

  const inherits128 = isZero128(event, at + field.userData128)
  const wanted128 = inherits128 ? pendingWords : event
  const wanted128At = (inherits128 ? pendingAt : at) + field.userData128
  if (!equal128(words, from + field.userData128, wanted128, wanted128At)) {
    return status.existsWithDifferentUserData128
  }
  const inherits64 = isZero64(event, at + field.userData64)
  const wanted64 = inherits64 ? pendingWords : event
  const wanted64At = (inherits64 ? pendingAt : at) + field.userData64
  if (compare64(words, from + field.userData64, wanted64, wanted64At) !== 0) {
    return status.existsWithDifferentUserData64
  }
  const wanted32 = event[at + field.userData32] || pendingWords[pendingAt + field.userData32]
  if (words[from + field.userData32] !== wanted32) return status.existsWithDifferentUserData32

  const ledgerNumber = event[at + field.ledger]
  if (ledgerNumber !== 0 && ledgerNumber !== words[from + field.ledger]) {
    return status.existsWithDifferentLedger
  }
  const code = codeOf(event, at)
  if (code !== 0 && code !== codeOf(words, from)) return status.existsWithDifferentCode
  return status.exists
}
