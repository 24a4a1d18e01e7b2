import { randomFrom } from '../lib/random.ts'
import type { TraceCall, TraceStep } from '../lib/trace-file.ts'
import { newAccount } from './accounts.ts'
import { accountBatch, canFollow, spareServer, transferBatch } from './batches.ts'
import { expirySteps } from './expiry.ts'
import { accountFilterCall, lookupCall, queryCall } from './filters.ts'
import { largeCalls } from './large.ts'
import { type Profile, profiles, type Topic, topicWeights } from './profile.ts'
import { weighted } from './vocabulary.ts'
import { idOf, World } from './world.ts'

export interface TraceOptions {
  readonly seed: number
  readonly chapters: number
  /** Steps of one chapter; each chapter is about one topic. */
  readonly stepsPerChapter: number
  /** The one topic of all chapters; without it each has one by chance. */
  readonly topic?: Topic | undefined
}

/** The steps of a random trace. The same options give the same trace. */
export async function* generateTrace(options: TraceOptions): AsyncGenerator<TraceStep> {
  const random = randomFrom(options.seed)
  const world = new World(random)
  for (let chapter = 0; chapter < options.chapters; chapter += 1) {
    const topic = options.topic ?? weighted(random, topicWeights)
    for await (const step of makeChapter(world, profiles[topic], options.stepsPerChapter)) {
      spareServer(world, step)
      await world.run(step)
      yield step
    }
  }
}

async function* makeChapter(
  world: World,
  profile: Profile,
  steps: number,
): AsyncGenerator<TraceStep> {
  const { random } = world
  const firstTransfer = world.transfers.length
  if (random.chance(profile.imported)) yield await accountBatch(world, { ...profile, imported: 1 })
  yield {
    op: 'create_accounts',
    events: Array.from({ length: 8 }, () => newAccount(world, profile)),
  }
  for (let made = 0; made < steps; made += 1) {
    yield* makeSteps(world, profile)
    world.drafts = []
  }
  yield* audit(world, firstTransfer)
}

async function* makeSteps(world: World, profile: Profile): AsyncGenerator<TraceStep> {
  const { random } = world
  const kind = weighted(random, profile.steps)
  switch (kind) {
    case 'accounts':
      return yield* several(world, profile, () => accountBatch(world, profile))
    case 'transfers': {
      yield* several(world, profile, () => transferBatch(world, profile))
      if (random.chance(0.5)) yield lookupCall(world)
      return
    }
    case 'lookups':
      return yield* several(world, profile, async () => lookupCall(world))
    case 'accountFilters':
      return yield* several(world, profile, async () => accountFilterCall(world))
    case 'queries':
      return yield* several(world, profile, async () => queryCall(world))
    case 'reconnect':
      return yield { op: 'reconnect' }
    case 'expiry':
      return yield* expirySteps(world, profile)
    case 'large':
      return yield* largeCalls(world)
    default:
      return kind satisfies never
  }
}

/** One call, or several of the same operation at once. */
async function* several(
  world: World,
  profile: Profile,
  make: () => Promise<TraceCall>,
): AsyncGenerator<TraceStep> {
  const first = await make()
  if (!world.random.chance(profile.parallel)) return yield first
  const calls = [first]
  const others = world.random.chance(0.1) ? 40 : 7
  for (let count = 1 + world.random.below(others); count > 0; count -= 1) {
    const call = await make()
    if (call.op === first.op && canFollow(calls, call)) calls.push(call)
  }
  yield { op: 'parallel', calls }
}

/** Reads back what the chapter has touched, so that a wrong balance does not go unseen. */
async function* audit(world: World, firstTransfer: number): AsyncGenerator<TraceStep> {
  yield { op: 'query_accounts', filter: { limit: 60, flags: 1 } }
  const first = world.transfers[firstTransfer]
  if (!first) return
  const timestamp_min = { ts: `transfer:${idOf(first)}`, plus: 0 }
  yield { op: 'query_transfers', filter: { limit: 8189, timestamp_min } }
  for (const account of world.accounts.slice(-4)) {
    const filter = { account_id: idOf(account), limit: 8189, flags: 3 }
    yield { op: 'get_account_balances', filter }
  }
}
