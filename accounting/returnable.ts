/**
 * What may still be given back of a payment, a capture or a deposit: an account on the control ledger
 * that begins with all of it. Giving a part back uses the account in the same chain, so that the parts
 * together never exceed the whole, however many of them race.
 */
import { controlAccount, createAccounts, provideAccounts, returnableAccount } from './accounts.ts'
import { type Asset, ControlCode, controlOf } from './chart.ts'
import type { Ledger } from './client.ts'
import { type HistoryRange, readDebits } from './history.ts'
import { computeUuid, hashInput, toLedgerId, type Uuid } from './ids.ts'
import { type Leg, toTransfer } from './legs.ts'
import { findOperations, type StoredOperation, submitChain } from './transfers.ts'

/** What was paid, which can be given back once and no more than once. */
export interface Returnable {
  operationId: Uuid
  asset: Asset
  /** All of it, in minor units. */
  amountMinor: bigint
}

/**
 * Makes the account and grants it all of the amount; repeating it changes nothing. It comes before the
 * chain that gives something back, and apart from it.
 * Rejects with LedgerUnavailable or LedgerOutcomeUnknown, which does not matter: it can be repeated.
 */
export async function provideReturnable(ledger: Ledger, whole: Returnable): Promise<void> {
  const { operationId, asset, amountMinor } = whole
  const account = returnableAccount(operationId, asset)
  await provideAccounts(ledger, [controlAccount(asset)])
  await createAccounts(ledger, [account])
  const grant = {
    debitAccountId: controlAccount(asset).id,
    creditAccountId: account.id,
    amountMinor,
    asset: controlOf(asset),
    code: ControlCode.returnable_grant,
  }
  const id = computeUuid('returnable', operationId)
  const inputHash = hashInput('returnable', operationId, amountMinor)
  const granted = await submitChain(ledger, [toTransfer(grant, { id, operationId: id, inputHash })])
  if (granted.kind !== 'done') throw new Error(`${operationId}: not granted: ${granted.kind}`)
}

/** The leg that uses a part (minor units); declined with `exceeds_credits` when so much is not left. */
export function toReturnLeg({ operationId, asset }: Returnable, amountMinor: bigint): Leg {
  return {
    debitAccountId: returnableAccount(operationId, asset).id,
    creditAccountId: controlAccount(asset).id,
    amountMinor,
    asset: controlOf(asset),
    code: ControlCode.returnable_use,
  }
}

/** How much of it is left to give back, in minor units: all of it before the first part. */
export async function readReturnable(ledger: Ledger, whole: Returnable): Promise<bigint> {
  const { id } = returnableAccount(whole.operationId, whole.asset)
  const [account] = await ledger.lookupAccounts([toLedgerId(id)])
  if (!account || account.credits_posted === 0n) return whole.amountMinor
  return account.credits_posted - account.debits_posted
}

/** A page of the legs that have used a part of it, newest first. */
export async function readReturnUses(
  ledger: Ledger,
  { operationId, asset }: Returnable,
  range: HistoryRange,
): Promise<StoredOperation[]> {
  const { id: accountId } = returnableAccount(operationId, asset)
  return readDebits(ledger, { accountId, code: ControlCode.returnable_use, ...range })
}

/** A page of the operations, each submitted once, that have given parts of it back; newest first. */
export async function readReturns(
  ledger: Ledger,
  whole: Returnable,
  range: HistoryRange,
): Promise<StoredOperation[]> {
  const uses = await readReturnUses(ledger, whole, range)
  return findOperations(
    ledger,
    uses.map((use) => use.operationId),
  )
}
