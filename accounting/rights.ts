/**
 * Rights: pending transfers of nothing on an asset's control ledger. Using a right posts it, as the first
 * leg of the chain that it permits; giving it up voids it; it runs out by the ledger's clock. A pending
 * transfer is resolved at most once: so whatever a right permits happens once, or not at all.
 */
import { type AccountPlan, controlAccount, provideAccounts, rightsAccount } from './accounts.ts'
import { type Asset, type ControlCode, controlOf } from './chart.ts'
import type { Ledger } from './client.ts'
import type { Leg } from './legs.ts'

/** The accounts of an asset's rights; they have to exist before one is given. */
export function rightsAccounts(asset: Asset): AccountPlan[] {
  return [rightsAccount(asset), controlAccount(asset)]
}

/** Sees to them; costs nothing once this process has seen them. */
export function provideRights(ledger: Ledger, asset: Asset): Promise<void> {
  return provideAccounts(ledger, rightsAccounts(asset))
}

/** The leg that gives a right, which ends by itself after this time; 0 for never. */
export function toRightLeg(asset: Asset, code: ControlCode, timeoutSeconds: number): Leg {
  return {
    debitAccountId: rightsAccount(asset).id,
    creditAccountId: controlAccount(asset).id,
    amountMinor: 0n,
    asset: controlOf(asset),
    code,
    timeoutSeconds,
  }
}
