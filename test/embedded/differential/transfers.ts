import { TransferFlags } from 'tigerbeetle-node'
import type { TraceObject } from '../lib/trace-file.ts'
import { pickAmount } from './amounts.ts'
import { makeEnding } from './endings.ts'
import type { Profile } from './profile.ts'
import { addFaults, alterTransfer } from './transfer-faults.ts'
import { addUserData, codes, type Draft, longTimeouts, recent, weighted } from './vocabulary.ts'
import { idOf, type World } from './world.ts'

/** A transfer of any kind, sometimes with faults. */
export async function makeTransfer(world: World, profile: Profile): Promise<Draft> {
  const draft = await makeSound(world, profile)
  if (world.random.chance(profile.faults)) addFaults(world, draft)
  return draft
}

async function makeSound(world: World, profile: Profile): Promise<Draft> {
  const { random } = world
  const kind = weighted(random, profile.transfers)
  const { pending, balancing_debit, balancing_credit } = TransferFlags
  switch (kind) {
    case 'plain':
      return newTransfer(world, profile, 0)
    case 'pending':
      return newTransfer(world, profile, pending)
    case 'balancing': {
      const sides = random.pick([
        balancing_debit,
        balancing_credit,
        balancing_debit | balancing_credit,
      ])
      return newTransfer(world, profile, sides | (random.chance(0.4) ? pending : 0))
    }
    case 'closing':
      return closing(world, profile)
    case 'ending':
      return makeEnding(world)
    case 'repeat':
      return repeat(world, profile)
    case 'burnt': {
      const id = idOf(recent(random, world.refused) ?? { id: world.newId() })
      return { ...(await newTransfer(world, profile, 0)), id }
    }
    default:
      return kind satisfies never
  }
}

export async function newTransfer(world: World, profile: Profile, flags: number): Promise<Draft> {
  const { random } = world
  const [debit, credit] = pickAccounts(world)
  const debitId = idOf(debit)
  const creditId = idOf(credit)
  const draft: Draft = {
    id: world.newId(),
    debit_account_id: debitId,
    credit_account_id: creditId,
    ledger: Number(debit.ledger ?? 1),
    code: random.pick(codes),
  }
  const amount = await pickAmount(world, debitId, creditId, profile.edges)
  if (amount !== '0') draft.amount = amount
  if (flags !== 0) draft.flags = flags
  if ((flags & TransferFlags.pending) !== 0 && random.chance(0.2)) {
    draft.timeout = random.pick(longTimeouts)
  }
  addUserData(random, draft)
  return draft
}

/** Two accounts, nearly always of one ledger. */
function pickAccounts(world: World): [TraceObject, TraceObject] {
  const { random } = world
  const nobody = { id: world.unknownId(), ledger: 1 }
  const debit = recent(random, world.accounts) ?? nobody
  if (random.chance(0.02)) return [debit, nobody]
  if (random.chance(0.02)) return [nobody, debit]
  for (let tries = 0; tries < 20; tries += 1) {
    const credit = recent(random, world.accounts)
    if (credit && credit !== debit && credit.ledger === debit.ledger) return [debit, credit]
  }
  return [debit, recent(random, world.accounts) ?? nobody]
}

async function closing(world: World, profile: Profile): Promise<Draft> {
  const { random } = world
  const { pending, closing_debit, closing_credit, balancing_debit } = TransferFlags
  const sides = random.pick([closing_debit, closing_credit, closing_debit | closing_credit])
  const draft = await newTransfer(world, profile, pending | sides)
  if (random.chance(0.5)) delete draft.amount
  if (random.chance(0.15)) draft.flags = pending | sides | balancing_debit
  return draft
}

/** An event that was sent before, perhaps in this very batch, as it was or changed a little. */
async function repeat(world: World, profile: Profile): Promise<Draft> {
  const { random } = world
  const sources = [world.drafts, world.transfers, world.transfers, world.refused]
  const old = recent(random, random.pick<readonly TraceObject[]>(sources), 30)
  if (!old) return newTransfer(world, profile, 0)
  const draft: Draft = { ...old }
  if (random.chance(0.6)) alterTransfer(world, draft)
  return draft
}
