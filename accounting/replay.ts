/**
 * The ledger over again: from transfers in the order of their timestamps, what each account has posted
 * and pending, by TigerBeetle's rules. Pure; the state is plain data.
 *
 * A pending transfer that runs out leaves no transfer. Here it ends at its deadline. The ledger itself
 * carries that out a little later: for some time after the deadline both is right, and its amount counts
 * as `late`. What is resolved or has run out is forgotten, so that the memory grows with accounts and with
 * what is pending, and not with transfers.
 */
import { type Account, AccountFlags, type Transfer, TransferFlags } from 'tigerbeetle-node'
import { createDeadlines } from './deadlines.ts'
import type { Finding } from './findings.ts'
import { toUuid } from './ids.ts'
import { findResolutionFault, type OpenTransfer, toOpen } from './open-transfer.ts'
import { look, type ReplayedAccount, toReplayed, toSeen } from './replayed-account.ts'

/** What a transfer is about. One object, which is valid until the next transfer. */
export interface Applied {
  debit: ReplayedAccount
  credit: ReplayedAccount
  /** What a pending transfer has opened, or a post or void has resolved, if that was open. */
  open: OpenTransfer | undefined
}

/** So long (ns) after its deadline the ledger may still count what has run out. */
const latenessMax = 60_000_000_000n

/** Later than any time of the ledger, which has 64 bits. */
const never = 2n ** 64n

/** Resolved entries at the beginning of a list that are kept before it is made shorter. */
const consumedMax = 4_096

const resolving = TransferFlags.post_pending_transfer | TransferFlags.void_pending_transfer
const closing = TransferFlags.closing_debit | TransferFlags.closing_credit
const { debits_must_not_exceed_credits: debitsLimited } = AccountFlags
const { credits_must_not_exceed_debits: creditsLimited } = AccountFlags

/** What TigerBeetle would not have done is told to `report`. */
export function createReplay(report: (finding: Finding) => void) {
  const accounts = new Map<bigint, ReplayedAccount>()
  const pending = new Map<bigint, OpenTransfer>()
  const deadlines = createDeadlines<OpenTransfer>()
  /** Has run out, in the order of the deadlines; those before `lateStart` count no more. */
  let late: OpenTransfer[] = []
  let lateStart = 0
  /** When the first of them counts no more. */
  let lateEnd = never
  let newest = 0n
  const applied = {} as Applied

  function addAccount(account: Account): ReplayedAccount {
    const { id, ledger, code, flags } = account
    const replayed = toReplayed({ id, ledger, code, flags })
    replayed.seen = toSeen(account)
    accounts.set(id, replayed)
    return replayed
  }

  /** The account of a transfer; of one that is not there, what it would be. */
  function find(id: bigint, transfer: Transfer): ReplayedAccount {
    const found = accounts.get(id)
    if (found) return found
    const { ledger, timestamp: at } = transfer
    const detail = `Transfer ${toUuid(transfer.id)} names account ${toUuid(id)}, which is not there.`
    report({ kind: 'account_missing', ids: [id, transfer.id], ledger, at, detail })
    return addMissing(id, ledger)
  }

  function addMissing(id: bigint, ledger: number): ReplayedAccount {
    const missing = toReplayed({ id, ledger, code: 0, flags: 0 })
    accounts.set(id, missing)
    return missing
  }

  /** The account of a checkpoint of a ledger time (ns); of one that is not there any more, what it was. */
  function findAgain(id: bigint, ledger: number, at: bigint): ReplayedAccount {
    const found = accounts.get(id)
    if (found) return found
    const detail = `Account ${toUuid(id)} has had transfers, and is not there.`
    report({ kind: 'account_missing', ids: [id], ledger, at, detail })
    return addMissing(id, ledger)
  }

  /** Does what a transfer does. They come in the order of their timestamps. */
  function apply(transfer: Transfer): Applied {
    const { flags, amount, timestamp } = transfer
    if (timestamp <= newest) reportReversed(transfer)
    runOut(timestamp)
    newest = timestamp
    applied.open = undefined
    if (flags & resolving) return resolve(transfer)
    const debit = find(transfer.debit_account_id, transfer)
    const credit = find(transfer.credit_account_id, transfer)
    applied.debit = debit
    applied.credit = credit
    if (flags & TransferFlags.pending) {
      applied.open = toOpen(transfer, debit, credit)
      open(applied.open)
    } else {
      debit.debitsPosted += amount
      credit.creditsPosted += amount
    }
    if (debit.flags & debitsLimited) checkDebits(debit, transfer)
    if (credit.flags & creditsLimited) checkCredits(credit, transfer)
    look(debit)
    look(credit)
    return applied
  }

  function reportReversed({ id, ledger, timestamp: at }: Transfer): void {
    const detail = `Transfer ${toUuid(id)} is not later than the one before it.`
    report({ kind: 'time_reversed', ids: [id], ledger, at, detail })
  }

  /** Puts what is pending there, new or from a checkpoint. */
  function open(opened: OpenTransfer): void {
    const { id, debit, credit, amount, deadline, flags } = opened
    debit.debitsPending += amount
    credit.creditsPending += amount
    pending.set(id, opened)
    if (deadline > 0n) deadlines.add(opened)
    if (flags & closing) countClosings(opened, 1)
  }

  function countClosings({ flags, debit, credit }: OpenTransfer, by: 1 | -1): void {
    if (flags & TransferFlags.closing_debit) debit.closings += by
    if (flags & TransferFlags.closing_credit) credit.closings += by
  }

  function countLateClosings({ flags, debit, credit }: OpenTransfer, by: 1 | -1): void {
    if (flags & TransferFlags.closing_debit) debit.closingsLate += by
    if (flags & TransferFlags.closing_credit) credit.closingsLate += by
  }

  function resolve(transfer: Transfer): Applied {
    const { amount, flags } = transfer
    const resolved = pending.get(transfer.pending_id)
    const fault = findResolutionFault(transfer, resolved)
    if (fault !== undefined) reportResolution(transfer, fault)
    const debit = resolved?.debit ?? find(transfer.debit_account_id, transfer)
    const credit = resolved?.credit ?? find(transfer.credit_account_id, transfer)
    if (resolved) end(resolved)
    if (flags & TransferFlags.post_pending_transfer) {
      debit.debitsPosted += amount
      credit.creditsPosted += amount
    } else if (resolved && resolved.flags & closing) countClosings(resolved, -1)
    applied.debit = debit
    applied.credit = credit
    applied.open = resolved
    look(debit)
    look(credit)
    return applied
  }

  function reportResolution({ id, pending_id, ledger, timestamp }: Transfer, fault: string): void {
    const detail = `Transfer ${toUuid(id)} resolves ${toUuid(pending_id)}, ${fault}.`
    const ids = [id, pending_id]
    report({ kind: 'resolution_impossible', ids, ledger, at: timestamp, detail })
  }

  function end(ended: OpenTransfer): void {
    const { id, debit, credit, amount, deadline } = ended
    pending.delete(id)
    debit.debitsPending -= amount
    credit.creditsPending -= amount
    ended.isOpen = false
    if (deadline > 0n) deadlines.ended()
  }

  /** Ends what runs out until this ledger time (ns); nothing that is earlier comes after this. */
  function runOut(until: bigint): void {
    for (let due = deadlines.takeDue(until); due; due = deadlines.takeDue(until)) {
      const { id, debit, credit, amount } = due
      pending.delete(id)
      debit.debitsPending -= amount
      credit.creditsPending -= amount
      due.isOpen = false
      debit.debitsLate += amount
      credit.creditsLate += amount
      if (due.flags & closing) {
        countClosings(due, -1)
        countLateClosings(due, 1)
      }
      late.push(due)
      if (lateEnd === never) lateEnd = due.deadline + latenessMax
      look(debit)
      look(credit)
    }
    while (lateEnd <= until) {
      const past = late[lateStart]!
      past.debit.debitsLate -= past.amount
      past.credit.creditsLate -= past.amount
      if (past.flags & closing) countLateClosings(past, -1)
      lateStart += 1
      lateEnd = lateStart < late.length ? late[lateStart]!.deadline + latenessMax : never
    }
    if (lateStart > consumedMax && 2 * lateStart > late.length) {
      late = late.slice(lateStart)
      lateStart = 0
    }
  }

  function checkDebits(account: ReplayedAccount, transfer: Transfer): void {
    if (account.isOverLimit) return
    const { debitsPosted, debitsPending, creditsPosted } = account
    if (debitsPosted + debitsPending <= creditsPosted) return
    reportLimit(account, transfer, 'debits', debitsPosted + debitsPending, creditsPosted)
  }

  function checkCredits(account: ReplayedAccount, transfer: Transfer): void {
    if (account.isOverLimit) return
    const { creditsPosted, creditsPending, debitsPosted } = account
    if (creditsPosted + creditsPending <= debitsPosted) return
    reportLimit(account, transfer, 'credits', creditsPosted + creditsPending, debitsPosted)
  }

  function reportLimit(
    account: ReplayedAccount,
    { id, ledger, timestamp: at }: Transfer,
    side: 'debits' | 'credits',
    found: bigint,
    expected: bigint,
  ): void {
    account.isOverLimit = true
    const ids = [account.id, id]
    const other = side === 'debits' ? 'credits' : 'debits'
    const detail = `Account ${toUuid(account.id)} has more ${side} than ${other} after transfer ${toUuid(id)}.`
    report({ kind: 'limit_broken', ids, ledger, at, expected, found, detail })
  }

  return {
    addAccount,
    findAgain,
    apply,
    open,
    runOut,
    /** All accounts, also those that were not found. */
    accounts: (): Iterable<ReplayedAccount> => accounts.values(),
    /** What is open now. */
    pending: (): Iterable<OpenTransfer> => pending.values(),
    /** What has run out so lately that it may still count, in the order of the timestamps. */
    late: (): OpenTransfer[] =>
      late.slice(lateStart).sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1)),
  }
}

export type Replay = ReturnType<typeof createReplay>
