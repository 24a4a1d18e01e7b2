import { edgeAmounts, max128 } from './vocabulary.ts'
import type { World } from './world.ts'

/**
 * An amount for a transfer between two accounts: usually small, else next to what the accounts have
 * left or to where one of their balances overflows.
 */
export async function pickAmount(
  world: World,
  debitId: string,
  creditId: string,
  edges: number,
): Promise<string> {
  const { random } = world
  if (!random.chance(edges)) return String(random.below(random.pick([10, 200, 3000])))
  if (random.chance(0.25)) return String(random.pick(edgeAmounts))
  const debit = await world.account(debitId)
  const credit = await world.account(creditId)
  if (!debit || !credit) return '1'
  const debits = debit.debits_posted + debit.debits_pending
  const credits = credit.credits_posted + credit.credits_pending
  const room = [debit.credits_posted - debits, credit.debits_posted - credits]
  const overflow = [
    debits,
    credits,
    debit.debits_posted,
    debit.debits_pending,
    credit.credits_posted,
    credit.credits_pending,
  ].map((balance) => max128 - balance)
  const aim = random.chance(0.7) ? random.pick(room) : random.pick(overflow)
  const amount = aim + BigInt(random.below(3) - 1)
  return String(amount < 0n || amount > max128 ? BigInt(random.below(5)) : amount)
}
