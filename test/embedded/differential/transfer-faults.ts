import { TransferFlags } from 'tigerbeetle-node'
import {
  addUserData,
  codes,
  type Draft,
  ledgers,
  longTimeouts,
  max128,
  oddTimestamps,
} from './vocabulary.ts'
import { flagsOf, idOf, type World } from './world.ts'

type Fault = (world: World, draft: Draft) => void

const accountFields = ['debit_account_id', 'credit_account_id'] as const
const addFlags = (draft: Draft, flags: number): void => {
  draft.flags = flagsOf(draft) | flags
}

const faults: readonly Fault[] = [
  (world, draft) => addFlags(draft, 1 << (9 + world.random.below(7))),
  (_, draft) => (draft.id = '0'),
  (_, draft) => (draft.id = String(max128)),
  (world, draft) => (draft[world.random.pick(accountFields)] = '0'),
  (world, draft) => (draft[world.random.pick(accountFields)] = String(max128)),
  (world, draft) => (draft[world.random.pick(accountFields)] = world.unknownId()),
  (world, draft) => (draft[world.random.pick(accountFields)] = world.anyAccountId()),
  (_, draft) => (draft.credit_account_id = draft.debit_account_id ?? '0'),
  (world, draft) => (draft.pending_id = world.anyTransferId()),
  (_, draft) => (draft.pending_id = '0'),
  (_, draft) => (draft.pending_id = String(max128)),
  (_, draft) => (draft.pending_id = idOf(draft)),
  (world, draft) => (draft.pending_id = world.unknownId()),
  (world, draft) => (draft.timeout = world.random.pick(longTimeouts)),
  (_, draft) =>
    addFlags(draft, TransferFlags.post_pending_transfer | TransferFlags.void_pending_transfer),
  (world, draft) =>
    addFlags(draft, world.random.pick([TransferFlags.closing_debit, TransferFlags.closing_credit])),
  (world, draft) => (draft.ledger = world.random.pick([0, ...ledgers])),
  (_, draft) => (draft.code = 0),
  (_, draft) => (draft.amount = String(max128)),
  (world, draft) => (draft.timestamp = world.random.pick(oddTimestamps)),
  (world, draft) => (draft.flags = flagsOf(draft) ^ (1 << world.random.below(16))),
  (world, draft) => (draft.flags = flagsOf(draft) ^ (1 << (1 + world.random.below(8)))),
]

/** One to three things that are wrong, or at least strange. */
export function addFaults(world: World, draft: Draft): void {
  for (let count = 1 + world.random.below(3); count > 0; count -= 1) {
    world.random.pick(faults)(world, draft)
  }
}

const changes: readonly Fault[] = [
  (world, draft) => (draft.flags = flagsOf(draft) ^ (1 << world.random.below(9))),
  (world, draft) => (draft.pending_id = world.anyTransferId()),
  (world, draft) => (draft.timeout = world.random.pick([0, 5000, ...longTimeouts])),
  (world, draft) => (draft[world.random.pick(accountFields)] = world.anyAccountId()),
  (world, draft) => (draft[world.random.pick(accountFields)] = '0'),
  (world, draft) => (draft.amount = nextTo(world, draft)),
  (world, draft) => (draft.amount = nextTo(world, draft)),
  (world, draft) => (draft.amount = world.random.pick(['0', String(max128)])),
  (world, draft) => addUserData(world.random, draft, 0.5),
  (world, draft) =>
    delete draft[world.random.pick(['user_data_128', 'user_data_64', 'user_data_32'])],
  (world, draft) => (draft.ledger = world.random.pick([0, ...ledgers])),
  (world, draft) => (draft.code = world.random.pick([0, ...codes])),
]

/** Changes something in an event that is sent again. */
export function alterTransfer(world: World, draft: Draft): void {
  for (let count = 1 + world.random.below(2); count > 0; count -= 1) {
    world.random.pick(changes)(world, draft)
  }
}

function nextTo({ random }: World, draft: Draft): string {
  const amount = BigInt(String(draft.amount ?? 0)) + (random.chance(0.5) ? 1n : -1n)
  return String(amount < 0n || amount > max128 ? 3n : amount)
}
