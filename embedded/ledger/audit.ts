import { viewOf } from './checksum.ts'
import { readBatches, trailerBytes, writeTrailer } from './state/multi-batch.ts'
import { operations, type StateMachine } from './state-machine.ts'

/** Offsets and flags of TigerBeetle's records and of its query filter, as the audit needs them. */
const recordBytes = 128
const accountAt = {
  id: 0,
  debitsPending: 16,
  debitsPosted: 32,
  creditsPending: 48,
  creditsPosted: 64,
  ledger: 112,
  flags: 118,
} as const
const transferAt = {
  id: 0,
  debitAccount: 16,
  creditAccount: 32,
  amount: 48,
  pendingId: 64,
  ledger: 112,
  flags: 118,
  timestamp: 120,
} as const
const accountFlags = { debitsLimited: 2, creditsLimited: 4 } as const
const transferFlags = { pending: 2, post: 4, void: 8 } as const
const filterBytes = 64
const filterAt = { timestampMin: 40, limit: 56 } as const
const pageLimit = 8_189

/** What one ledger (asset) holds, minor units. */
export interface LedgerTotals {
  accounts: number
  transfers: number
  debitsPosted: bigint
  creditsPosted: bigint
  debitsPending: bigint
  creditsPending: bigint
}

export interface Audit {
  readonly ledgers: ReadonlyMap<number, LedgerTotals>
  /** What is wrong with the books; empty when nothing is. */
  readonly faults: readonly string[]
}

interface Sums {
  debits: bigint
  credits: bigint
}

interface Pending {
  readonly debit: bigint
  readonly credit: bigint
  readonly amount: bigint
}

/**
 * Reads all accounts and transfers as a client would, and holds them against each other: debits
 * equal credits in each ledger, balances are the sums of the transfers, limits are kept, and time
 * rises. At most one fault of each kind and account is told.
 */
export function audit(stateMachine: StateMachine): Audit {
  const faults: string[] = []
  const ledgers = new Map<number, LedgerTotals>()
  const posted = new Map<bigint, Sums>()
  const unresolved = new Map<bigint, Pending>()
  let newest = 0n
  for (const transfer of records(stateMachine, operations.queryTransfers)) {
    const timestamp = transfer.getBigUint64(transferAt.timestamp, true)
    if (timestamp <= newest) faults.push(`transfer at ${timestamp} does not come after ${newest}`)
    newest = timestamp
    totalsOf(ledgers, transfer.getUint32(transferAt.ledger, true)).transfers++
    addTransfer(transfer, posted, unresolved)
  }
  const held = sumPending(unresolved.values())
  for (const account of records(stateMachine, operations.queryAccounts)) {
    faults.push(...checkAccount(account, posted, held))
    addAccount(totalsOf(ledgers, account.getUint32(accountAt.ledger, true)), account)
    posted.delete(read128(account, accountAt.id))
  }
  for (const id of posted.keys()) faults.push(`transfers name account ${id}, which is not there`)
  for (const [number, totals] of ledgers) {
    const { debitsPosted, creditsPosted, debitsPending, creditsPending } = totals
    if (debitsPosted === creditsPosted && debitsPending === creditsPending) continue
    faults.push(`ledger ${number}: debits and credits are not equal`)
  }
  return { ledgers, faults }
}

function addTransfer(
  transfer: DataView,
  posted: Map<bigint, Sums>,
  unresolved: Map<bigint, Pending>,
): void {
  const flags = transfer.getUint16(transferAt.flags, true)
  const debit = read128(transfer, transferAt.debitAccount)
  const credit = read128(transfer, transferAt.creditAccount)
  const amount = read128(transfer, transferAt.amount)
  if ((flags & (transferFlags.post | transferFlags.void)) !== 0) {
    unresolved.delete(read128(transfer, transferAt.pendingId))
  }
  if ((flags & transferFlags.pending) !== 0) {
    unresolved.set(read128(transfer, transferAt.id), { debit, credit, amount })
  } else if ((flags & transferFlags.void) === 0) {
    sumsOf(posted, debit).debits += amount
    sumsOf(posted, credit).credits += amount
  }
}

function sumPending(unresolved: Iterable<Pending>): Map<bigint, Sums> {
  const held = new Map<bigint, Sums>()
  for (const { debit, credit, amount } of unresolved) {
    sumsOf(held, debit).debits += amount
    sumsOf(held, credit).credits += amount
  }
  return held
}

function* checkAccount(
  account: DataView,
  posted: ReadonlyMap<bigint, Sums>,
  held: ReadonlyMap<bigint, Sums>,
): Generator<string> {
  const id = read128(account, accountAt.id)
  const flags = account.getUint16(accountAt.flags, true)
  const debitsPosted = read128(account, accountAt.debitsPosted)
  const creditsPosted = read128(account, accountAt.creditsPosted)
  const debitsPending = read128(account, accountAt.debitsPending)
  const creditsPending = read128(account, accountAt.creditsPending)
  const sums = posted.get(id) ?? { debits: 0n, credits: 0n }
  if (debitsPosted !== sums.debits || creditsPosted !== sums.credits) {
    yield `account ${id}: its posted balance is not the sum of its transfers`
  }
  // Pending transfers that ran out of time leave no transfer, so what is held may be less.
  const most = held.get(id) ?? { debits: 0n, credits: 0n }
  if (debitsPending > most.debits || creditsPending > most.credits) {
    yield `account ${id}: more is pending than its pending transfers hold`
  }
  if ((flags & accountFlags.debitsLimited) !== 0 && debitsPosted + debitsPending > creditsPosted) {
    yield `account ${id}: debits exceed credits`
  }
  if (
    (flags & accountFlags.creditsLimited) !== 0 &&
    creditsPosted + creditsPending > debitsPosted
  ) {
    yield `account ${id}: credits exceed debits`
  }
}

function addAccount(totals: LedgerTotals, account: DataView): void {
  totals.accounts++
  totals.debitsPosted += read128(account, accountAt.debitsPosted)
  totals.creditsPosted += read128(account, accountAt.creditsPosted)
  totals.debitsPending += read128(account, accountAt.debitsPending)
  totals.creditsPending += read128(account, accountAt.creditsPending)
}

/** All records that a query operation finds, in the order of time. */
function* records(stateMachine: StateMachine, operation: number): Generator<DataView> {
  const filter = new Uint8Array(filterBytes + trailerBytes(filterBytes, 1))
  writeTrailer(filter, filterBytes, filterBytes, Uint16Array.of(1))
  const view = viewOf(filter)
  view.setUint32(filterAt.limit, pageLimit, true)
  for (;;) {
    const reply = stateMachine.commit(operation, filter, stateMachine.timestamp + 1n).slice()
    const count = readBatches(reply, recordBytes)?.[0] ?? 0
    const found = viewOf(reply)
    for (let i = 0; i < count; i++) {
      yield new DataView(found.buffer, found.byteOffset + i * recordBytes, recordBytes)
    }
    if (count < pageLimit) return
    const last = found.getBigUint64((count - 1) * recordBytes + transferAt.timestamp, true)
    view.setBigUint64(filterAt.timestampMin, last + 1n, true)
  }
}

function totalsOf(ledgers: Map<number, LedgerTotals>, number: number): LedgerTotals {
  let totals = ledgers.get(number)
  if (totals === undefined) {
    totals = {
      accounts: 0,
      transfers: 0,
      debitsPosted: 0n,
      creditsPosted: 0n,
      debitsPending: 0n,
      creditsPending: 0n,
    }
    ledgers.set(number, totals)
  }
  return totals
}

function sumsOf(sums: Map<bigint, Sums>, id: bigint): Sums {
  let found = sums.get(id)
  if (found === undefined) {
    found = { debits: 0n, credits: 0n }
    sums.set(id, found)
  }
  return found
}

function read128(view: DataView, offset: number): bigint {
  return (view.getBigUint64(offset + 8, true) << 64n) | view.getBigUint64(offset, true)
}
