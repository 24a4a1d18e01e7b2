import { TransferFlags } from 'tigerbeetle-node'
import type { TraceObject } from '../lib/trace-file.ts'
import { addUserData, codes, type Draft, ledgers, max128, recent } from './vocabulary.ts'
import { idOf, type World } from './world.ts'

/** An event that posts or voids a pending transfer, rightly or wrongly. */
export async function makeEnding(world: World): Promise<Draft> {
  const { random } = world
  const target = pickTarget(world)
  const posts = random.chance(0.5)
  const draft: Draft = {
    id: world.newId(),
    pending_id: idOf(target),
    flags: posts ? TransferFlags.post_pending_transfer : TransferFlags.void_pending_transfer,
  }
  const created = await world.transfer(idOf(target))
  const amount = created?.amount ?? BigInt(String(target.amount ?? 0))
  const wanted = endingAmount(world, posts, amount)
  if (wanted !== 0n) draft.amount = String(wanted)
  repeatFields(world, draft, target)
  if (random.chance(0.4)) addUserData(random, draft)
  if (random.chance(0.03)) draft.timeout = 1 + random.below(100)
  return draft
}

function pickTarget(world: World): TraceObject {
  const { random, drafts } = world
  const draft = recent(random, drafts)
  if (draft && random.chance(0.2)) return draft
  const chance = random.below(100)
  const from = chance < 75 ? world.open : chance < 88 ? world.ended : world.transfers
  const target = chance < 95 ? recent(random, from, 25) : recent(random, world.refused)
  return target ?? { id: world.unknownId() }
}

function endingAmount(world: World, posts: boolean, amount: bigint): bigint {
  const { random } = world
  const chance = random.below(100)
  if (chance < 45) return posts ? max128 : 0n
  if (chance < 65) return amount
  if (chance < 75) return amount === 0n ? 0n : amount - 1n
  if (chance < 83) return amount === max128 ? amount : amount + 1n
  if (chance < 90) return posts ? 0n : max128
  return amount / 2n
}

/** The fields that may be said again, and then have to be as in the pending transfer. */
function repeatFields(world: World, draft: Draft, target: TraceObject): void {
  const { random } = world
  const wrong = random.chance(0.12)
  const say = (field: string, other: () => string | number): void => {
    if (!random.chance(wrong ? 0.5 : 0.2)) return
    const same = target[field]
    if (wrong && random.chance(0.5)) draft[field] = other()
    else if (same !== undefined) draft[field] = same
  }
  say('debit_account_id', () => world.anyAccountId())
  say('credit_account_id', () => world.anyAccountId())
  say('ledger', () => random.pick(ledgers))
  say('code', () => random.pick(codes))
}
