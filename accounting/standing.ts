/**
 * Freezing and closing wallets. A pending transfer of nothing from the house closes the wallet's
 * account for debits and credits, except for the resolution of what is pending by void or expiry, as
 * long as it is not voided itself. All of them carry the wallet's id in `user_data_128`.
 */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import { equityAccount, provideAccounts } from './accounts.ts'
import { type Asset, TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import { computeUuid, hashInput, toUuid, type Uuid } from './ids.ts'
import { toTransfer, toVoid } from './legs.ts'
import { type Step, submitStep } from './steps.ts'
import { readTrail } from './trail.ts'

export type WalletState =
  /** It can be debited and credited. */
  | 'active'
  /** By an operator, until it is thawed. */
  | 'frozen'
  /** By its owner, until it is known whether it is empty. */
  | 'closing'
  /** By its owner, for ever. */
  | 'closed'

export interface Standing {
  state: WalletState
  /** The pending transfer that keeps the account closed; undefined when it is active. */
  closingId: Uuid | undefined
  /** The newest transfer that closed or opened the account; undefined when there was none yet. */
  newestId: Uuid | undefined
}

/** Whether a wallet is frozen or closed, and by which transfer. */
export async function readStanding(ledger: Ledger, walletId: Uuid): Promise<Standing> {
  const [newest] = await readTrail(ledger, walletId, { limit: 1, newestFirst: true })
  if (!newest) return { state: 'active', closingId: undefined, newestId: undefined }
  const newestId = toUuid(newest.id)
  if (!(newest.flags & TransferFlags.pending)) {
    return { state: 'active', closingId: undefined, newestId }
  }
  const state = stateOf.get(newest.code)
  if (!state) throw new Error(`wallet ${walletId} is closed by a transfer of code ${newest.code}`)
  return { state, closingId: newestId, newestId }
}

type ClosingCode =
  | typeof TransferCode.freeze
  | typeof TransferCode.closing
  | typeof TransferCode.closure

const stateOf = new Map<number, WalletState>([
  [TransferCode.freeze, 'frozen'],
  [TransferCode.closing, 'closing'],
  [TransferCode.closure, 'closed'],
] satisfies [ClosingCode, WalletState][])

/**
 * The id of the freeze of a wallet that stands like this: whoever freezes it from there uses the same, so
 * that a freeze which arrives late, when the wallet has been thawed again, has happened already.
 */
export function freezeId(walletId: Uuid, { newestId }: Standing): Uuid {
  return computeUuid('freeze', walletId, newestId ?? 'first')
}

/** A wallet as far as closing it concerns. */
export interface ClosableWallet {
  id: Uuid
  asset: Asset
}

const hashOf = (walletId: Uuid) => hashInput('standing', walletId)

/** The transfer that closes a wallet's account. */
function toClosing(wallet: ClosableWallet, id: Uuid, code: ClosingCode): Transfer {
  const leg = {
    debitAccountId: equityAccount(wallet.asset).id,
    creditAccountId: wallet.id,
    amountMinor: 0n,
    asset: wallet.asset,
    code,
    timeoutSeconds: 0,
    isClosing: true,
  } as const
  return toTransfer(leg, { id, operationId: wallet.id, inputHash: hashOf(wallet.id) })
}

/**
 * Closes a wallet's account by the transfer `id`: declined with `credit_account_already_closed` when it
 * is closed by another one, and then that id is burnt.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function closeAccount(
  ledger: Ledger,
  wallet: ClosableWallet,
  id: Uuid,
  code: typeof TransferCode.freeze | typeof TransferCode.closing,
): Promise<Step> {
  await provideAccounts(ledger, [equityAccount(wallet.asset)])
  return submitStep(ledger, [toClosing(wallet, id, code)])
}

/**
 * Opens an account again that the transfer `closingId` has closed; `stale` when that was undone before.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function reopenAccount(
  ledger: Ledger,
  walletId: Uuid,
  closingId: Uuid,
  id: Uuid,
): Promise<Step> {
  const inputHash = hashOf(walletId)
  return submitStep(ledger, [toVoid({ id, pendingId: closingId, inputHash })])
}

/**
 * Makes the closing of an account final, or `stale` when it was undone before.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function keepClosed(
  ledger: Ledger,
  wallet: ClosableWallet,
  closingId: Uuid,
  freshId: () => Uuid,
): Promise<Step> {
  return submitStep(ledger, replaceClosing(wallet, closingId, TransferCode.closure, [], freshId))
}

/**
 * A chain that does something with a frozen wallet which the outside has done already: thaw, the legs,
 * freeze again. The legs begin at index 1.
 */
export function throughFreeze(
  wallet: ClosableWallet,
  closingId: Uuid,
  legs: readonly Transfer[],
  freshId: () => Uuid,
): Transfer[] {
  return replaceClosing(wallet, closingId, TransferCode.freeze, legs, freshId)
}

function replaceClosing(
  wallet: ClosableWallet,
  closingId: Uuid,
  code: ClosingCode,
  between: readonly Transfer[],
  freshId: () => Uuid,
): Transfer[] {
  const open = toVoid({ id: freshId(), pendingId: closingId, inputHash: hashOf(wallet.id) })
  return [open, ...between, toClosing(wallet, freshId(), code)]
}
