import type { Ledger } from './ledger.ts'
import { accountFlag, balance, flagsOf, transferField, transferFlag } from './record.ts'
import { pendingStatus } from './transfers.ts'
import { add128, subtract128 } from './words.ts'

const { pending, postPendingTransfer, voidPendingTransfer, closingDebit, closingCredit } =
  transferFlag

/**
 * Lets a transfer that has passed all rules take effect. `debit` and `credit` are its accounts'
 * rows, `pendingRow` the transfer that it posts or voids, if it does.
 */
export function applyTransfer(
  ledger: Ledger,
  row: number,
  debit: number,
  credit: number,
  pendingRow: number,
): void {
  const words = ledger.transfers.rows.words(row)
  const at = ledger.transfers.rows.at(row)
  const amount = at + transferField.amount
  const flags = flagsOf(words, at)
  if ((flags & pending) !== 0) {
    move(ledger, debit, balance.debitsPending, words, amount, add128)
    move(ledger, credit, balance.creditsPending, words, amount, add128)
    ledger.transfers.setStatus(row, pendingStatus.pending)
    setClosing(ledger, flags, debit, credit, true)
  } else {
    if ((flags & (postPendingTransfer | voidPendingTransfer)) !== 0) {
      const status = flags & postPendingTransfer ? pendingStatus.posted : pendingStatus.voided
      release(ledger, pendingRow, debit, credit, status)
    }
    if ((flags & voidPendingTransfer) === 0) {
      move(ledger, debit, balance.debitsPosted, words, amount, add128)
      move(ledger, credit, balance.creditsPosted, words, amount, add128)
    }
  }
  keepHistory(ledger, row, debit, false)
  keepHistory(ledger, row, credit, true)
}

/** Undoes the last transfer and its effects, and takes its row back. */
export function revertLastTransfer(ledger: Ledger): void {
  const { accounts, transfers, history } = ledger
  const row = transfers.rows.count - 1
  const words = transfers.rows.words(row)
  const at = transfers.rows.at(row)
  const amount = at + transferField.amount
  const flags = flagsOf(words, at)
  const debit = accounts.find(words, at + transferField.debitAccountId)
  const credit = accounts.find(words, at + transferField.creditAccountId)
  history.truncate(row)
  if ((flags & pending) !== 0) {
    setClosing(ledger, flags, debit, credit, false)
    move(ledger, debit, balance.debitsPending, words, amount, subtract128)
    move(ledger, credit, balance.creditsPending, words, amount, subtract128)
  } else {
    if ((flags & voidPendingTransfer) === 0) {
      move(ledger, debit, balance.debitsPosted, words, amount, subtract128)
      move(ledger, credit, balance.creditsPosted, words, amount, subtract128)
    }
    if ((flags & (postPendingTransfer | voidPendingTransfer)) !== 0) {
      hold(ledger, transfers.find(words, at + transferField.pendingId), debit, credit)
    }
  }
  transfers.pop()
}

/** Gives back a pending transfer whose time is over: no transfer and no history come of it. */
export function expireTransfer(ledger: Ledger, row: number): void {
  const words = ledger.transfers.rows.words(row)
  const at = ledger.transfers.rows.at(row)
  const debit = ledger.accounts.find(words, at + transferField.debitAccountId)
  const credit = ledger.accounts.find(words, at + transferField.creditAccountId)
  release(ledger, row, debit, credit, pendingStatus.expired)
}

/** Ends a pending transfer: its amount is pending no more, an account that it closed is open. */
function release(
  ledger: Ledger,
  pendingRow: number,
  debit: number,
  credit: number,
  status: number,
): void {
  const words = ledger.transfers.rows.words(pendingRow)
  const at = ledger.transfers.rows.at(pendingRow)
  const amount = at + transferField.amount
  move(ledger, debit, balance.debitsPending, words, amount, subtract128)
  move(ledger, credit, balance.creditsPending, words, amount, subtract128)
  ledger.transfers.setStatus(pendingRow, status)
  if (status !== pendingStatus.posted) {
    setClosing(ledger, flagsOf(words, at), debit, credit, false)
  }
}

/** The opposite of `release`. */
function hold(ledger: Ledger, pendingRow: number, debit: number, credit: number): void {
  const words = ledger.transfers.rows.words(pendingRow)
  const at = ledger.transfers.rows.at(pendingRow)
  const amount = at + transferField.amount
  move(ledger, debit, balance.debitsPending, words, amount, add128)
  move(ledger, credit, balance.creditsPending, words, amount, add128)
  ledger.transfers.setStatus(pendingRow, pendingStatus.pending)
  setClosing(ledger, flagsOf(words, at), debit, credit, true)
}

function move(
  ledger: Ledger,
  account: number,
  side: number,
  words: Uint32Array,
  amount: number,
  how: typeof add128,
): void {
  const { balances } = ledger.accounts
  if (how(balances.words(account), balances.at(account) + side, words, amount)) {
    throw new Error(`balance ${side} of account row ${account} left its range`)
  }
}

function setClosing(
  ledger: Ledger,
  flags: number,
  debit: number,
  credit: number,
  closed: boolean,
): void {
  if ((flags & closingDebit) !== 0) ledger.accounts.setClosed(debit, closed)
  if ((flags & closingCredit) !== 0) ledger.accounts.setClosed(credit, closed)
}

function keepHistory(ledger: Ledger, row: number, account: number, credit: boolean): void {
  const { accounts, history } = ledger
  if ((accounts.createdFlags(account) & accountFlag.history) === 0) return
  history.append(row, credit, accounts.balances.words(account), accounts.balances.at(account))
}
