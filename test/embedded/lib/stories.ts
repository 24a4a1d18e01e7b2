import fc from 'fast-check'
import { CreateTransferStatus } from 'tigerbeetle-node'
import {
  createStateMachine,
  operations,
  type StateMachine,
} from '../../../embedded/ledger/state-machine.ts'
import { codecs } from './codec.ts'
import { execute, type VirtualClock } from './machine-client.ts'
import { amountMax, type ModelEvent } from './model.ts'
import { zeroAccount, zeroAccountFilter, zeroTransfer } from './zero.ts'

/** The eight accounts that every story is about. Accounts 7 and 8 have a ledger of their own. */
const limits = ['none', 'debits', 'credits'] as const
export const limitFlag = { none: 0, debits: 1 << 1, credits: 1 << 2 }
const historyFlag = 1 << 3
export const closedFlag = 1 << 5
export const accounts = Array.from({ length: 8 }, (_, index) => ({
  id: BigInt(index + 1),
  ledger: index < 6 ? 1 : 2,
  limit: limits[index % 3]!,
}))
const accountIds = accounts.map(({ id }) => id)

/** What an event is going to be; ids come when it is known which transfers there are. */
const eventPlan = fc.record({
  kind: fc.constantFrom('simple', 'simple', 'pending', 'pending', 'post', 'void', 'replay'),
  debit: fc.integer({ min: 1, max: 9 }),
  credit: fc.integer({ min: 1, max: 8 }),
  amount: fc.oneof(
    { weight: 8, arbitrary: fc.bigInt({ min: 0n, max: 100n }) },
    { weight: 1, arbitrary: fc.constant(amountMax) },
    { weight: 1, arbitrary: fc.bigInt({ min: amountMax - 100n, max: amountMax }) },
  ),
  all: fc.boolean(),
  back: fc.nat({ max: 12 }),
  timeoutSeconds: fc.constantFrom(0, 0, 1, 2, 5),
  balancing: fc.constantFrom('none', 'none', 'none', 'debit', 'credit'),
  closing: fc.constantFrom('none', 'none', 'none', 'none', 'none', 'debit', 'credit'),
  linked: fc.constantFrom(false, false, true),
} as const)
export type EventPlan = typeof eventPlan extends fc.Arbitrary<infer Plan> ? Plan : never

export const requestPlan = fc.record({
  events: fc.array(eventPlan, { minLength: 1, maxLength: 8, size: 'max' }),
  waitSeconds: fc.constantFrom(0, 0, 0, 1, 3),
})

/** Makes an event of a plan, after the events that were sent before. */
export function planned(plan: EventPlan, sent: readonly ModelEvent[]): ModelEvent {
  const earlier = (events: readonly ModelEvent[]): ModelEvent | undefined =>
    events.at(-1 - (plan.back % Math.max(events.length, 1)))
  const id = BigInt(1000 + sent.length)
  const replayed = earlier(sent)
  if (plan.kind === 'replay' && replayed) return replayed
  const common = { id, linked: plan.linked, timeoutSeconds: 0 }
  const none = { balancing: 'none', closing: 'none' } as const
  if (plan.kind === 'post' || plan.kind === 'void') {
    const target = earlier(sent.filter(({ kind }) => kind === 'pending'))
    const all = plan.kind === 'post' ? amountMax : 0n
    return {
      ...common,
      ...none,
      kind: plan.kind,
      debit: 0n,
      credit: 0n,
      amount: plan.all ? all : plan.amount,
      pendingId: target?.id ?? 999n,
    }
  }
  const { balancing, closing, debit, amount } = plan
  const credit = plan.credit === debit ? (debit % 8) + 1 : plan.credit
  const parties = { debit: BigInt(debit), credit: BigInt(credit), amount, pendingId: 0n, balancing }
  if (plan.kind !== 'pending') return { ...common, ...parties, kind: 'simple', closing: 'none' }
  const { timeoutSeconds } = plan
  return { ...common, ...parties, kind: 'pending', closing, timeoutSeconds }
}

/** A payment of 1. */
export function payment(id: bigint, debit: bigint, credit: bigint): ModelEvent {
  const none = { balancing: 'none', closing: 'none' } as const
  const ids = { id, debit, credit, pendingId: 0n }
  return { ...ids, ...none, kind: 'simple', amount: 1n, timeoutSeconds: 0, linked: false }
}

/** The event as the client would send it. */
function toTransfer(event: ModelEvent) {
  const kinds = { simple: 0, pending: 1 << 1, post: 1 << 2, void: 1 << 3 }
  const ends = event.kind === 'post' || event.kind === 'void'
  const ledger = accounts.find(({ id }) => id === event.debit)?.ledger ?? 1
  return {
    ...zeroTransfer,
    id: event.id,
    debit_account_id: event.debit,
    credit_account_id: event.credit,
    amount: event.amount,
    pending_id: event.pendingId,
    timeout: event.timeoutSeconds,
    ledger: ends ? 0 : ledger,
    code: ends ? 0 : 1,
    flags:
      kinds[event.kind] |
      (event.linked ? 1 : 0) |
      { none: 0, debit: 1 << 4, credit: 1 << 5 }[event.balancing] |
      { none: 0, debit: 1 << 6, credit: 1 << 7 }[event.closing],
  }
}

/** A machine with the eight accounts, all of which keep history. */
export function newMachine(clock: VirtualClock): StateMachine {
  const machine = createStateMachine()
  const events = accounts.map(({ id, ledger, limit }) => ({
    ...zeroAccount,
    id,
    ledger,
    code: 1,
    flags: limitFlag[limit] | historyFlag,
  }))
  execute(machine, clock, operations.createAccounts, codecs.create_accounts, [events])
  return machine
}

/** Sends the events as one batch and gives the names of their statuses. */
export function send(
  machine: StateMachine,
  clock: VirtualClock,
  events: readonly ModelEvent[],
): string[] {
  const { createTransfers } = operations
  const transfers = events.map(toTransfer)
  const [results] = execute(machine, clock, createTransfers, codecs.create_transfers, [transfers])
  return results!.map(({ status }) => CreateTransferStatus[status]!)
}

/** The eight accounts as they are now. */
export function lookUp(machine: StateMachine, clock: VirtualClock) {
  const { lookupAccounts } = operations
  return execute(machine, clock, lookupAccounts, codecs.lookup_accounts, [accountIds])[0]!
}

/** All balances that were kept, account by account. */
export function histories(machine: StateMachine, clock: VirtualClock) {
  const filters = accountIds.map((account_id) => ({
    ...zeroAccountFilter,
    account_id,
    limit: 1000,
    flags: 3,
  }))
  const { getAccountBalances } = operations
  const calls = filters.map((filter) => [filter])
  return execute(machine, clock, getAccountBalances, codecs.get_account_balances, calls)
}

/** All bytes that a snapshot would save. */
export function sectionBytes(machine: StateMachine): Uint8Array[][] {
  const { header, sections } = machine.snapshot()
  return [[header], ...sections.map(({ slices, byteLength }) => [...slices(0, byteLength)])]
}

export type Balances = ReturnType<typeof lookUp>
