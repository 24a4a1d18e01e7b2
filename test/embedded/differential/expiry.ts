import { TransferFlags } from 'tigerbeetle-node'
import type { TraceStep } from '../lib/trace-file.ts'
import { accountBatch, transferBatch } from './batches.ts'
import { makeEnding } from './endings.ts'
import { accountFilterCall, lookupCall } from './filters.ts'
import type { Profile } from './profile.ts'
import { newTransfer } from './transfers.ts'
import type { Draft } from './vocabulary.ts'
import { idOf, type World } from './world.ts'

/** How long (milliseconds) after the last timeout everything must have expired. */
const spareMs = 700

/**
 * Pending transfers that live one or two seconds; some are posted or voided in time, and the rest
 * are left to expire while nobody calls. Then all is tried again, too late.
 */
export async function* expirySteps(world: World, profile: Profile): AsyncGenerator<TraceStep> {
  const { random } = world
  const events = await shortLived(world, profile)
  yield { op: 'create_transfers', events }
  if (random.chance(0.5)) yield await endSome(world, events)
  const accounts = events.flatMap((event) => [
    String(event.debit_account_id),
    String(event.credit_account_id),
  ])
  yield { op: 'lookup_accounts', ids: accounts }
  const longest = Math.max(...events.map(({ timeout }) => Number(timeout)))
  yield { op: 'sleep', ms: longest * 1000 + spareMs }
  yield { op: 'lookup_accounts', ids: accounts }
  yield await endSome(world, events)
  if (random.chance(0.3)) yield { op: 'create_transfers', events }
  yield await transferBatch(world, { ...profile, imported: 0 })
  yield accountFilterCall(world)
  yield lookupCall(world)
  yield await accountBatch(world, profile)
}

async function shortLived(world: World, profile: Profile): Promise<Draft[]> {
  const { random } = world
  const { pending, closing_debit, closing_credit, balancing_debit, linked } = TransferFlags
  const events: Draft[] = []
  for (let count = 2 + random.below(8); count > 0; count -= 1) {
    const more = random.chance(0.3)
      ? random.pick([
          closing_debit,
          closing_credit,
          closing_debit | closing_credit,
          balancing_debit,
        ])
      : 0
    const draft = await newTransfer(world, profile, pending | more)
    if (count > 1 && random.chance(0.25)) draft.flags = Number(draft.flags) | linked
    events.push({ ...draft, timeout: 1 + random.below(2) })
  }
  return events
}

/** Posts or voids some of the events, and perhaps something else. */
async function endSome(world: World, events: readonly Draft[]): Promise<TraceStep> {
  const endings: Draft[] = []
  for (const event of events) {
    if (!world.random.chance(0.5)) continue
    endings.push({ ...(await makeEnding(world)), pending_id: idOf(event) })
  }
  return { op: 'create_transfers', events: endings }
}
