import { AccountFlags, TransferFlags } from 'tigerbeetle-node'
import type { TraceObject, TraceTimestamp } from '../lib/trace-file.ts'
import { type Draft, oddTimestamps } from './vocabulary.ts'
import { flagsOf, idOf, type World } from './world.ts'

type Kind = 'account' | 'transfer'

const importedFlag = { account: AccountFlags.imported, transfer: TransferFlags.imported }
/** A named timestamp plus this (nanoseconds) is in the past when the next call arrives. */
const plusMax = 50

/** Makes the events of a batch imported, nearly all, with timestamps that nearly always rise. */
export function addTimestamps(world: World, kind: Kind, events: readonly Draft[]): void {
  const { random } = world
  const flag = importedFlag[kind]
  const base = pickBase(world, kind)
  let plus = 0
  for (const draft of events) {
    if (random.chance(0.04)) continue
    draft.flags = flagsOf(draft) | flag
    plus = Math.min(plus + 1 + random.below(4), plusMax)
    draft.timestamp = random.chance(0.85) ? later(base, plus) : wrongTimestamp(world, base, draft)
  }
}

/** The newest timestamp that these events have to be after. */
function pickBase(world: World, kind: Kind): TraceTimestamp {
  const { random } = world
  const accounts = newest('account', world.accounts)
  const transfers = newest('transfer', world.transfers)
  const [own, other] = kind === 'account' ? [accounts, transfers] : [transfers, accounts]
  if (own === undefined && other === undefined) return '1000'
  if (own === undefined) return random.chance(0.2) ? '1000' : other!
  if (other === undefined) return own
  if (typeof own === 'string' && typeof other === 'string') {
    return BigInt(own) > BigInt(other) || random.chance(0.2) ? own : other
  }
  // A transfer has to be after its accounts, of which the newest may be newer than all transfers.
  return random.chance(0.5) || typeof other === 'string' ? own : other
}

function newest(kind: Kind, events: readonly TraceObject[]): TraceTimestamp | undefined {
  const event = events.at(-1)
  if (!event) return undefined
  const imported = (flagsOf(event) & importedFlag[kind]) !== 0
  if (imported && typeof event.timestamp === 'string') return event.timestamp
  return { ts: `${kind}:${idOf(event)}`, plus: 0 }
}

function later(base: TraceTimestamp, plus: number): TraceTimestamp {
  if (typeof base === 'string') return String(BigInt(base) + BigInt(plus))
  return { ts: base.ts, plus: (base.plus ?? 0) + plus }
}

function wrongTimestamp(world: World, base: TraceTimestamp, draft: Draft): TraceTimestamp {
  const { random } = world
  const account = draft.debit_account_id ?? world.anyAccountId()
  return random.pick<() => TraceTimestamp>([
    () => base,
    () => '0',
    () => random.pick(oddTimestamps),
    () => random.pick(oddTimestamps),
    () => world.someTimestamp(),
    () => ({ ts: `account:${account}`, plus: random.below(3) - 1 }),
    () => ({ ts: `account:${draft.credit_account_id ?? account}`, plus: random.below(3) - 1 }),
  ])()
}
