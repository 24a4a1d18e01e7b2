import { AccountFlags } from 'tigerbeetle-node'
import type { Profile } from './profile.ts'
import { addUserData, codes, type Draft, ledgers, max128, recent } from './vocabulary.ts'
import { flagsOf, type World } from './world.ts'

/** A new account, or an old one again, and sometimes with faults. */
export function makeAccount(world: World, profile: Profile): Draft {
  const { random } = world
  const known = recent(random, world.accounts)
  const draft = known && random.chance(0.15) ? { ...known } : newAccount(world, profile)
  if (known && draft.id === known.id && random.chance(0.4)) alter(world, draft)
  if (!random.chance(profile.faults)) return draft
  for (let faults = 1 + random.below(3); faults > 0; faults -= 1) {
    random.pick(accountFaults)(world, draft)
  }
  return draft
}

export function newAccount(world: World, profile: Profile): Draft {
  const { random } = world
  const draft: Draft = {
    id: world.newId(),
    // Two ledgers have most accounts, so that transfers between them are possible.
    ledger: random.chance(0.85) ? ledgers[world.accounts.length % 2]! : random.pick(ledgers),
    code: random.pick(codes),
  }
  addUserData(random, draft)
  let flags = 0
  if (random.chance(profile.limited)) {
    flags |= random.chance(0.5)
      ? AccountFlags.debits_must_not_exceed_credits
      : AccountFlags.credits_must_not_exceed_debits
  }
  if (random.chance(profile.history)) flags |= AccountFlags.history
  if (random.chance(0.01)) flags |= AccountFlags.closed
  if (flags !== 0) draft.flags = flags
  return draft
}

type Fault = (world: World, draft: Draft) => void

const balances = ['debits_pending', 'debits_posted', 'credits_pending', 'credits_posted'] as const

const accountFaults: readonly Fault[] = [
  (_, draft) => (draft.id = '0'),
  (_, draft) => (draft.id = String(max128)),
  (_, draft) => (draft.ledger = 0),
  (_, draft) => (draft.code = 0),
  (world, draft) => (draft[world.random.pick(balances)] = world.random.pick(['1', String(max128)])),
  (world, draft) => (draft.flags = flagsOf(draft) | (1 << (6 + world.random.below(10)))),
  (_, draft) =>
    (draft.flags =
      flagsOf(draft) |
      AccountFlags.debits_must_not_exceed_credits |
      AccountFlags.credits_must_not_exceed_debits),
  (world, draft) => (draft.reserved = world.random.pick([1, 4294967295])),
  (world, draft) => (draft.timestamp = world.random.pick(['1', '18446744073709551615'])),
  (world, draft) => (draft.id = world.anyAccountId()),
  (world, draft) => (draft.flags = flagsOf(draft) ^ (1 << world.random.below(6))),
]

/** Changes what has to be as it was when an account is created again. */
function alter(world: World, draft: Draft): void {
  const { random } = world
  for (let changes = 1 + random.below(2); changes > 0; changes -= 1) {
    random.pick<Fault>([
      () => addUserData(random, draft, 0.4),
      () => (draft.ledger = random.pick(ledgers)),
      () => (draft.code = random.pick(codes)),
      () => (draft.flags = flagsOf(draft) ^ (1 << random.below(6))),
      () => (draft[random.pick(balances)] = '5'),
    ])(world, draft)
  }
}
