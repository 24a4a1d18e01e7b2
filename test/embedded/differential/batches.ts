import { AccountFlags, TransferFlags } from 'tigerbeetle-node'
import type { Random } from '../lib/random.ts'
import type { TraceCall, TraceStep } from '../lib/trace-file.ts'
import { makeAccount } from './accounts.ts'
import { addTimestamps } from './imports.ts'
import type { Profile } from './profile.ts'
import { makeTransfer } from './transfers.ts'
import type { Draft } from './vocabulary.ts'
import { flagsOf, idOf, type World } from './world.ts'

const eventsUsual = 20
const linked: number = AccountFlags.linked
const endingFlags = TransferFlags.post_pending_transfer | TransferFlags.void_pending_transfer

export async function accountBatch(world: World, profile: Profile): Promise<TraceCall> {
  const { random } = world
  const events: Draft[] = []
  for (let count = batchSize(random); count > 0; count -= 1) {
    events.push(makeAccount(world, profile))
  }
  if (random.chance(profile.chains)) link(random, events)
  if (random.chance(profile.imported)) addTimestamps(world, 'account', events)
  return { op: 'create_accounts', events }
}

export async function transferBatch(world: World, profile: Profile): Promise<TraceCall> {
  const { random } = world
  const events: Draft[] = []
  for (let count = batchSize(random); count > 0; count -= 1) {
    const draft = await makeTransfer(world, profile)
    events.push(draft)
    world.drafts.push(draft)
  }
  if (random.chance(profile.chains)) link(random, events)
  if (random.chance(profile.imported)) addTimestamps(world, 'transfer', events)
  return { op: 'create_transfers', events }
}

function batchSize(random: Random): number {
  if (random.chance(0.02)) return 0
  return random.chance(0.4) ? 1 : 1 + random.below(eventsUsual)
}

/** Makes chains of some of the events; the last one may stay open. */
function link(random: Random, events: readonly Draft[]): void {
  for (let at = 0; at < events.length; at += 1) {
    const length = random.chance(0.7) ? 2 + random.below(5) : 1
    const end = random.chance(0.95) ? Math.min(at + length, events.length) - 1 : at + length
    for (; at < end && at < events.length; at += 1) {
      events[at]!.flags = flagsOf(events[at]!) | linked
    }
  }
}

/**
 * TigerBeetle 0.17.9 stops when an imported batch comes behind one that is not in the same request,
 * which the client may make of calls at the same moment.
 */
export function canFollow(calls: readonly TraceCall[], call: TraceCall): boolean {
  return isImported(call) !== true || !calls.some((before) => isImported(before) === false)
}

/** The first event decides; an empty batch is neither. */
function isImported({ op, events = [] }: TraceCall): boolean | undefined {
  const [first] = events
  if (!first) return undefined
  const { imported } = op === 'create_accounts' ? AccountFlags : TransferFlags
  return (flagsOf(first) & imported) !== 0
}

/**
 * TigerBeetle 0.17.9 stops when an imported event posts or voids a pending transfer that can
 * expire; such an event names nothing instead.
 */
export function spareServer(world: World, step: TraceStep): void {
  const calls = step.op === 'parallel' ? step.calls : [step]
  const events: Draft[] = calls.flatMap((call) =>
    call.op === 'create_transfers' ? (call.events ?? []) : [],
  )
  const withTimeout = new Set(events.filter(({ timeout }) => timeout).map(idOf))
  for (const draft of events) {
    const flags = flagsOf(draft)
    if ((flags & TransferFlags.imported) === 0 || (flags & endingFlags) === 0) continue
    const pendingId = String(draft.pending_id ?? 0)
    if (!world.mayExpire(pendingId) && !withTimeout.has(pendingId)) continue
    draft.pending_id = world.unknownId()
  }
}
