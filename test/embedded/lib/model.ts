/**
 * The balance rules once more, slow and obvious: bigints, maps, a copy of everything before each
 * chain. Events are well formed; what is wrong with them is about money, time or what came before.
 */

export interface ModelAccount {
  readonly id: bigint
  readonly ledger: number
  readonly limit: 'debits' | 'credits' | 'none'
  debitsPending: bigint
  debitsPosted: bigint
  creditsPending: bigint
  creditsPosted: bigint
  closed: boolean
}

export interface ModelEvent {
  readonly id: bigint
  readonly kind: 'simple' | 'pending' | 'post' | 'void'
  /** Zero for posts and voids, which have their pending transfer's. */
  readonly debit: bigint
  readonly credit: bigint
  readonly amount: bigint
  /** The pending transfer to post or void, else 0. */
  readonly pendingId: bigint
  readonly timeoutSeconds: number
  readonly balancing: 'debit' | 'credit' | 'none'
  readonly closing: 'debit' | 'credit' | 'none'
  readonly linked: boolean
}

interface ModelTransfer extends ModelEvent {
  readonly moved: bigint
  readonly expiresAt: bigint | null
  state: 'pending' | 'posted' | 'voided' | 'expired' | 'final'
}

interface Books {
  accounts: Map<bigint, ModelAccount>
  transfers: Map<bigint, ModelTransfer>
}

export const amountMax = (1n << 128n) - 1n
const burning = new Set([
  'debit_account_not_found',
  'credit_account_not_found',
  'pending_transfer_not_found',
  'exceeds_credits',
  'exceeds_debits',
  'debit_account_already_closed',
  'credit_account_already_closed',
])

export class Model {
  private books: Books
  private readonly burnt = new Set<bigint>()

  constructor(accounts: readonly Pick<ModelAccount, 'id' | 'ledger' | 'limit'>[]) {
    const empty = { debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n }
    this.books = {
      accounts: new Map(accounts.map((given) => [given.id, { ...given, ...empty, closed: false }])),
      transfers: new Map(),
    }
  }

  get accounts(): ModelAccount[] {
    return [...this.books.accounts.values()]
  }

  /** Executes a batch whose first event is at `time` (nanoseconds); gives the statuses. */
  create(events: readonly ModelEvent[], time: bigint): string[] {
    const statuses: string[] = []
    for (let start = 0; start < events.length; ) {
      let end = start
      while (end < events.length - 1 && events[end]!.linked) end += 1
      statuses.push(...this.chain(events.slice(start, end + 1), time + BigInt(start)))
      start = end + 1
    }
    return statuses
  }

  private chain(events: readonly ModelEvent[], time: bigint): string[] {
    const before = structuredClone(this.books)
    for (const [index, event] of events.entries()) {
      const open = index === events.length - 1 && event.linked
      const status = open ? 'linked_event_chain_open' : this.one(event, time + BigInt(index))
      if (status === 'created') continue
      this.books = before
      if (burning.has(status)) this.burnt.add(event.id)
      const statuses = events.map((_, at) => (at === index ? status : 'linked_event_failed'))
      if (events.at(-1)!.linked) statuses[events.length - 1] = 'linked_event_chain_open'
      return statuses
    }
    return events.map(() => 'created')
  }

  private one(event: ModelEvent, time: bigint): string {
    if (this.books.transfers.has(event.id)) return 'exists'
    if (this.burnt.has(event.id)) return 'id_already_failed'
    return event.kind === 'post' || event.kind === 'void'
      ? this.end(event, event.kind, time)
      : this.begin(event, time)
  }

  private begin(event: ModelEvent, time: bigint): string {
    const debit = this.books.accounts.get(event.debit)
    if (!debit) return 'debit_account_not_found'
    const credit = this.books.accounts.get(event.credit)
    if (!credit) return 'credit_account_not_found'
    if (debit.ledger !== credit.ledger) return 'accounts_must_have_the_same_ledger'
    if (debit.closed) return 'debit_account_already_closed'
    if (credit.closed) return 'credit_account_already_closed'

    let amount = event.amount
    const debitRoom = debit.creditsPosted - debit.debitsPosted - debit.debitsPending
    const creditRoom = credit.debitsPosted - credit.creditsPosted - credit.creditsPending
    if (event.balancing === 'debit') amount = clamp(amount, debitRoom)
    if (event.balancing === 'credit') amount = clamp(amount, creditRoom)

    const pending = event.kind === 'pending'
    if (pending && debit.debitsPending + amount > amountMax) return 'overflows_debits_pending'
    if (pending && credit.creditsPending + amount > amountMax) return 'overflows_credits_pending'
    if (debit.debitsPosted + amount > amountMax) return 'overflows_debits_posted'
    if (credit.creditsPosted + amount > amountMax) return 'overflows_credits_posted'
    if (debit.debitsPending + debit.debitsPosted + amount > amountMax) return 'overflows_debits'
    if (credit.creditsPending + credit.creditsPosted + amount > amountMax) {
      return 'overflows_credits'
    }
    if (debit.limit === 'debits' && amount > debitRoom) return 'exceeds_credits'
    if (credit.limit === 'credits' && amount > creditRoom) return 'exceeds_debits'

    if (pending) {
      debit.debitsPending += amount
      credit.creditsPending += amount
      if (event.closing === 'debit') debit.closed = true
      if (event.closing === 'credit') credit.closed = true
    } else {
      debit.debitsPosted += amount
      credit.creditsPosted += amount
    }
    const seconds = BigInt(event.timeoutSeconds)
    const expiresAt = seconds === 0n ? null : time + seconds * 1_000_000_000n
    const state = pending ? 'pending' : 'final'
    this.books.transfers.set(event.id, { ...event, moved: amount, expiresAt, state })
    return 'created'
  }

  private end(event: ModelEvent, kind: 'post' | 'void', time: bigint): string {
    const pending = this.books.transfers.get(event.pendingId)
    if (!pending) return 'pending_transfer_not_found'
    if (pending.kind !== 'pending') return 'pending_transfer_not_pending'
    const all = kind === 'void' ? 0n : amountMax
    const amount = event.amount === all ? pending.moved : event.amount
    if (amount > pending.moved) return 'exceeds_pending_transfer_amount'
    if (kind === 'void' && amount < pending.moved) return 'pending_transfer_has_different_amount'
    if (pending.state === 'posted') return 'pending_transfer_already_posted'
    if (pending.state === 'voided') return 'pending_transfer_already_voided'
    const over = pending.expiresAt !== null && pending.expiresAt <= time
    if (pending.state === 'expired' || over) return 'pending_transfer_expired'
    const debit = this.books.accounts.get(pending.debit)!
    const credit = this.books.accounts.get(pending.credit)!
    if (kind === 'post' && debit.closed) return 'debit_account_already_closed'
    if (kind === 'post' && credit.closed) return 'credit_account_already_closed'

    this.giveBack(pending, kind === 'post' ? 'posted' : 'voided')
    if (kind === 'post') {
      debit.debitsPosted += amount
      credit.creditsPosted += amount
    }
    this.books.transfers.set(event.id, { ...event, moved: amount, expiresAt: null, state: 'final' })
    return 'created'
  }

  /** Expires what is due at `time` (nanoseconds). */
  expire(time: bigint): void {
    for (const transfer of this.books.transfers.values()) {
      if (transfer.state !== 'pending' || transfer.expiresAt === null) continue
      if (transfer.expiresAt <= time) this.giveBack(transfer, 'expired')
    }
  }

  private giveBack(pending: ModelTransfer, state: 'posted' | 'voided' | 'expired'): void {
    const debit = this.books.accounts.get(pending.debit)!
    const credit = this.books.accounts.get(pending.credit)!
    debit.debitsPending -= pending.moved
    credit.creditsPending -= pending.moved
    pending.state = state
    if (state === 'posted') return
    if (pending.closing === 'debit') debit.closed = false
    if (pending.closing === 'credit') credit.closed = false
  }
}

/** At most what is left, at least nothing. */
function clamp(amount: bigint, left: bigint): bigint {
  if (left < 0n) return 0n
  return amount < left ? amount : left
}
